#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 300
# Hundreds of kept transactions (PATCHFLOW_LONG=1: thousands): the oldest go,
# the others can be undone, and the work is in proportion to their number.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config </dev/null
kept=$SPOOL/state/executor@MAIN/txn/.undo
few=60
[ -z "${PATCHFLOW_LONG:-}" ] || few=600

# patch ID: one that displaces 64 KiB.
patch() {
	printf '{"id":"%s","mutations":[{"path":"f","contents":"%s\\n"},{"path":"big","delete":true}]}\n' \
	    "$1" "$1" | queue_json >/dev/null
}
# world COUNT: so many kept, with room for half of them.
world() {
	rm -rf "$SPOOL" "$ws"
	mkdir -p "$ws"
	echo old >"$ws/f"
	head -c 65536 /dev/zero >"$ws/big"
	patch model
	once 2>"$T/run.out"
	model=$(basename "$kept"/*)
	bytes=$(($(du -s -B 1 "$kept/$model" | cut -f 1) * $1 / 2))
	i=1
	while [ "$i" -lt "$1" ]; do
		cp -a "$kept/$model" "$kept/1$(printf %015d "$i")-k-00000000,1"
		i=$((i + 1))
	done
	sed -i '/^retention/,$d' "$CONF"
	printf 'retention:\n  transactions_bytes: %d\n' "$bytes" >>"$CONF"
}
# run_counted: the next patch; how many calls the executor made.
run_counted() {
	head -c 65536 /dev/zero >"$ws/big"
	patch "$1"
	strace -f -qq -o "$T/trace" executor --once -c "$CONF" -q MAIN \
	    >"$T/run.out" 2>&1
	wc -l <"$T/trace"
}
count() {
	find "$kept" -mindepth 1 -maxdepth 1 | wc -l
}
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'
world "$few"
one=$(run_counted one)
world $((few * 4))
four=$(run_counted four)
left=$(count)
diag "$one calls with $few kept, $four with $((few * 4))"
ok 'four times as many cost not five times as much' \
    test "$four" -le $((one * 5))
ok 'about half of them stay' test "$left" -le $((few * 2)) -a \
    "$left" -ge $((few * 3 / 2))
is 'the oldest have gone' "$(find "$kept" -name "1*0001-k-*" | wc -l)" 0
is 'the last is kept' "$(find "$kept" -name '*-four-*' | wc -l)" 1
again=$(run_counted again)
diag "$again calls with $left"
summarizer --once -c "$CONF" 2>/dev/null
patchflow -c "$CONF" undo again >/dev/null
once 2>"$T/run.out"
is 'and can be undone' "$(outcome again .state) $(cat "$ws/f")" 'undone four'
done_testing
