#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# time-limit: 200
# A descendant that was forked twice, is deaf to TERM, and goes on forking into
# a new session every millisecond: none outlives its daemon, whether there are
# control groups or not. A few restarts; PATCHFLOW_LONG makes a hundred each.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

rounds=3
[ -z "${PATCHFLOW_LONG:-}" ] || rounds=100

# Another life of it, with a descendant that fled.
lived_again() {
	[ "$(lives summarizer escaped)" -gt "$before" ] &&
		state_is summarizer ready
}

# try SENTENCE: by kill, by an order, by a crash.
try() {
	round=0
	survivors=0
	missed=0
	while [ "$round" -lt "$rounds" ]; do
		round=$((round + 1))
		before=$(lives summarizer escaped)
		case $((round % 3)) in
		0) ask restart summarizer >/dev/null ;;
		1) kill -s KILL "$(status_of summarizer .pid)" ;;
		2) kill -s SEGV "$(status_of summarizer .pid)" ;;
		esac
		until_true 60 lived_again || missed=$((missed + 1))
		# At most the new life's own: the others went before it began.
		alive=$(escapees)
		[ "$alive" -le 1 ] || survivors=$((survivors + alive - 1))
	done
	is "$1: each life has one that flees" "$missed" 0
	is "... and none of $rounds outlives it" "$survivors" 0
	ask stop summarizer >/dev/null
	await '... nor the last one' state_is summarizer stopped
	is '... which is gone as well' "$(escapees)" 0
}

fake_config
script summarizer escape swift
start watchdog watchdog -f -c "$CONF"
await 'everybody is ready' all_ready

# Negative control: it is the supervisor that ends it, and nothing else.
before=0
await 'it flees' lived_again
kill -s STOP "$(pid_of watchdog)"
kill -s KILL "$(tr -cd 0-9 <"$SPOOL/run/summarizer.lock")"
begin=$(now_ms)
until_true 5 past "$begin" 300
is 'control: without a supervisor it outlives its daemon' "$(escapees)" 1
kill -s CONT "$(pid_of watchdog)"
before=1
await 'with one again the next life begins' lived_again
is '... behind its end' "$(($(escapees) <= 1))" 1
try 'without control groups'
stop watchdog

cat >>"$CONF" <<END
  daemons:
    - {name: summarizer, limits: {processes: 200}}
END
rm -f "$FAKE_DIR"/escape.*
start watchdog watchdog -f -c "$CONF"
until_true 15 ask start all
await 'everybody is ready' all_ready
by=$(status_of summarizer .limits.processes.by)
case $by in
cgroup*) try "in a control group ($by)" ;;
*) skip 4 "processes are held by $by" ;;
esac
stop watchdog
is 'nothing is left of anybody' "$(escapees) $(left_over)" '0 '
done_testing
