#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# The supervisor over stand-ins: order, deaths, hangs, strikes, intent, reload,
# checks, the way down.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

fake_config
start watchdog watchdog -f -c "$CONF"
await 'everybody is ready' all_ready
is 'they start in order, each behind the readiness of the last' "$(
    awk '$2 == "begin" { sub(/@.*/, "", $1); print $1 }' "$FAKE_DIR/lives" |
    uniq | xargs)" 'alertd summarizer executor ghost-bridge'

# Somebody else's kill
old=$(status_of alertd .pid)
before=$(now_ms)
late=$(times_late)
kill -s KILL "$old"
replaced() {
	state_is "$1" ready && [ "$(status_of "$1" .pid)" != "$2" ]
}
await 'a killed daemon is back' replaced alertd "$old"
timely '... within a moment' $(($(now_ms) - before)) 14000 "$late"
is '... and its end is told apart' "$(status_of alertd \
    .last_exit.reason)" killed-from-outside
await '... one alert says so' alert daemon-died alertd
old=$(status_of alertd .pid)
kill -s TERM "$old"
await 'one that was asked to end from outside too' replaced alertd "$old"
is '... the incident stays one' "$(count_alerts daemon-died alertd)" 1

# A hang
script summarizer hang
late=$(times_late)
ask restart summarizer >/dev/null
await 'a hanging daemon was started' test "$(lives summarizer begin)" -ge 1
hung() {
	[ "$(status_of summarizer .last_exit.reason)" = hung ]
}
until_true 5 test "$(lives summarizer begin)" -ge 2
unscript summarizer
await 'a hanging daemon is replaced' hung
await '... and its successor is ready' state_is summarizer ready
took=$(awk '$1 == "summarizer" && $2 == "begin" { b = c; c = $4 }
    END { print c - b }' "$FAKE_DIR/lives")
is '... not before its deadline' "$((took >= 1900))" 1
timely '... and soon after it' "$took" 12000 "$late"

# Strikes
script ghost-bridge exit 3
kill -s KILL "$(status_of ghost-bridge .pid)"
await 'five deaths before ready are too many' state_is ghost-bridge degraded
is '... it says when it tries again' "$(status_of ghost-bridge \
    '.next_attempt_ms > 0 and .next_attempt_ms <= 60000')" true
is '... and why it does not run' "$(status_of ghost-bridge \
    .why_not_running)" exited
await '... an alert says so' alert daemon-degraded ghost-bridge
unscript ghost-bridge
ok 'a person can start it at once' ask start ghost-bridge
await '... and it is ready' state_is ghost-bridge ready

# Bad configuration
script executor@MAIN exit 78
kill -s KILL "$(status_of executor@MAIN .pid)"
await 'exit 78 waits for the operator' state_is executor@MAIN needs-operator
unscript executor@MAIN
echo '# changed' >>"$CONF"
await '... and for nothing but a changed file' state_is executor@MAIN ready

# Never ready
script executor@CYOPS mute
kill -s KILL "$(status_of executor@CYOPS .pid)"
timed_out() {
	[ "$(status_of "$1" .last_exit.reason)" = start-timeout ]
}
await 'one that never gets ready is ended' timed_out executor@CYOPS
unscript executor@CYOPS
await '... and tried again' state_is executor@CYOPS ready

# A binary that is not there
mv "$PATCHFLOW_LIBEXEC/alertd" "$T/alertd"
kill -s KILL "$(status_of alertd .pid)"
said_why() {
	status_of alertd .why_not_running | grep -q 'exec: No such file'
}
await 'a missing binary is said' said_why
mv "$T/alertd" "$PATCHFLOW_LIBEXEC/alertd"
ask start alertd >/dev/null
await '... and found again' state_is alertd ready

# The black box
deaths() {
	patchflow -c "$CONF" --json deaths "$1" | jq -r "$2"
}
is 'each unasked end is in the black box' "$(deaths summarizer \
    '[.[] | .reason] | unique | join(" ")')" hung
is '... with last words' "$(deaths ghost-bridge \
    'any(.[]; .tail | contains("ghost-bridge info: ghost-bridge: started"))')" \
    true
is '... and what it took' "$(deaths executor@CYOPS \
    'any(.[]; .reason == "start-timeout" and .signal == 9 and
	.uptime_ms >= 2900 and .memory_kb > 0)')" true
like '... for people too' "$(patchflow -c "$CONF" deaths alertd)" \
    'alertd +killed-from-outside +signal KILL'

# Deaf to TERM, and descendants
script summarizer deaf escape
ask restart summarizer >/dev/null
escaped() {
	[ "$(lives summarizer escaped)" -ge 1 ] && state_is summarizer ready
}
await 'a daemon with a fleeing descendant runs' escaped
is '... and so does the descendant' "$(escapees)" 1
ok 'stop answers' ask stop summarizer
await 'what does not hear TERM is killed' state_is summarizer stopped
is '... and no descendant is left' "$(escapees)" 0
unscript summarizer

