#!/bin/sh
# SPDX-License-Identifier: ISC
# The child that makes the next jail's mounts ahead hangs, or dies: no patch
# waits for it for longer than a moment, each runs as without it, and of the
# child nothing is left, whatever becomes of the executor.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_root
need_way copy
write_config <<'END'
watchdog:
  stop_grace: 1s
END
holdup builder mount "$T/no" true 2>/dev/null
[ $? -ne 77 ] || skip_all 'nothing can be traced here'

# up: an executor whose first builder hangs in its first mount(2). In
# $T/builders stands the pid of each of them.
up() {
	rm -f "$T/builders"
	start executor holdup builder mount "$T/builders" \
	    executor "$@" -c "$CONF" -q MAIN
}
builders() {
	cat "$T/builders" 2>/dev/null
}
first() {
	builders | head -n 1
}
hangs() {
	[ -n "$(first)" ]
}
is_gone() {
	hangs && is_dead "$(first)"
}
ended_with() {
	wait "$(pid_of executor)"
	is "$2" $? "$1"
}
# row NAME COUNT LAST: patches that each append a line; the last one runs LAST.
row() {
	for i in $(seq "$2"); do
		[ "$i" -lt "$2" ] && run=true || run=$3
		printf '{"id":"%s","mutations":[{"path":"%s","append":"%s"}],"validate":{"shell":["%s"]}}\n' \
		    "$1$i" "$1" "$i" "$run"
	done | queue_json >/dev/null
}
lines() {
	(cd "$ws" && awk 1 "$@" | xargs)
}
sleeps() {
	pgrep -fx "sleep 307.$$"
}

# --- hanging: three wait for it in vain, each for a tenth of a second

row hung 6 "sleep 307.$$ || true"
up --once
await 'patches run beside a builder that hangs' sleeps
await 'which is killed while they do' is_gone
like 'and told of' "$(cat "$T/log/executor")" \
    'not made ahead for a while: their making does not come to an end'
# shellcheck disable=SC2046 # a list of pids
kill $(sleeps)
ended_with 0 'the queue is drained'
is 'by each patch once' "$(lines hung)" '1 2 3 4 5 6'
is 'for a while no other builder is tried' "$(builders | wc -l)" 1
ok 'nothing is left' tidy

# --- killed by somebody: the next one is as good as any

row shot 2 "sleep 307.$$ || true"
row next 3 true
up --once
await 'a builder hangs' hangs
kill -KILL "$(first)"
await 'without it the next patch runs' sleeps
# shellcheck disable=SC2046 # a list of pids
kill $(sleeps)
ended_with 0 'the queue is drained'
is 'by each patch once' "$(lines shot next)" '1 2 1 2 3'
ok 'other builders came' test "$(builders | wc -l)" -gt 1
ok 'nothing is left' tidy

# --- the executor ends before it, by a signal that it knows or by none

for signal in TERM KILL; do
	row "$signal" 2 "sleep 307.$$"
	up -f
	await "a builder hangs, to meet SIG$signal" hangs
	await 'beside a patch' sleeps
	pkill -"$signal" -P "$(pid_of executor)" -x executor
	await 'the builder goes with the executor' is_gone
	await 'the patch as well' sh -c "! pgrep -fx 'sleep 307.$$'"
	await 'and the executor' stopped executor
done
is 'who was disturbed is back in the queue' "$(lines TERM) $(
    where_is TERM2)" '1 running'
done_testing
