#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# The supervisor executes itself anew, again and again, while one daemon writes
# numbered lines, one crashes all the time and one is being stopped: nobody is
# restarted, not a beat and not a byte is lost, and somebody always answers.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

rounds=8
[ -z "${PATCHFLOW_LONG:-}" ] || rounds=100

fake_config
sed -i 's/size: 100K/size: 100M/; s/stop_grace: 300ms/stop_grace: 4s/' "$CONF"
script summarizer count
script ghost-bridge deaf
cp "$BUILD_DIR/bin/watchdog" "$T/watchdog"
start watchdog "$T/watchdog" -c "$CONF"
pid=$(pid_of watchdog)
# What it has open, by kind and by file. The number of a socket or a pipe is
# another one in each life, and a log file is open from its next line on.
descriptors() {
	find "/proc/$pid/fd" -type l -printf '%l\n' |
	    sed "s/:\[[0-9]*\]\$//; \|^$T/logs/.*\.log|d" | sort | uniq -c
}
how_many() {
	awk '{ n += $1 } END { print n }' "$1"
}
# Who is just passing by, a client or a process of a moment, only adds.
least_descriptors() {
	descriptors >"$T/held"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		pause
		descriptors >"$T/open"
		[ "$(how_many "$T/open")" -ge "$(how_many "$T/held")" ] ||
			mv "$T/open" "$T/held"
	done
}
same_descriptors() {
	descriptors | diff "$1" -
}
no_log_twice() {
	[ -z "$(find "/proc/$pid/fd" -lname "$T/logs/*" -printf '%l\n' |
	    grep -v /watchdog.log | sort | uniq -d)" ]
}
await 'everybody is ready' all_ready
least_descriptors
script executor@CYOPS exit-worked 9
kill -s KILL "$(status_of executor@CYOPS .pid)"

# What must stay.
steady() {
	ask status | jq -c '[.daemons[] | select(.name != "executor@CYOPS") |
	    [.name, .pid, .restarts]]'
}
upgrades() {
	ask status | jq .watchdog.upgrades
}
crashes() {
	[ "$(status_of executor@CYOPS .restarts)" -ge "$1" ]
}
upgraded() {
	[ "$(upgrades)" = "$1" ]
}

beats() {
	[ "$(status_of summarizer '.beat_age_ms < 1900')" = true ]
}

asker() {
	while [ ! -e "$T/enough" ]; do
		pause
		ask ping >/dev/null 2>&1 || echo failed >>"$T/asked"
		echo x >>"$T/asked"
	done
}
: >"$T/asked"
was=$(steady)
asker &
begin=$(now_ms)
n=0
late=0
while [ "$n" -lt "$rounds" ]; do
	n=$((n + 1))
	ask upgrade >"$T/answer" || diag "$(cat "$T/answer")"
	until_true 15 upgraded "$n" || late=$((late + 1))
	until_true 15 beats || late=$((late + 1))
done
diag "$rounds upgrades in $(($(now_ms) - begin)) ms"
: >"$T/enough"
is 'each upgrade is done, and beats go on' "$late" 0
is 'nobody else was restarted' "$(steady)" "$was"
is 'it is still the same process' "$(pid_of watchdog)" "$pid"
is 'somebody always answered' "$(grep -c failed "$T/asked")" 0
await 'the one that crashes still does' crashes 3
unscript executor@CYOPS
ask start executor@CYOPS >/dev/null
await '... and recovers' all_ready

# In the middle of a stop that takes its grace
begin=$(now_ms)
late=$(times_late)
ask stop ghost-bridge >/dev/null
ask upgrade >/dev/null
await 'an upgrade in the middle of a stop' upgraded $((rounds + 1))
state=$(status_of ghost-bridge .state)
if [ "$state" = stopped ] && past "$begin" 5000; then
	skip 1 'the machine was too busy to meet it'
else
	is '... finds it stopping' "$state" stopping
fi
await '... and it ends as it was to end' state_is ghost-bridge stopped
took=$(($(ended_ms ghost-bridge) - begin))
is '... with its grace' "$((took > 5000))" 1
timely '... and not two of them' "$took" 10500 "$late"
ask upgrade >/dev/null
await 'what was stopped' upgraded $((rounds + 2))
is '... stays stopped' "$(status_of ghost-bridge .why_not_running)" \
    'stopped by the operator'

# The one that counts keeps the writer of the new image busy all the time.
ok 'who was half through a request then is let go' \
    "$TOP/tests/harness/halfway.pl" "$SPOOL"
await '... behind the upgrade' upgraded $((rounds + 3))

# Not a byte
ask stop summarizer >/dev/null
await 'the one that counts is stopped' state_is summarizer stopped
is 'not a line of it was lost or torn' "$(grep -v ' summarizer ' \
    "$T/logs/summarizer.log" | awk '$0 != "count " NR - 1 { bad++ }
    END { print bad + 0 ? bad : "none of " (NR > 500 ? "many" : NR) }')" \
    'none of many'
ask start all >/dev/null
await 'everybody is up' all_ready
await 'no descriptor was left behind or lost' same_descriptors "$T/held"
ok 'no log file is open twice' no_log_twice
sed '$d' "$T/held" >"$T/fewer"
fails 'control: a list with one less is another one' \
    same_descriptors "$T/fewer"

# New files that are none
was=$(steady)
refused() {
	ask status | jq -r .watchdog.upgrade_refused | grep -q "$1"
}
mv "$T/watchdog" "$T/good"
fails 'a missing file is refused' ask upgrade
like '... and said' "$(cat "$T/out")" 'watchdog: No such file'
cp "$T/good" "$T/watchdog"
chmod 644 "$T/watchdog"
fails 'one that cannot be executed too' ask upgrade
like '... and said' "$(cat "$T/out")" 'Permission denied'
rm -f "$T/watchdog"
printf '#!/bin/sh\necho "watchdog: of long ago"; exit 2\n' >"$T/watchdog"
chmod 755 "$T/watchdog"
ok 'one that does not know how is tried' ask upgrade
await '... and refused' refused 'exit 2): watchdog: of long ago'
rm -f "$T/watchdog"
sed 's/patchflow-handover-1/patchflow-handover-0/' "$T/good" >"$T/watchdog"
chmod 755 "$T/watchdog"
ok 'one that knows another document is tried' ask upgrade
await '... and refused' refused 'nothing is taken over: Protocol not supported'
rm -f "$T/watchdog"
sed 's/fsm\.strike_next/fsm.strike_none/' "$T/good" >"$T/watchdog"
chmod 755 "$T/watchdog"
ok 'one that wants what this one does not have is tried' ask upgrade
await '... and refused by name' refused '"fsm.strike_none" of .* is missing'
rm -f "$T/watchdog"
printf '#!/bin/sh\nexec sleep 60\n' >"$T/watchdog"
chmod 755 "$T/watchdog"
ok 'one that says nothing is tried' ask upgrade
fails '... and only one at a time' ask upgrade
await '... and refused when its time is over' refused 'timed out'
# One of another age, there and back: it lacks a part, and has one more.
n=$(upgrades)
rm -f "$T/watchdog"
sed 's/limits\.by\[LIMIT_CPU\]/limits.by[LIMIT_CPX]/' "$T/good" >"$T/watchdog"
chmod 755 "$T/watchdog"
ok 'one of another age is tried' ask upgrade
await '... and takes over' upgraded $((n + 1))
fails '... control: it is another one' cmp -s "$T/good" "/proc/$pid/exe"
rm -f "$T/watchdog"
mv "$T/good" "$T/watchdog"
ok '... and hands over again' ask upgrade
await '... to the first' upgraded $((n + 2))
ok '... which is the one we had' cmp "$T/watchdog" "/proc/$pid/exe"
echo '# changed' >>"$CONF"
fails 'a configuration that is not in force is refused' ask upgrade
like '... and said' "$(cat "$T/out")" 'reload first'
ask reload >/dev/null
is 'nobody was touched by any of it' "$(steady)" "$was"
ok 'the command says what was done' patchflow -c "$CONF" upgrade
like '... and of which version it is' "$(cat "$T/out")" 'version .* now'

# A document that is none: everybody begins anew, cleanly
kill -s TERM "$pid"
await 'it goes down' stopped watchdog
echo nonsense >"$T/nonsense"
"$T/watchdog" -c "$CONF" --inherit 9 9<"$T/nonsense" >>"$T/log/watchdog" \
    2>&1 </dev/null &
echo $! >"$T/pids/watchdog"
await 'with nonsense to take over all begin anew' all_ready
is 'nobody ever had a twin' "$(twins)" 0
kill -s KILL "$(pid_of watchdog)"
gone() {
	[ -z "$(left_over)" ]
}
await 'an upgraded one still takes its daemons with it' gone
done_testing
