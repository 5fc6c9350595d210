#!/bin/sh
# SPDX-License-Identifier: ISC
# The command with the suite up: up, status, submit --wait, requests, stop and
# start, log -f, down.
. "$(dirname "$0")/../harness/lib.sh"
for b in watchdog ghost-bridge executor summarizer alertd; do
	command -v "$b" >/dev/null || skip_all "no $b"
done
plan 67
pf() { patchflow "$@"; }

write_config <<END
watchdog: {heartbeat: 1s}
END
cd "$T" || exit 1
patch() { # patch ID TARGET SHELL
	printf '{"id": "%s", "target": "%s", "mutations": [{"path": "%s.txt", "contents": "x\\n"}], "validate": {"shell": ["%s"]}}\n' \
	    "$1" "$2" "$1" "$3" >"$1.json"
}

# --- up
exits 0 'up waits until the suite is ready' pf up
like 'and tells' "$(cat "$T/out")" '^up: [5-9] daemons ready'
exits 0 'up again changes nothing' pf up
like 'and says so' "$(cat "$T/out")" 'running already'
exits 0 'status' pf status
like 'of each daemon' "$(cat "$T/out")" '^executor@CYOPS +ready +[0-9]+'
like 'and queue' "$(cat "$T/out")" '^CYOPS +open +0 +0 '
is 'as JSON, with isolation and durability' "$(pf --json status |
    jq '[.queues[] | (.isolation | length > 0) and (.durability | length > 0)] | all')" true
exits 0 'health is ok' pf health

# --- submit --wait, wait, show, log
patch good MAIN true
patch bad MAIN 'exit 3'
patch slow MAIN 'sleep 600'
exits 0 'a patch that completes is 0' pf submit --wait --timeout 30s good.json
like 'with its summary' "$(cat "$T/out")" '^good@MAIN: completed, summary /.*summary-good-'
ok 'which is there, and the change' test -e "$T/ws/main/good.txt"
exits 1 'one that fails is 1' pf submit --wait --timeout 30s bad.json
like 'and says why' "$(cat "$T/out")" '^bad@MAIN: failed \(validation\), '
exits 0 'a duplicate answers with the first one' pf submit --wait --timeout 30s good.json
like 'and its state' "$(cat "$T/out")" '^good@MAIN: completed'
patch quick MAIN true
pf submit quick.json >"$T/out" 2>&1
exits 0 'wait knows what was handed in a moment ago' pf wait --timeout 30s quick
exits 1 'but not what nobody has handed in' pf wait nobody
is 'submit says in JSON why it refuses' "$(echo '{"id": "none"}' |
    pf --json submit - 2>/dev/null | jq -r '.[] | "\(.ok) \(.reason)"')" \
    'false not-executable'
printf '{"id": "good", "target": "MAIN", "mutations": [{"path": "other", "contents": "y"}]}\n' >other.json
exits 1 'an id-conflict ends the wait' pf submit --wait --timeout 30s other.json
like 'and is told' "$(cat "$T/out")" '^good~[0-9a-f]*@MAIN: rejected \(id-conflict\)'
is 'the worst one counts' "$(pf --json submit -w --timeout 30s good.json \
    bad.json | jq -c '[.results[].state]'; echo)" '["completed","failed"]'
exits 1 'wait says what became of it' pf wait bad
exits 0 'by id' pf wait good@MAIN
exits 0 'show' pf show bad
like 'tells the command' "$(cat "$T/out")" 'exit 3'
printf '{"id": "many", "target": "MAIN", "commands": ["mkdir m; seq -f m/%%g 2100 | xargs touch"]}\n' \
    >many.json
exits 0 'a patch that changes more than is listed' \
    pf submit --wait --timeout 60s many.json
like 'is shown with how many there were' "$(pf show many)" '^ +and 2081 more$'
sed 's/m;/n;/; s/m\//n\//; s/many/more/' many.json >more.json
like 'so it is tried' "$(pf dry-run more.json)" '^  and 101 more$'
exits 0 'log' pf log good
like 'tells all daemons' "$(awk '{print $3}' "$T/out" | sort -u | tr '\n' ' ')" \
    'executor@MAIN ghost-bridge summarizer'
start follow pf log -f late
patch late MAIN true
exits 0 'another one' pf submit --wait --timeout 30s late.json
await 'log -f tells it at once' grep -q 'ghost-bridge.*queued.*late@MAIN' "$T/log/follow"
stop follow
await 'the alert of the failure is there' sh -c \
    "patchflow --json alerts | jq -e '.[] | select(.type == \"patch-failed\")'"

# --- requests
exits 0 'pause is answered' pf pause MAIN
await 'and shown' sh -c "patchflow status | grep -Eq '^MAIN +paused '"
exits 1 'and unhealthy' pf health
patch later MAIN true
pf submit later.json >"$T/out" 2>&1
await 'a patch waits then' sh -c "patchflow queue | grep -Eq 'MAIN +queued .* later'"
exits 0 'hold' pf hold later
await 'holds it' sh -c "patchflow queue | grep -Eq 'MAIN +held .* later'"
exits 0 'resume' pf resume MAIN
exits 0 'retry of a held one' pf retry later
exits 0 'lets it run' pf wait --timeout 30s later
exits 1 'a completed one is not retried' pf retry good
like 'for a reason' "$(cat "$T/out")" 'good@MAIN is completed'
exits 1 'retry of a failed one, to its end' pf retry --wait --timeout 30s bad@MAIN
like 'which is failure' "$(cat "$T/out")" '^bad@MAIN: failed \(validation\)'
await 'is another attempt' sh -c \
    "patchflow --json show bad | jq -e '.[0] | .attempt >= 2 and .state == \"failed\"'"
pf submit slow.json >"$T/out" 2>&1
await 'a long one runs' sh -c "patchflow status | grep -q 'running slow'"
exits 0 'cancel of a running one' pf cancel -r 'too slow' slow
exits 1 'ends it' pf wait --timeout 30s slow
like 'as rejected' "$(cat "$T/out")" 'slow@MAIN: rejected \(by-operator\)'

# --- the summarizer is confined to the places that it writes to
sed -i "/name: replies/a\\
    - {name: late, type: append, path: $T/late/chat.md}" "$CONF"
mkdir "$T/late"
exits 0 'a destination is added' pf reload
patch reached MAIN true
exits 0 'a patch after that' pf submit --wait --timeout 30s reached.json
await 'reaches it' grep -qs reached@MAIN "$T/late/chat.md"
mv "$T/late" "$T/was"
mkdir "$T/late"
patch again MAIN true
exits 0 'and one after its directory was replaced' \
    pf submit --wait --timeout 30s again.json
await 'reaches the new one' grep -qs again@MAIN "$T/late/chat.md"
pid=$(pf --json status | jq '.daemons[] | select(.name == "summarizer") | .pid')
is 'no new rights for it' "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p' \
    "/proc/$pid/status")" 1
is 'that was no strike' "$(pf --json status | jq -r '.daemons[] |
    select(.name == "summarizer") | .state')" ready

# --- daemons
exits 0 'stop' pf stop alertd
is 'stops' "$(cat "$T/out")" 'alertd: stopped'
exits 0 'start' pf start alertd
exits 0 'restart of all executors' pf restart executor
exits 1 'of no daemon' pf restart nobody
exits 0 'fsck finds nothing wrong' pf fsck
exits 0 'down' pf down
exits 69 'and nothing is left' pf status
