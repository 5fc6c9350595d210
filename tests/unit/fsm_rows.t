#!/bin/sh
# SPDX-License-Identifier: ISC
# The tests of the supervisor's machine against machines that are wrong: with
# any one row gone from its table one of them goes red. A few rows, others
# each time; all with PATCHFLOW_LONG.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1
[ -z "${PATCHFLOW_SANITIZED:-}" ] || skip_all "built in another way"
${CC:-cc} --version >/dev/null 2>&1 || skip_all "needs a compiler"
plan 2

grep -n '^[[:space:]]*\[FSM_EV_[A-Z_]*\] = [a-z_]*,$' watchdog/fsm.c |
	cut -d: -f1 >"$T/rows"
count=$(wc -l <"$T/rows")
if [ -n "${PATCHFLOW_ROWS:-}" ]; then
	echo "$PATCHFLOW_ROWS" | tr ' ' '\n' >"$T/chosen"
elif [ -n "${PATCHFLOW_LONG:-}" ]; then
	cp "$T/rows" "$T/chosen"
else
	awk -v s="$seed" -v n="$count" \
	    'BEGIN { for (i = 0; i < 3; i++) pick[(s * 7 + i * 17) % n + 1] }
	    FNR in pick' "$T/rows" >"$T/chosen"
fi
unset PATCHFLOW_LONG

# judged OBJECT: do the tests accept a machine?
judged() {
	for t in test_fsm test_simulator; do
		# shellcheck disable=SC2046 # a list of options
		${CC:-cc} -o "$T/$t" "$BUILD_DIR/tests/unit/$t.o" "$1" \
		    "$BUILD_DIR/watchdog.a" "$BUILD_DIR/common.a" \
		    $(pkg-config --libs yaml-0.1 jansson libbsd-overlay libmd) \
		    -lresolv -lcmocka &&
		timeout 60 "$T/$t" || return 1
	done >"$T/judged" 2>&1
}

machine() {
	${CC:-cc} -std=c17 -D_GNU_SOURCE -fPIE -O1 -w -I. -c -o "$1.o" "$1"
}

cp watchdog/fsm.c "$T/same.c"
machine "$T/same.c"
ok 'the machine as it is passes' judged "$T/same.c.o"
missed=
while read -r row; do
	sed "${row}d" watchdog/fsm.c >"$T/wrong.c"
	machine "$T/wrong.c"
	! judged "$T/wrong.c.o" || missed="$missed $row"
done <"$T/chosen"
diag "$(wc -l <"$T/chosen") of $count rows"
is 'with a row gone it does not' "$missed" ''
