#!/bin/sh
# SPDX-License-Identifier: ISC
# The demo itself, as root and as an ordinary user, in a place of its own.
. "$(dirname "$0")/../harness/lib.sh"
plan 8

# demo DIRECTORY env|as_user env
demo() {
	(cd "$1" && shift && "$@" BUILD_DIR="$BUILD_DIR" \
	    sh "$TOP/etc/demo/demo.sh" demo) >"$T/demo.out" 2>&1
}

check_demo() {
	who=$1
	shift
	mkdir "$T/$who"
	[ "$who" = mine ] || chown "$(as_user id -u)" "$T/$who"
	began=$(now_ms)
	demo "$T/$who" "$@"
	rc=$?
	took=$(($(now_ms) - began))
	is "$who: the demo succeeds" "$rc" 0
	[ "$rc" -eq 0 ] || diag "$(tail -n 60 "$T/demo.out")"
	like "$who: and says so" "$(tail -n 3 "$T/demo.out")" 'All as it should be'
	ok "$who: in less than 30 s ($took ms)" test "$took" -lt 30000
}

check_demo mine env
if [ "$(id -u)" -ne 0 ]; then
	skip 5 'needs root to be two users'
	exit 0
fi
if ! as_user test -r "$TOP/etc/demo/demo.sh" -a -x "$BUILD_DIR/bin"; then
	why='an ordinary user cannot read the tree'
elif ! as_user unshare --user --map-root-user true 2>/dev/null; then
	why='users may not make user namespaces here'
else
	why=
	check_demo theirs as_user env
fi
if [ -n "$why" ]; then
	skip 3 "$why"
	mkdir -p "$T/theirs/var"
	chown -R "$(as_user id -u)" "$T/theirs"
fi
demo "$T/theirs" env
is 'a ./var of another user is refused' "$?, $(wc -l <"$T/demo.out") line" \
    '1, 1 line'
like 'with the reason' "$(cat "$T/demo.out")" 'belongs to .*, not to you'
