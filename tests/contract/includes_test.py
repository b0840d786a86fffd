"""Includes follow the direction of agent/README.md, and each library stays behind its folder."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AGENT = ROOT / "agent"

# What each folder of agent/ may include from the others. result.h, clock.h and utf8.h are for everyone.
ALLOWED = {
    "progress": set(),
    "log": {"progress"},
    "settings": {"log"},
    "eta": {"progress"},
    "alert": {"progress"},
    "tracker": {"progress", "eta", "alert", "view.h"},
    "wire": {"progress", "tracker", "log"},
    "metrics": {"progress", "eta", "alert", "view.h"},
    "access": {"settings", "log"},
    "web": {"progress", "eta", "alert", "view.h", "tracker", "wire", "metrics", "access", "log"},
    "history": {"progress", "eta", "alert", "view.h", "log"},
    "notify": {"progress", "eta", "alert", "view.h", "log"},
    "workload": {"progress"},
    "clients": set(),
    "view.h": {"progress", "alert"},
}
# The wiring, the command line, and main() may include everything.
WIRING = {"cli", "agent.h", "agent.cc", "main.cc"}
VOCABULARY = {"result.h", "clock.h", "utf8.h"}

# Who may include which library; what is not named here is the standard library's or the system's.
LIBRARIES = {
    "simdjson": {"wire", "cli"},
    "yaml-cpp": {"settings"},
    "CLI": {"cli"},
    "spdlog": {"log"},
    "prometheus": {"metrics"},
    "zlib": {"eta", "metrics", "web"},
    "boost/beast": {"web", "notify"},
    "boost/asio": {"wire", "web", "notify", "cli", "agent.h", "agent.cc", "main.cc"},
    "sqlite3": {"history"},
    "openssl": {"access", "notify"},
    "crypt": {"access", "cli"},
    "seccomp": {"cli"},
    "fmt": {"cli", "log", "metrics", "settings", "web", "wire"},
}
# The domain is pure: besides the standard library it may include these alone.
PURE = {"progress", "eta", "alert"}
PURE_LIBRARIES = ("boost/unordered/", "boost/container/", "boost/intrusive/", "boost/circular_buffer",
                  "xxhash.h", "zlib.h")
# Standard headers through which threads, files, sockets and streams would come in.
IMPURE_HEADERS = {"thread", "mutex", "condition_variable", "future", "fstream", "iostream", "filesystem"}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def sources():
    return sorted(path for path in AGENT.rglob("*") if path.suffix in {".h", ".cc"})


def place_of(path):
    """The folder below agent/ that a file is in, or its own name at the top."""
    return path.relative_to(AGENT).parts[0]


def includes():
    """(file, its place, the quoted header or None, the header in angles or None)"""
    for path in sources():
        for match in INCLUDE.finditer(path.read_text()):
            yield path.relative_to(ROOT), place_of(path), match.group(1), match.group(2)


def library_of(header):
    for name in LIBRARIES:
        if header == name or header.startswith((name + "/", name + ".")):
            return name
    return None


class Includes(unittest.TestCase):
    def test_each_folder_has_a_row(self):
        folders = {path.name for path in AGENT.iterdir() if path.is_dir()}
        self.assertLessEqual(folders, ALLOWED.keys() | WIRING)

    def test_direction(self):
        wrong = []
        for path, place, header, _ in includes():
            if header is None or place in WIRING:
                continue
            if not header.startswith("agent/"):
                wrong.append(f"{path}: \"{header}\" is not from the root")
                continue
            target = header.split("/")[1]
            allowed = ALLOWED.get(place, {"progress"}) | VOCABULARY | {place}
            if target not in allowed:
                wrong.append(f"{path}: {place} may not include \"{header}\"")
        self.assertEqual([], wrong)

    def test_build_follows_the_same_table(self):
        text = (ROOT / "CMakeLists.txt").read_text()
        for name, libraries in re.findall(r"^agent_folder\((\w+)([^)]*)\)", text, re.MULTILINE):
            linked = set(re.findall(r"\bagent_(\w+)", libraries))
            if name not in WIRING:
                self.assertLessEqual(linked, ALLOWED[name], f"agent_folder({name})")

    def test_libraries_stay_behind_their_folder(self):
        wrong = [f"{path}: <{header}> belongs to {sorted(LIBRARIES[library_of(header)])}"
                 for path, place, _, header in includes()
                 if header and library_of(header) and place not in LIBRARIES[library_of(header)]]
        self.assertEqual([], wrong)

    def test_the_domain_is_pure(self):
        wrong = []
        for path, place, _, header in includes():
            if place not in PURE or header is None:
                continue
            foreign = re.search(r"[/.]", header) and not header.startswith(PURE_LIBRARIES)
            if foreign or header in IMPURE_HEADERS:
                wrong.append(f"{path}: <{header}>")
        self.assertEqual([], wrong)


if __name__ == "__main__":
    unittest.main()
