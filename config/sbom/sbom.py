#!/usr/bin/python3
"""Writes the bill of materials of a built progress-agent: every Debian package that is in it, as CycloneDX 1.5.

Three witnesses say what is in it: the linker's map, which static archives gave members; ldd, which shared libraries are
loaded; the compiler's dependencies, whose headers were compiled in. dpkg knows the packages that these files are from.
Run after the build, on the machine of the build:

  sbom.py --build build/release [--package NAME...] > sbom.cdx.json

--package adds a package that is in an image by other ways.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

BINARY = "progress-agent"
FORMAT = ("Package", "Version", "Architecture", "Homepage", "source:Package", "source:Version")
# How a package is in the binary, the strongest first.
USES = ("static", "shared", "headers", "other")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def static_archives(build):
    """Archives that gave the linker something; the map lists them as ARCHIVE(MEMBER), each on a line of its own."""
    text = (build / f"{BINARY}.map").read_text(errors="replace").split("\nDiscarded input sections")[0]
    members = re.findall(r"^(/\S+\.a)\(", text, re.MULTILINE)
    if not members:
        sys.exit(f"sbom: {build / BINARY}.map names no archive: was the binary linked by another build type?")
    return {os.path.realpath(path) for path in members}


def shared_libraries(build):
    return set(re.findall(r"(?:^|=> )\s*(/\S+) \(0x", output("ldd", build / BINARY), re.MULTILINE))


def headers(build):
    """Of all objects that the binary is linked from, not of those of tests."""
    found = set()
    ours = False
    for line in output("ninja", "-C", build, "-t", "deps").splitlines():
        if not line.startswith(" "):
            ours = re.match(rf"CMakeFiles/(agent_\w+|{BINARY})\.dir/", line) is not None
        elif ours and line.startswith("    /usr/"):
            found.add(os.path.realpath(line.strip()))
    return found


def owners(files):
    """Package of each file. Where / and /usr are merged, dpkg may know a file by either name."""
    names = {}
    for file in files:
        names[file] = file
        names[file.removeprefix("/usr") if file.startswith("/usr/lib") else "/usr" + file] = file
    done = subprocess.run(["dpkg-query", "--search", *sorted(names)], capture_output=True, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        packages, _, path = line.partition(": ")
        if path in names:
            found[names[path]] = packages.split(",")[0].split(":")[0]
    if lost := sorted(set(files) - set(found)):
        sys.exit(f"sbom: no package owns {', '.join(lost[:3])}")
    return found


def licence(package):
    """Of most of its files, as a machine-readable copyright file names it; None where it is prose."""
    file = Path(f"/usr/share/doc/{package}/copyright")
    if not file.exists():
        return None
    text = file.read_text(errors="replace")
    found = re.search(r"^Files: *\*\s*$(?:.*\n)+?License: *(\S.*?)\s*$", text, re.MULTILINE | re.IGNORECASE)
    return found and found.group(1)


def distribution():
    fields = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return fields["ID"].strip('"'), fields["VERSION_ID"].strip('"')


def component(package, use, files):
    found = output("dpkg-query", "--show", "--showformat", "\t".join(f"${{{field}}}" for field in FORMAT), package)
    name, version, architecture, homepage, source, source_version = found.split("\t")
    vendor, release = distribution()
    purl = (f"pkg:deb/{vendor}/{name.replace('+', '%2B')}@{version.replace('+', '%2B').replace(':', '%3A')}"
            f"?arch={architecture}&distro={vendor}-{release}")
    out = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
           "properties": [{"name": "progress-agent:use", "value": use},
                          {"name": "progress-agent:source", "value": f"{source} {source_version}"}]}
    if named := licence(package):
        out["licenses"] = [{"license": {"name": named}}]
    if homepage:
        out["externalReferences"] = [{"type": "website", "url": homepage}]
    if use in ("static", "shared"):
        out["evidence"] = {"occurrences": [{"location": file} for file in sorted(files)]}
    return out


def contents(build, extra):
    """How each package is used, and by which files."""
    uses = {}
    for use, files in zip(USES, (static_archives(build), shared_libraries(build), headers(build)), strict=False):
        for file, package in owners(files).items():
            uses.setdefault(package, {}).setdefault(use, []).append(file)
    for package in extra:
        uses.setdefault(package, {"other": []})
    return uses


def about(build):
    """Version and revision, as the binary itself says them."""
    said = output(build / BINARY, "--version")
    return re.search(r"^progress-agent (\S+)", said).group(1), re.search(r"^ +revision +(\S+)", said, re.MULTILINE).group(1)


def bill(build, extra):
    version, revision = about(build)
    components = []
    for package, uses in sorted(contents(build, extra).items()):
        use = min(uses, key=USES.index)
        components.append(component(package, use, uses[use]))
    own = f"pkg:generic/{BINARY}@{version}"
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or (build / BINARY).stat().st_mtime)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([revision, components]))}",
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "bom-ref": own, "name": BINARY, "version": version, "purl": own,
                          "licenses": [{"license": {"id": "Apache-2.0"}}],
                          "properties": [{"name": "progress-agent:revision", "value": revision}]}},
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [each["bom-ref"] for each in components]}],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--package", action="append", default=[], metavar="NAME")
    arguments = parser.parse_args()
    json.dump(bill(arguments.build, arguments.package), sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
