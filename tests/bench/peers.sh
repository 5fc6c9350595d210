#!/bin/sh
# SPDX-License-Identifier: ISC
# The same change by three hands: ours, git apply and GNU patch, each killed
# before every call that changes something (one in $BENCH_ONE_IN of ours, 4).
# Printed is how often the tree was neither what it had been nor what it was
# to be: at once, and for ours after recovery, which the others do not have.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/../crash/worlds.sh"

# The change of the world "plain" as far as all three can make it.
document() {
	cat <<-'END'
	{"id":"plain","mutations":[{"path":"a","edits":[{"find":"two","replace":"2"}]},{"path":"new/x","contents":"x\n"},{"path":"tree","delete":true},{"path":"dir/b","contents":"B\n"},{"path":"dir/sub/c","append":"more\n"}]}
	END
}

# report NAME [SENTENCE]
report() {
	printf '%-12s %4d mixed trees at %4d of %4d points%s\n' "$1" \
	    "$(found bad)" "$(found tried)" "$(found points)" "${2:-}"
}

make_world plain
sweep -p "${BENCH_ONE_IN:-4}" -S "$seed" -X probe -Q kill
report patchflow ', after recovery'

cp -a "$saved/ws" "$T/b"
cp -a "$world/ws" "$T/a"
(cd "$T" && git diff --no-index --no-prefix --binary b a) |
    sed 's|^\(diff --git\) b/\(.*\) [ab]/.*|\1 a/\2 b/\2|; s|^--- b/|--- a/|; s|^+++ a/|+++ b/|' \
    >"$T/change.diff"
rm -rf "$saved/spool"

# peer NAME COMMAND...
peer() {
	name=$1
	shift
	if ! command -v "$1" >/dev/null; then
		echo "$name is not installed"
		return
	fi
	rm -rf "$world"
	cp -a "$saved" "$world"
	if ! "$@" >"$T/peer.log" 2>&1 || ! diff -r --no-dereference \
	    "$T/a" "$ws" >>"$T/peer.log"; then
		echo "$name does not make this change: $(tail -n 1 "$T/peer.log")"
		return
	fi
	inject -w "$world" -s "$saved" -l "$T/peer.log" -Q kill "$@" \
	    >"$T/found" 2>&1
	report "$name"
}

peer 'git apply' git -C "$ws" apply "$T/change.diff"
peer 'GNU patch' patch -s -d "$ws" -p1 -E -i "$T/change.diff"
