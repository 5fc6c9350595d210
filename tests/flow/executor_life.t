#!/bin/sh
# SPDX-License-Identifier: ISC
# The executor as a daemon: requests, signals, death, strangers' changes, and
# files that cannot be trusted.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config <<'END'
watchdog:
  stop_grace: 1s
END

up() {
	start executor executor -f -c "$CONF" -q MAIN
}
pf() {
	patchflow -c "$CONF" "$@"
}
processes() {
	pgrep -f "sleep $1" | wc -l
}
none() {
	[ "$(processes "$1")" = 0 ]
}
is_running() {
	[ "$(where_is "$1")" = running ] && [ "$(processes "$2")" -gt 0 ]
}
answered() {
	[ -n "$(find "$SPOOL/MAIN/requests/done" -name '*.json')" ] &&
	    [ -z "$(find "$SPOOL/MAIN/requests/new" \
	        "$SPOOL/MAIN/requests/cur" -name '*.json')" ]
}
# rests: of a second it spends next to none awake.
switches() {
	awk '$1 == "voluntary_ctxt_switches:" { print $2 }' \
	    "/proc/$(pid_of executor)/status"
}
rests() {
	was=$(switches)
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		pause
	done
	[ "$(($(switches) - was))" -lt 8 ]
}
echo start >"$ws/a"

# --- requests

up
queue_json >/dev/null <<END
{"id":"long","mutations":[{"path":"l","contents":"x"}],"validate":{"shell":["sleep 4711.$$"]}}
END
await 'a long patch runs' is_running long "4711.$$"
await 'and status tells so' sh -c "head -n 1 '$SPOOL/state/executor@MAIN/queue.json' | jq -e '.running.id == \"long\"'"
ok 'it can be cancelled' pf cancel -r 'not needed' long
await 'and is rejected' ended_as long rejected
is 'by the operator' "$(outcome long .reason)" by-operator
like 'who is named, with the reason' "$(outcome long .error)" \
    "^cancelled by $(id -un) while it ran: not needed\$"
