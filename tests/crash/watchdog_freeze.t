#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# Everything stopped and continued, in every order, and wherever the supervisor
# was in its work just then: nobody is taken for hung.
# One daemon stopped alone: it is replaced within its deadline and a quarter of
# a second.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"
plan 8

trials=2 hangs=2
[ -z "${PATCHFLOW_LONG:-}" ] || trials=200 hangs=20
diag "seed $seed"
fake_config
# Somebody above, who need not listen: what the supervisor says there is a call
# in the midst of its pulse.
start watchdog env NOTIFY_SOCKET=@"$T" WATCHDOG_USEC=1000000 \
    watchdog -f -c "$CONF"
await 'everybody is ready' all_ready

restarts() {
	ask status | jq '[.daemons[].restarts] | add'
}

was=$(restarts)
trial=0
while [ "$trial" -lt "$trials" ]; do
	trial=$((trial + 1))
	pids="$(pid_of watchdog) $(ask status | jq '.daemons[].pid' | xargs)"
	# shellcheck disable=SC2086 # a list
	kill -s STOP $pids
	begin=$(now_ms)
	until_true 10 past "$begin" 2600
	order=$(echo "$pids" | tr ' ' '\n' | awk -v s="$((seed + trial))" \
	    'BEGIN { srand(s) } { print rand(), $0 }' | sort | cut -d' ' -f2)
	begin=$(now_ms)
	for pid in $order; do
		kill -s CONT "$pid"
		[ $((trial % 3)) -ne 0 ] || pause
	done
	took=$(($(now_ms) - begin))
	begin=$(now_ms)
	until_true 10 past "$begin" 700
	# Where the machine needs half of a deadline from the first to the
	# last, that one may be late by itself.
	[ "$took" -le 1000 ] || {
		diag "trial $trial took $took ms to thaw and proves nothing"
		was=$(restarts)
	}
done
is "$trials freezes of all are nobody's fault" "$(restarts)" "$was"

late=0
worst=0
hang=0
while [ "$hang" -lt "$hangs" ]; do
	hang=$((hang + 1))
	until_true 10 all_ready
	who=$(ask status | jq -r ".daemons[$((hang % 5))].name")
	pid=$(status_of "$who" .pid)
	before=$(times_late)
	lives=$(lives "$who" begin)
	age=$(status_of "$who" .beat_age_ms)
	kill -s STOP "$pid"
	begin=$(now_ms)
	replaced() {
		[ "$(lives "$who" begin)" -gt "$lives" ]
	}
	until_true 10 replaced
	# From its last beat; what polling adds is ours.
	took=$(($(now_ms) - begin + age))
	[ "$took" -le "$worst" ] || worst=$took
	[ "$took" -le 3200 ] || [ "$(times_late)" -gt "$before" ] ||
		late=$((late + 1))
done
diag "the slowest replacement began $worst ms behind the last beat"
is 'one that stands still alone is replaced on time' "$late" 0

# Stopped in that very call, with its daemons.
asleep() {
	grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$1/status"
}
if strace -qq -o /dev/null true 2>/dev/null; then
	sed -i 's/hang: 2s/hang: 6s/' "$CONF"
	ok 'with more time for all' ask reload
	await '... everybody is ready' all_ready
	was=$(restarts)
	before=$(times_late)
	pids=$(ask status | jq '.daemons[].pid' | xargs)
	start strace strace -qq -o "$T/trace" -e trace=sendto \
	    -e inject=sendto:delay_enter=8000000:when=1 -p "$(pid_of watchdog)"
	until_true 10 asleep "$(pid_of watchdog)"
	# shellcheck disable=SC2086 # a list
	kill -s STOP $pids
	until_true 30 grep -q DELAYED "$T/trace"
	# shellcheck disable=SC2086
	kill -s CONT $pids
	stop strace
	late() {
		[ "$(times_late)" -gt "$before" ]
	}
	await 'who was stopped in the midst of its pulse knows' late
	is '... and takes nobody for hung' "$(restarts)" "$was"
else
	skip 4 'needs strace'
fi
is 'nobody ever had a twin' "$(twins)" 0
