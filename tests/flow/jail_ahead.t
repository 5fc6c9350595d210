#!/bin/sh
# SPDX-License-Identifier: ISC
# The next jail, which is started ahead, hangs before it is ready, or dies: no
# patch waits for it for longer than a moment, each runs in one of its own
# then, and of the one that was made nothing is left, whatever becomes of the
# executor. To be ready is said by the only send(2) of a jail's init.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_way copy
write_config <<'END'
watchdog:
  stop_grace: 1s
END
need_holdup

# up: an executor whose first jail made ahead hangs when it is. In $T/ahead
# stands the pid of each of them.
up() {
	rm -f "$T/ahead"
	start executor holdup init sendto "$T/ahead" \
	    executor "$@" -c "$CONF" -q MAIN
}
made() {
	cat "$T/ahead" 2>/dev/null
}
first() {
	made | head -n 1
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
await 'patches run beside one that hangs' sleeps
await 'which is killed while they do' is_gone
like 'and told of' "$(cat "$T/log/executor")" \
    'no jail is made ahead for a while: its making does not come to an end'
# shellcheck disable=SC2046 # a list of pids
kill $(sleeps)
ended_with 0 'the queue is drained'
is 'by each patch once' "$(lines hung)" '1 2 3 4 5 6'
is 'for a while no other is tried' "$(made | wc -l)" 1
ok 'nothing is left' tidy

# --- killed by somebody: the next one is as good as any

row shot 2 "sleep 307.$$ || true"
row next 3 true
up --once
await 'one hangs' hangs
kill -KILL "$(first)"
await 'without it the next patch runs' sleeps
# shellcheck disable=SC2046 # a list of pids
kill $(sleeps)
ended_with 0 'the queue is drained'
is 'by each patch once' "$(lines shot next)" '1 2 1 2 3'
ok 'others came' test "$(made | wc -l)" -gt 1
ok 'nothing is left' tidy

# --- killed when it waits for its order: the next patch is still the next one

# Those that have left the machine's root, and have nobody below them.
waiting() {
	pgrep -P "$(pid_of executor)" -x executor | while read -r pid; do
		[ ! -d "/proc/$pid/root/.shm" ] || pgrep -P "$pid" >/dev/null ||
			echo "$pid"
	done | grep .
}
row ready 1 "sleep 307.$$ || true"
row after 3 true
start executor executor --once -c "$CONF" -q MAIN
await 'a patch runs' sleeps
await 'and the next jail waits' waiting
doomed=$(waiting)
kill -KILL "$doomed"
await 'until it is dead' is_dead "$doomed"
# shellcheck disable=SC2046 # a list of pids
kill $(sleeps)
ended_with 0 'the queue is drained'
is 'in its order' "$(lines ready after)" '1 1 2 3'
ok 'nothing is left' tidy

# --- the net namespace of the last jail cannot be entered: it has one of its own

# under OPTION...: the executor below strace, where a patch runs and the jail of
# the next one waits.
under() {
	start executor strace -D -I2 -qq -o "$T/trace" "$@" \
	    "$BUILD_DIR/bin/executor" --once -c "$CONF" -q MAIN
	await 'a patch runs' sleeps
	await 'and the next jail waits' waiting
}
if ! strace -qq -o "$T/trace" -e trace=none true 2>/dev/null; then
	skip 12 'no strace here'
else
	row here 1 "sleep 307.$$ || true"
	row there 1 'readlink /proc/self/ns/net'
	under -f -e trace=setns -e inject=setns:error=EPERM
	# shellcheck disable=SC2046 # a list of pids
	kill $(sleeps)
	await 'both have run' stopped executor
	is 'each in its order' "$(lines here there)" '1 1'
	ok 'and not in the machine'"'"'s' test \
	    "$(outcome there1 '.commands[0].output_head')" != \
	    "$(readlink /proc/self/ns/net)"

	# --- killed when its patch has found it ready, which is asked by the
	# only recv(2) of the executor

	row found 1 "sleep 307.$$ || true"
	row at_once 3 true
	under -e trace=recvfrom -e inject=recvfrom:signal=STOP:when=1
	doomed=$(waiting)
	# shellcheck disable=SC2046 # a list of pids
	kill $(sleeps)
	await 'its patch comes' grep -q 'stopped by SIGSTOP' "$T/trace"
	kill -KILL "$doomed"
	await 'it dies' is_dead "$doomed"
	kill -CONT "$(pid_of executor)"
	await 'all have run' stopped executor
	is 'in their order' "$(lines found at_once)" '1 1 2 3'
	ok 'nothing is left' tidy
fi

# --- the executor ends before it, by a signal that it knows or by none

for signal in TERM KILL; do
	row "$signal" 2 "sleep 307.$$"
	up -f
	await "one hangs, to meet SIG$signal" hangs
	await 'beside a patch' sleeps
	pkill -"$signal" -P "$(pid_of executor)" -x executor
	await 'it goes with the executor' is_gone
	await 'the patch as well' sh -c "! pgrep -fx 'sleep 307.$$'"
	await 'and the executor' stopped executor
done
is 'who was disturbed is back in the queue' "$(lines TERM) $(
    where_is TERM2)" '1 running'
done_testing
