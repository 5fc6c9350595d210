#!/bin/sh
# SPDX-License-Identifier: ISC
# one.sh TEST runs one test under its time limit, TAP on stdout, and leaves
# what it said in $logs: NAME.tap, NAME.err and, where it failed, NAME.failed.
set -u
: "${BUILD_DIR:?}" "${logs:?}"

test=$1
name=$(echo "${test#"$BUILD_DIR"/}" | sed 's|^tests/||; s|^build[^/]*/tests/||' |
    tr / -)
limit=$(sed -n '1,10s/^# time-limit: *\([0-9]*\)$/\1/p' "$test" 2>/dev/null |
    head -n 1)
limit=${limit:-300}
[ -z "${PATCHFLOW_LONG:-}" ] || limit=$((limit * 10))
[ -z "${PATCHFLOW_SANITIZED:-}" ] || limit=$((limit * 3))

tap=$logs/$name.tap
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS="detect_leaks=1:abort_on_error=1:${ASAN_OPTIONS:-}"
{
	case $test in
	*/*) timeout -k 10 "$limit" "$test" ;;
	*) timeout -k 10 "$limit" "./$test" ;;
	esac 2>"$logs/$name.err"
	echo $? >"$logs/$name.rc"
} | sed -u 's/^not ok\( [0-9]* # SKIP\)/ok\1/' | tee "$tap" # cmocka's skip()
rc=$(cat "$logs/$name.rc")

case $rc in
124 | 137) echo "over its time limit of $limit s" >"$logs/$name.failed" ;;
*)	if grep -q '^not ok' "$tap"; then
		echo "not ok: $(grep -c '^not ok' "$tap")" >"$logs/$name.failed"
	elif [ "$rc" -ne 0 ]; then
		echo "exit status $rc" >"$logs/$name.failed"
	elif ! awk '/^1\.\.[0-9]+/ { split($0, p, /\.\./); plan = p[2] + 0; said = 1 }
	    /^ok/ { n++ } END { exit !(said && n + 0 == plan) }' "$tap"; then
		echo "plan and tests differ" >"$logs/$name.failed"
	fi ;;
esac
exit "$rc"
