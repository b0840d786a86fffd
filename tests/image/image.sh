#!/usr/bin/env bash
# Builds the image with buildah, on a base made from Debian's packages (so that no registry of images is
# needed), starts it as its own user on a read-only root, and scrapes it: image.sh NAME. As root.
set -euo pipefail
name=$1
readonly FROM=docker.io/library/debian:12
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

make_base() {
  buildah inspect --type image "$FROM" >/dev/null 2>&1 && return
  say "base: $FROM"
  local archive container
  archive=$(mktemp --suffix=.tar)
  mmdebstrap --quiet --variant=apt bookworm "$archive"
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$archive" / >/dev/null
  buildah config --cmd bash "$container"
  buildah commit --quiet --rm "$container" "$FROM" >/dev/null
  rm -f "$archive"
}

# The figures of the page that show that the agent inside is the one we built.
scrape() {
  local tries page
  for ((tries = 0; tries < 100; tries++)); do
    if page=$(curl --silent --fail "http://127.0.0.1:$1/metrics"); then
      grep -E '^progress_agent_build_info|^process_resident_memory_bytes' <<<"$page"
      return
    fi
    sleep 0.1
  done
  echo "the agent in the image did not answer" >&2
  return 1
}

# As its own user, with no capability, under its own seccomp filter, on a root that takes no writing.
confined() {
  local status line
  status=$(grep -E '^(Uid|Gid|CapEff|NoNewPrivs|Seccomp):' "/proc/$1/status")
  echo "$status"
  for line in $'Uid:\t65532\t65532\t65532\t65532' $'Gid:\t65532\t65532\t65532\t65532' $'CapEff:\t0000000000000000' \
    $'NoNewPrivs:\t1' $'Seccomp:\t2'; do
    grep -qxF "$line" <<<"$status" || { echo "not so: $line" >&2; return 1; }
  done
  grep -E "^[^ ]+ / [^ ]+ ro[, ]" "/proc/$1/mounts" || { echo "the root can be written" >&2; return 1; }
}

start_and_scrape() {
  local container root agent port=19970
  container=$(buildah from --pull-never "$name")
  root=$(buildah mount "$container")
  trap 'kill "${agent:-}" 2>/dev/null || true; buildah rm "$container" >/dev/null' RETURN
  say "contents"
  (cd "$root" && find . -type f -printf '%s %p\n' | sort -rn | head -20; du -sh . | cut -f1)
  if find "$root" -name 'sh' -o -name 'bash' -o -name 'busybox' | grep .; then
    echo "the image holds a shell" >&2
    return 1
  fi
  grep -m1 '"specVersion"' "$root/usr/share/doc/progress-agent/sbom.cdx.json"
  say "start"
  chroot --userspec=65532:65532 "$root" /progress-agent --version
  mkdir -p "$root/proc"
  # The image's own user, a read-only root, and a socket folder as a Pod would mount it.
  unshare --mount bash -euc '
    mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"
    mount -t tmpfs -o uid=65532,gid=65532,mode=750 tmpfs "$1/run/progress-agent"
    mount -t proc proc "$1/proc"
    exec chroot --userspec=65532:65532 "$1" /progress-agent --web.listen-address="127.0.0.1:$2" \
      --ingest.listen-address="127.0.0.1:$(($2 + 1))" --shutdown.linger=0s' - "$root" "$port" &
  agent=$!
  scrape "$port"
  say "confined"
  confined "$agent"
  kill "$agent"
  wait "$agent"
}

make_base
say "image: $name"
# What was compiled here before need not be compiled in there again.
cache=$(ccache --get-config cache_dir 2>/dev/null || true)
mounts=()
[ ! -d "$cache" ] || mounts=(--volume "$cache:/root/.cache/ccache")
buildah build --pull-never --layers=false "${mounts[@]}" --build-arg REVISION="$(git describe --always --dirty)" --tag "$name" .
start_and_scrape
buildah images "$name"
