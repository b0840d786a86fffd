#!/usr/bin/env bash
# Makes the Debian package of a finished build, lets lintian judge it, installs it into a new Debian by apt, starts it there as
# the service would be, and takes it away again: package.sh BUILD. As root.
set -euo pipefail
build=$(realpath "$1")
readonly PORT=19980
say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
fail() { printf 'package.sh: %s\n' "$*" >&2; exit 1; }

work=$(mktemp -d)
root=$work/root agent=
trap 'kill "$agent" 2>/dev/null || true; umount "$root/proc" 2>/dev/null || true; rm -rf "$work"' EXIT

say "package"
cpack --config "$build/CPackConfig.cmake" -B "$work" >"$work/cpack.log" || { cat "$work/cpack.log"; exit 1; }
deb=$(echo "$work"/*.deb)
dpkg-deb --info "$deb"
dpkg-deb --contents "$deb"
say "lintian"
lintian --allow-root --fail-on=error,warning --info "$deb"

say "a new Debian with it"
mmdebstrap --quiet --variant=apt --include=systemd-standalone-sysusers,"$deb" \
  --hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount bookworm "$root"
in_root() { chroot "$root" "$@"; }
in_root dpkg --verify progress-agent
in_root getent passwd progress-agent

say "start, by the words of the unit"
start=$(sed -n 's/^ExecStart=//p' "$root/lib/systemd/system/progress-agent.service")
# What the unit asks systemd to make.
install -d -m 750 -o "$(in_root id -u progress-agent)" -g "$(in_root id -g progress-agent)" \
  "$root/run/progress-agent" "$root/var/lib/progress-agent"
mount -t proc proc "$root/proc"
# shellcheck disable=SC2086
chroot --userspec=progress-agent:progress-agent "$root" $start --web.listen-address="127.0.0.1:$PORT" \
  --ingest.listen-address="127.0.0.1:$((PORT + 1))" --shutdown.linger=0s &
agent=$!
for ((tries = 0; tries < 100; tries++)); do
  page=$(curl --silent --fail "http://127.0.0.1:$PORT/metrics") && break
  kill -0 "$agent" 2>/dev/null || fail "the agent did not start"
  sleep 0.1
done
grep '^progress_agent_build_info' <<<"$page"
in_root progress-agent emit progress --session packaged --completed 1 --total 2
curl --silent --fail "http://127.0.0.1:$PORT/v1/sessions/packaged" >/dev/null || fail "an event from the socket is not there"
kill "$agent"
wait "$agent" || fail "the agent ended with $?"
[ -s "$root/var/lib/progress-agent/agent.db" ] || fail "nothing was stored"

say "take it away"
echo '# mine' >>"$root/etc/progress-agent/agent.yaml"
in_root dpkg --remove progress-agent
grep -q '# mine' "$root/etc/progress-agent/agent.yaml" || fail "removing it took the configuration"
in_root dpkg --purge progress-agent
left=$(find "$root" -path "$root/proc" -prune -o -name '*progress-agent*' -print | grep -v -e "$root/run/progress-agent" || true)
[ -z "$left" ] || fail "purging it left $left"
cp "$deb" "$build"
say "done: ${build#"$PWD"/}/${deb##*/}"
