#!/usr/bin/env bash
# Lays out the image's root file system: rootfs.sh BINARY FOLDER. Run inside the build stage, in the tree.
set -euo pipefail
binary=$1 root=$2

install -D --strip "$binary" "$root/progress-agent"
# The dynamic loader and every library that it will load, at the paths where it looks for them.
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
  install -D "$(realpath "$library")" "$root$library"
done
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
# What is in it, and under which licences.
documents=$root/usr/share/doc
install -d "$documents/progress-agent"
/usr/bin/python3 config/sbom/sbom.py --build "$(dirname "$binary")" --package ca-certificates \
  >"$documents/progress-agent/sbom.cdx.json"
install -m 644 LICENSE "$documents/progress-agent/copyright"
sed -n 's#^   "purl": "pkg:deb/[^/]*/\([^@]*\)@.*#\1#p' "$documents/progress-agent/sbom.cdx.json" | sed 's/%2B/+/g' | while read -r package; do
  install -D -m 644 "/usr/share/doc/$package/copyright" "$documents/$package/copyright"
done
printf 'agent:x:65532:65532::/:/progress-agent\n' >"$root/etc/passwd"
printf 'agent:x:65532:\n' >"$root/etc/group"
install -d -m 750 -o 65532 -g 65532 "$root/run/progress-agent"