# Intent survives the supervisor
kill -s KILL "$(pid_of watchdog)"
wait "$(pid_of watchdog)" 2>/dev/null
start watchdog watchdog -f -c "$CONF"
others_ready() {
	ask status >"$T/status" && jq -e '[.daemons[] |
	    select(.state == "ready")] | length == 4' "$T/status" >/dev/null
}
await 'after kill -9 a new supervisor has them all' others_ready
is '... but the one that the operator stopped' "$(status_of summarizer \
    .why_not_running)" 'stopped by the operator'
is '... and nobody ever had a twin' "$(twins)" 0

# Reload
pid_alertd=$(status_of alertd .pid)
echo 'nonsense: true' >>"$CONF"
fails 'a bad file is not taken' ask reload
like '... and the line is said' "$(cat "$T/out")" 'patchflow.yaml:[0-9]+'
is '... nobody was touched' "$(status_of alertd .pid)" "$pid_alertd"
fake_config
sed -i "s|^logs|  - {name: THIRD, workspace: $T/ws/third}\\nlogs|" "$CONF"
mkdir -p "$T/ws/third"
kill -s HUP "$(pid_of watchdog)"
await 'a new queue gets its executor' state_is executor@THIRD ready
is '... who is not concerned runs on' "$(status_of alertd .pid)" "$pid_alertd"
is '... who was stopped stays stopped' "$(status_of summarizer .state)" \
    stopped
fake_config
ok 'without the queue' ask reload
gone() {
	[ -z "$(status_of "$1" .name)" ]
}
await '... its executor goes' gone executor@THIRD
ask start all >/dev/null
await 'start all starts the held one too' all_ready

# Checks
script executor@MAIN idle
ask restart executor@MAIN >/dev/null
await 'an idle executor is ready' state_is executor@MAIN ready
idle_pid=$(status_of executor@MAIN .pid)
held='{"hold":"workspace cannot be used","paused":false}'
mkdir -p "$SPOOL/state/executor@MAIN"
printf '%s\n{"bytes":%d,"sha256":"%s"}\n' "$held" "${#held}" \
    "$(printf %s "$held" | sha256sum | cut -d' ' -f1)" \
    >"$SPOOL/state/executor@MAIN/queue.json"
for n in 0 1 2 3 4 5 6 7 8 9; do
	echo x >"$SPOOL/MAIN/patches/5-000000000000100$n-p$n-0123abcd,1.json"
done
await 'a deep queue is an alert' alert queue-depth MAIN
begin=$(now_ms)
until_true 10 past "$begin" 2000
is 'an executor that says why it waits is left alone' \
    "$(status_of executor@MAIN .pid)" "$idle_pid"
rm -f "$SPOOL/state/executor@MAIN/queue.json"
await '... an old patch another' alert stale-patch MAIN
await 'idle beside a patch is no progress' alert queue-stuck MAIN
await '... and the executor is replaced' replaced executor@MAIN "$idle_pid"
rm -f "$SPOOL"/MAIN/patches/5-*
await 'the end of it is told' alert queue-depth MAIN true
await '... of each' alert queue-stuck MAIN true
unscript executor@MAIN

# Frozen together
ask restart all >/dev/null
await 'ready before the freeze' all_ready
restarts() {
	ask status | jq '[.daemons[].restarts] | add'
}
was=$(restarts)
pids="$(pid_of watchdog) $(ask status | jq '.daemons[].pid' | xargs)"
# shellcheck disable=SC2086 # a list
kill -s STOP $pids
begin=$(now_ms)
until_true 10 past "$begin" 5000
# shellcheck disable=SC2086
kill -s CONT $pids
begin=$(now_ms)
until_true 10 past "$begin" 2500
is 'a freeze of all is nobody'\''s fault' "$(restarts)" "$was"

# Rights and strangers
if [ "$(id -u)" -eq 0 ]; then
	fails 'a stranger cannot ask' as_user "$TOP/tests/harness/ask.pl" \
	    "$SPOOL" ping
else
	skip 1 'needs root'
fi
fails 'an unknown request is refused' ask frobnicate
fails 'an unknown daemon too' ask start nobody
fails 'and a line without end' ask "$(head -c 400 /dev/zero | tr '\0' x)"

# Down
: >"$FAKE_DIR/lives"
ok 'down is answered' ask down
await 'and done' stopped watchdog
is '... in reverse order' "$(awk '$2 == "end" { sub(/@.*/, "", $1); print $1 }
    ' "$FAKE_DIR/lives" | uniq | xargs)" \
    'ghost-bridge executor summarizer alertd'
is '... and nothing is left' "$(left_over
    find "$SPOOL/run" -type s)" ''

exits 0 'once runs everybody once' watchdog --once -c "$CONF"
done_testing
