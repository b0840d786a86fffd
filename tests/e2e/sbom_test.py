"""The bill of materials says what is in the binary of this build: no less, and no more."""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from harness import npm
from harness.agent import BINARY, BUILD, ROOT

PACKAGES = Path(__file__).resolve().parent / "packages"


@unittest.skipUnless((BUILD / "progress-agent.map").exists(), "only the release build, which ships, has a linker's map")
class Bill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run([sys.executable, ROOT / "config" / "sbom" / "sbom.py", "--build", BUILD, "--package", "ca-certificates"],
                              env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        cls.text, cls.bill = done.stdout, json.loads(done.stdout)
        cls.uses = {each["name"]: each["properties"][0]["value"] for each in cls.bill["components"]}

    def test_is_what_the_schema_says(self):
        place = npm.folder(PACKAGES, "the schema of CycloneDX")
        self.assertEqual([], json.loads(npm.node(place, "bill.mjs", text=self.text)))

    def test_names_what_is_linked(self):
        for package, use in {"libssl-dev": "static", "libsqlite3-dev": "static", "zlib1g-dev": "static", "libyaml-cpp-dev": "static",
                             "libboost1.81-dev": "headers", "libcli11-dev": "headers", "libc6": "shared",
                             "ca-certificates": "other"}.items():
            self.assertEqual(use, self.uses.get(package), package)
        for foreign in ("libgtest-dev", "libcpp-httplib-dev", "libcurl4-openssl-dev"):
            self.assertNotIn(foreign, self.uses, "a test uses it, or nothing does")

    def test_every_loaded_library_is_in_it(self):
        needed = re.findall(r"=> (/\S+)", subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout)
        listed = {os.path.basename(file["location"]) for each in self.bill["components"]
                  for file in each.get("evidence", {}).get("occurrences", [])}
        self.assertEqual(set(), {os.path.basename(path) for path in needed} - listed)

    def test_versions_are_those_installed(self):
        for each in self.bill["components"]:
            installed = subprocess.run(["dpkg-query", "--show", "--showformat", "${Version}", each["name"]], capture_output=True,
                                       text=True, check=True).stdout
            self.assertEqual(installed, each["version"], each["name"])
        revision = self.bill["metadata"]["component"]["properties"][0]["value"]
        self.assertIn(revision, subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout)

    def test_the_version_names_every_library_linked_in(self):
        said = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout
        named = {"libboost1.81-dev": "Boost", "libcli11-dev": "CLI11", "libcrypt-dev": "libxcrypt", "libexpected-dev": "expected",
                 "libfmt-dev": "fmt", "libseccomp-dev": "libseccomp", "libsimdjson-dev": "simdjson", "libspdlog-dev": "spdlog",
                 "libsqlite3-dev": "SQLite", "libssl-dev": "OpenSSL", "libxxhash-dev": "xxHash",
                 "libyaml-cpp-dev": "yaml-cpp", "prometheus-cpp-dev": "prometheus-cpp",
                 "libprometheus-cpp-core1.0": "prometheus-cpp", "libsimdjson14": "simdjson", "zlib1g-dev": "zlib"}
        compiler = re.compile(r"libc6(-dev)?|linux-libc-dev|(libstdc\+\+|libgcc|gcc).*")
        for each in self.bill["components"]:
            if each["properties"][0]["value"] == "other" or compiler.fullmatch(each["name"]):
                continue
            self.assertIn(each["name"], named)
            version = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", each["version"]).group(1)
            if "prometheus-cpp" not in each["name"]:  # which does not say its version
                self.assertIn(f"{named[each['name']]} {version}", said)


if __name__ == "__main__":
    unittest.main()
