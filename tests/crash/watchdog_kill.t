#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# kill -9 of supervisor and daemons at random: never two copies of one daemon,
# everybody back within a second or so. PATCHFLOW_SEED repeats a run.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"
plan 7

rounds=60
[ -z "${PATCHFLOW_LONG:-}" ] || rounds=1000
diag "seed $seed, $rounds kills"
fake_config
sed -i 's/hang: 2s/hang: 10s/; s/start_timeout: 3s/start_timeout: 20s/' "$CONF"
# Descendants that flee are part of every life of one of them.
script summarizer escape

start watchdog watchdog -f -c "$CONF"
await 'everybody is ready' all_ready

# One victim a line, and how long to wait before the next: some kills meet
# daemons that are just starting, some a suite at rest.
awk -v seed="$seed" -v n=$((rounds * 2)) 'BEGIN {
	srand(seed)
	split("watchdog alertd summarizer executor@MAIN executor@CYOPS " \
	    "ghost-bridge watchdog", who, " ")
	while (n-- > 0)
		print who[1 + int(rand() * 7)], int(rand() * 3)
}' >"$T/victims"

victim_pid() {
	if [ "$1" = watchdog ]; then
		pid_of watchdog
	else
		status_of "$1" .pid 2>/dev/null | grep -v null
	fi
}

hit=0
tried=0
slow=0
slowest=0
never=0
while read -r victim calm && [ "$hit" -lt "$rounds" ]; do
	pid=$(victim_pid "$victim")
	tried=$((tried + 1))
	if [ -n "$pid" ] && kill -s KILL "$pid" 2>/dev/null; then
		hit=$((hit + 1))
	fi
	begin=$(now_ms)
	if [ "$victim" = watchdog ]; then
		wait "$pid" 2>/dev/null
		start watchdog watchdog -f -c "$CONF"
	fi
	[ "$calm" -gt 0 ] || continue
	until_true 15 all_ready || {
		never=$((never + 1))
		diag "$(jq -c '.daemons[] | select(.state != "ready")' \
		    "$T/status")"
	}
	took=$(($(now_ms) - begin))
	[ "$took" -le "$slowest" ] || slowest=$took
	[ "$took" -le 8000 ] || { # generous: the machine may be busy
		slow=$((slow + 1))
		diag "$(date -u +%T): $victim took $took ms"
	}
done <"$T/victims"
until_true 15 all_ready || never=$((never + 1))
diag "$hit of $tried hit, the slowest return took $slowest ms"

is 'so many kills hit' "$hit" "$rounds"
is 'nobody ever had a twin' "$(twins)" 0
is 'the suite always came back' "$never" 0
is '... and never slowly' "$slow" 0
if [ "$slow$never" != 00 ] || [ "$(twins)" != 0 ]; then
	show_logs
fi
is 'no past life has a descendant' "$(($(escapees) <= 1))" 1
suite_stop
is 'nothing is left of anybody' \
    "$(escapees) $(left_over)" '0 '