cancel_answer() {
	cat "$SPOOL"/MAIN/requests/done/*.json | jq -r \
	    'select(.verb == "cancel") | "\(.ok) \(.answer)"'
}
answered_with() {
	[ "$(cancel_answer)" = "$1" ]
}
await 'the answer comes when it has ended' answered_with 'true cancelled'
is 'its processes are gone' "$(processes 4711.$$)" 0
fails 'it has left no file' test -e "$ws/l"

ok 'a queue is paused' pf pause MAIN
await 'which is answered' answered
queue_json >/dev/null <<'END'
{"id":"one","mutations":[{"path":"one","contents":"1"}]}
{"id":"two","mutations":[{"path":"two","contents":"2"}]}
END
ok 'a patch is held' pf hold two
await 'which goes aside' sh -c "ls '$SPOOL'/MAIN/patches/.held/*two*"
is 'nothing runs in a paused queue' "$(where_is one)" queued
await 'nor is it looked at all the time' rests
stop executor
up
ok 'it is resumed after a restart' pf resume MAIN
await 'and goes on' ended_as one completed
is 'the held one is still held' "$(where_is two)" held
ok 'until retry' pf retry two
await 'lets it go' ended_as two completed
is 'who asked for what is logged with it' "$(pf --json log two |
    jq -r 'select(.event == "request") | "\(.verb) \(.uid) \(.ok)"' |
    tr '\n' ,)" "hold $(id -u) true,retry $(id -u) true,"

queue_json >/dev/null <<'END'
{"id":"flaky","mutations":[{"path":"f","contents":"x"}],"validate":{"shell":["test -e allow"]}}
END
await 'a patch fails' ended_as flaky failed
: >"$ws/allow"
ok 'it is retried' pf retry flaky
await 'as its second attempt' ended_as flaky completed
is 'which has an outcome of its own' \
    "$(outcome_files flaky | wc -l)/$(outcome flaky .attempt)" 2/2

# --- signals

queue_json >/dev/null <<END
{"id":"term","mutations":[{"path":"t","append":"x"}],"validate":{"shell":["test -e go || sleep 4712.$$"]}}
END
await 'a patch runs' is_running term "4712.$$"
ok 'SIGTERM waits for its grace' stop executor
is 'then the patch is back in the queue' "$(where_is term)" queued
is 'without an outcome' "$(outcome_files term)" ''
is 'and without processes' "$(processes 4712.$$)" 0
ok 'nothing of it is left' tidy

up
await 'it runs again' is_running term "4712.$$"
stop executor KILL
await 'after SIGKILL its processes are gone' none 4712.$$
: >"$ws/go"
up
await 'the next executor runs it' ended_as term completed
is 'once' "$(cat "$ws/t")" x
stop executor

# --- strangers

nap="sleep 305.$$"
queue_json >/dev/null <<END
{"id":"meet","mutations":[{"path":"a","contents":"mine\n"}],"validate":{"shell":["$nap || true"]}}
END
up
await 'a patch is staged' pgrep -fx "$nap"
echo theirs >"$ws/a"
await 'it is completed in the end' woken_and ended_as meet completed
like 'after a conflict' "$(cat "$T/log/executor")" 'changed by somebody else'
is 'on top of what the stranger wrote' \
    "$(outcome meet '.changes[0].old_sha256')" \
    "$(echo theirs | sha256sum | cut -d' ' -f1)"
stop executor

# --- what cannot be trusted

queue_json >/dev/null <<'END'
{"id":"torn","mutations":[{"path":"torn","contents":"x"}]}
END
sed -i 's/torn/worn/' "$SPOOL"/MAIN/patches/*torn*.json
echo '{"id":"dropped"}' >"$SPOOL/MAIN/patches/dropped by hand.json"
ok 'runs over a damaged file' once
is 'which lies in corrupt' "$(find "$SPOOL/corrupt" -type f | wc -l)" 1
is 'and has an outcome' "$(outcome torn '"\(.state) \(.stage)"')" 'failed prepare'
ok 'a file dropped by hand goes to the inbox' \
    test -e "$SPOOL/inbox/new/dropped by hand.json"

mv "$ws" "$ws.away"
queue_json >/dev/null <<'END'
{"id":"away","mutations":[{"path":"back","contents":"x"}]}
END
exits 111 'a missing workspace is for later' once
is 'and fails no patch' "$(where_is away)" queued
like 'but is told' "$(cat "$SPOOL"/alerts/new/*)" workspace-missing
mv "$ws.away" "$ws"
rm -f "$SPOOL"/alerts/new/*
ok 'when it is back' once
is 'the patch runs' "$(outcome away .state)" completed
is 'and the alert is ended, by another executor' \
    "$(raised workspace-missing .resolved)" true
rm -f "$SPOOL"/alerts/new/*
once
is 'once' "$(find "$SPOOL/alerts/new" -type f | wc -l)" 0

# What is told of it is cut in the middle of a character.
long=$T/w
[ $(((120 - ${#long}) % 2)) = 1 ] || long=$T/ww
cp "$CONF" "$CONF.good"
sed -i "s|$ws|$long$(printf '\303\274%.0s' $(seq 80))|" "$CONF"
exits 111 'one with a long name is missing' once
like 'and shown as that' "$(json "$SPOOL/state/executor@MAIN/queue.json" .hold)" \
    'cannot be used'
mv "$CONF.good" "$CONF"

# A record that has lost its files holds the queue.
lost="$SPOOL/state/executor@MAIN/txn/1764000000000001-z-00000000,1"
mkdir -p "$lost/tmp"
echo '{"no":1}' >"$lost/COMMIT"
mv "$ws" "$ws.away"
exits 111 'behind a missing workspace' once
mv "$ws.away" "$ws"
exits 111 'a record without its files holds the queue' once
rm -rf "$lost"
rm -f "$SPOOL"/alerts/new/*
ok 'until somebody has taken it away' once
is 'both alerts are ended' "$(raised workspace-missing .resolved) $(
    raised queue-stuck .resolved)" 'true true'

# So does one that fails its check; nobody guesses.
mkdir -p "$SPOOL/state/executor@MAIN/txn/1764000000000000-z-00000000,1"
(cd "$SPOOL/state/executor@MAIN/txn/1764000000000000-z-00000000,1" &&
    mkdir upper work new old tmp && echo '{"no":1}' >COMMIT)
queue_json >/dev/null <<'END'
{"id":"after","mutations":[{"path":"after","contents":"x"}]}
END
exits 111 'a damaged commit record holds the queue' once
is 'nothing runs' "$(where_is after)" queued
like 'and that is told' "$(cat "$SPOOL"/alerts/new/*)" queue-stuck
rm -rf "$SPOOL/state/executor@MAIN/txn/1764000000000000-z-00000000,1"
ok 'until somebody has looked' once
is 'then it goes on' "$(outcome after .state)" completed
done_testing
