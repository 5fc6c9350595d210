#!/bin/sh
# SPDX-License-Identifier: ISC
# run.sh TEST... runs TAP tests with prove, two at a time for each core (they
# wait a lot), each under a time limit; then prints what failed
# with its output, and one plain closing line, "N passed, N failed, N skipped".
# Exit 0 when nothing failed.
#
# A test that needs more than 300 s says so in one of its first ten lines:
# "# time-limit: 600". PATCHFLOW_LONG=1 allows ten times as much.
set -eu

: "${BUILD_DIR:?}"
here=$(cd "$(dirname "$0")" && pwd)
logs=$BUILD_DIR/test-logs
rm -rf "$logs"
mkdir -p "$logs"
export BUILD_DIR logs

rc=0
prove --timer -j "${TEST_JOBS:-$(($(nproc) * 2))}" --exec "sh $here/one.sh" "$@" || rc=$?

for failed in "$logs"/*.failed; do
	[ -e "$failed" ] || break
	name=${failed%.failed}
	echo
	echo "FAILED ${name##*/}: $(cat "$failed")"
	grep -v '^ok ' "$name.tap" | tail -n 60 || true
	sed 's/^/    /' "$name.err" | tail -n 60
done

# A file that broke off is one more failure than its "not ok" lines say.
awk -v broken="$(cat "$logs"/*.failed 2>/dev/null | grep -cv '^not ok' || true)" '
	/^not ok/ { failed++; next }
	/^ok .*# [Ss][Kk][Ii][Pp]/ || /^1\.\.0/ { skipped++; next }
	/^ok/ { passed++ }
	END {
		failed += broken
		printf "%d passed, %d failed, %d skipped\n",
		    passed, failed, skipped
		exit failed > 0
	}' "$logs"/*.tap >"$BUILD_DIR/test-summary" || rc=1
echo
cat "$BUILD_DIR/test-summary"
exit "$rc"
