#!/bin/sh
# SPDX-License-Identifier: ISC
# alertd alone, against a receiver that goes wrong as told. The oracle is
# what the receiver has, not what alertd says.
. "$(dirname "$0")/../harness/lib.sh"
plan 54

unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
LOG=$T/alerts.log

# receiver NAME FAULT...: its port is in $port.
receiver() {
	name=$1
	shift
	faultd "$T/$name.jsonl" "$@" >"$T/$name.port" 2>"$T/log/$name" &
	echo $! >"$T/pids/$name"
	until_true 5 test -s "$T/$name.port"
	port=$(cat "$T/$name.port")
}

# got NAME: how many requests it has had
got() {
	[ -e "$T/$1.jsonl" ] || { echo 0; return; }
	wc -l <"$T/$1.jsonl"
}

has_had() {
	[ "$(got "$1")" -ge "$2" ]
}

# keys NAME: the different deliveries it has had
keys() {
	jq -r '.headers["idempotency-key"]' "$T/$1.jsonl" | sort -u | wc -l
}

raise() {
	putalert "$SPOOL" "$@"
}

# config CHANNEL...: lines of alerts.channels
config() {
	mkdir -p "$T/ws/main" "$T/log"
	cat >"$CONF" <<-END
	spool: $SPOOL
	queues:
	  - {name: MAIN, workspace: $T/ws/main}
	alerts:
	  retry: 100ms
	  retry_max: 200ms
	  lifetime: ${LIFETIME:-1m}
	  dedupe: ${DEDUPE:-5m}
	  channels:
	END
	for line; do
		printf '    - %s\n' "$line" >>"$CONF"
	done
}

settled() {
	[ "$(count_files "$SPOOL/alerts/$1")" -eq "$2" ] &&
	    [ "$(count_files "$SPOOL/alerts/cur")" -eq 0 ]
}

fresh() {
	rm -rf "$SPOOL" "$LOG" "$T"/*.jsonl "$T"/*.port
}

file_channel="{name: log, type: file, path: $LOG}"
hook() {
	echo "{name: ${1:-hook}, type: webhook, url: 'http://127.0.0.1:$port/s3cret-hook-token-abcd', timeout: ${2:-2s}}"
}

# --- the file channel, duplicates, severity
config "$file_channel" "{name: bad, type: file, path: $T/bad.log, severity: error}"
raise queue-depth MAIN warning 'eleven patches
wait'
raise queue-depth MAIN warning 'twelve'
raise queue-depth CYOPS warning 'other'
exits 0 'drains with --once' alertd --once -c "$CONF"
is 'a repeat is not told' "$(wc -l <"$LOG")" 2
like 'the line is one line' "$(cat "$LOG")" \
    'warning queue-depth test MAIN: eleven patches wait \[delivery [0-9a-f]{16}\]$'
ok 'a channel for errors has no warning' test ! -s "$T/bad.log"
is 'all alerts are settled' "$(count_files "$SPOOL/alerts/done")" 3
exits 0 'a second run' alertd --once -c "$CONF"
is 'tells nothing twice' "$(wc -l <"$LOG")" 2
raise queue-depth MAIN error 'worse'
alertd --once -c "$CONF" 2>/dev/null
like 'what is worse is told, with the repeats' "$(tail -n 1 "$LOG")" \
    'error .*worse \(1 repeats were not told\)'
raise queue-depth CYOPS info 'fine again' resolved
raise never-heard X info 'fine' resolved
alertd --once -c "$CONF" 2>/dev/null
is 'the end is told, of what was known' \
    "$(grep -c ' resolved ' "$LOG") $(grep -c never-heard "$LOG")" '1 0'
is 'the state lists what is active' \
    "$(json "$SPOOL/state/alertd/alerts.json" \
    '[.alerts[] | .subject] | join(" ")')" MAIN

# --- a line that a crash cut short
raise torn X error 'whole'
alertd --once -c "$CONF" 2>/dev/null
truncate -s -10 "$LOG"
f=$(grep -l torn "$SPOOL"/alerts/done/*.json)
mv "$f" "$SPOOL/alerts/new/"
rm -f "$SPOOL"/state/alertd/deliveries/"$(basename "$f" .json)"@* \
    "$SPOOL/state/alertd/alerts.json"
alertd --once -c "$CONF" 2>/dev/null
is 'is written anew on a line of its own' \
    "$(grep -c 'torn test X: whole \[delivery [0-9a-f]*\]$' "$LOG")" 1

# --- the webhook: answers
fresh
receiver hook status:500 status:503 rst ok
config "$(hook)"
raise a MAIN error 'told in the end'
start alertd alertd -f -c "$CONF"
await 'temporary answers are tried again' settled 'done' 1
is 'as often as it took' "$(got hook)" 4
is 'always as the same delivery' "$(keys hook)" 1
is 'what may have arrived is marked' \
    "$(jq -r '.body | fromjson | .may_be_repeat' "$T/hook.jsonl" | tr '\n' ' ')" \
    'false false false true '
stop alertd
ok 'no log or state has the URL' \
    sh -c "! grep -rq s3cret '$SPOOL' '$T/log/alertd'"

fresh
receiver hook status:404
config "$file_channel" "$(hook)"
raise a MAIN error 'nobody there'
exits 0 'a permanent answer ends it' alertd --once -c "$CONF"
is 'after one request' "$(got hook)" 1
is 'visibly' "$(count_files "$SPOOL/alerts/dead")" 1
like 'and the other channel says so' "$(cat "$LOG")" \
    'error channel-failed alertd hook: .* 404'

# --- Retry-After holds the destination, also over a restart
fresh
receiver hook status:429:retry_after=2 ok
config "$(hook)"
raise a ONE error first
exits 111 'a wait is deferred' alertd --once -c "$CONF"
raise a TWO error second
raise a THREE error third
exits 111 'another run keeps to it' alertd --once -c "$CONF"
is 'no request came early' "$(got hook)" 1
start alertd alertd -f -c "$CONF"
await 'all are told in the end' settled 'done' 3
is 'none before its time' "$(jq -s 'map(select(.early)) | length' \
    "$T/hook.jsonl")" 0
stop alertd

# --- Slack: its words, its escapes, its limit
fresh
receiver slack status:429:retry_after=2 rst ok
echo "http://127.0.0.1:$port/services/T0/B0/s3cret" >"$T/slack.url"
config "{name: slack, type: slack-webhook, url_file: $T/slack.url}"
raise a 'x<y' error '<!channel> & <@U1> "quoted"
next'
start alertd alertd -f -c "$CONF"
await 'Slack is told in the end' settled 'done' 1
is 'not before it said' "$(jq -s 'map(select(.early)) | length' \
    "$T/slack.jsonl")" 0
is 'in the one key that it knows' \
    "$(tail -n 1 "$T/slack.jsonl" | jq -r '.body | fromjson | keys | join(" ")')" text
like 'nobody is called by a text' \
    "$(tail -n 1 "$T/slack.jsonl" | jq -r '.body | fromjson | .text' | tr '\n' '|')" \
    ' error a test x&lt;y: &lt;!channel&gt; &amp; &lt;@U1&gt; "quoted".next \[delivery [0-9a-f]{16}\] \(may be a repeat\)'
raise b MAIN error "$(printf '%05000d' 0)&"
await 'a long one too' settled 'done' 2
is 'cut to what Slack takes' "$(tail -n 1 "$T/slack.jsonl" |
    jq -r '.body | fromjson | .text | (length < 4000) and test("000[.]{3} ")')" \
    true
stop alertd

# --- a sick channel delays nobody
fresh
receiver slow hang
slow=$(hook slow 1s)
receiver well ok
config "$slow" "$(hook well)" "$file_channel"
for i in 1 2 3 4 5 6 7 8 9 10; do
	raise a "S$i" error "number $i"
done
start alertd alertd -f -c "$CONF"
await 'the others have all of them' has_had well 10
is 'while the first still waits' "$([ "$(got slow)" -le 3 ] && echo yes)" yes
is 'the file has them too' "$(grep -c 'number' "$LOG")" 10
stop alertd

# --- answers that are none
fresh
receiver hook garbage trunc empty
config "$(hook)"
raise a MAIN error 'hard to tell'
start alertd alertd -f -c "$CONF"
await 'a cut head is no success, an empty body is one' settled 'done' 1
is 'so it took three' "$(got hook)" 3
stop alertd

# --- killed while it sends
fresh
receiver hook hang ok
config "$(hook hook 20s)"
raise a MAIN error 'was it told?'
start alertd alertd -f -c "$CONF"
await 'a request is under way' has_had hook 1
stop alertd KILL
start alertd alertd -f -c "$CONF"
await 'it is told after the restart' settled 'done' 1
is 'once more, and marked' \
    "$(jq -r '.body | fromjson | .may_be_repeat' "$T/hook.jsonl" | tr '\n' ' ')" \
    'false true '
stop alertd

# --- nobody listens for longer than the lifetime
fresh
receiver hook status:503
LIFETIME=1s
config "$(hook)"
raise a MAIN critical 'nobody listens'
start alertd alertd -f -c "$CONF"
await 'after its lifetime an alert is dead, not gone' settled dead 1
stop alertd

# --- a channel that is taken out of the configuration
fresh
receiver hook status:503
LIFETIME=1m
config "$(hook gone)" "$file_channel"
raise a MAIN error 'for both of them'
exits 111 'one of two channels has an alert' alertd --once -c "$CONF"
config "$file_channel"
alertd --once -c "$CONF" 2>"$T/log/gone"
is 'what the other was not told is dead' \
    "$(count_files "$SPOOL/alerts/dead") $(count_files "$SPOOL/alerts/cur")" \
    '1 0'
like 'that is logged' "$(cat "$T/log/gone")" \
    'alert is dead, channel gone is no longer'
is 'the one that is left is told, of this once more' \
    "$(grep -c 'for both' "$LOG") $(grep -c 'channel-failed.* gone: .* 1 alert' "$LOG")" '1 1'
like 'and people are shown it' "$(patchflow -c "$CONF" alerts)" \
    'undeliverable *a *MAIN *for both'
alertd --once -c "$CONF" 2>/dev/null
is 'a second run tells nothing twice' "$(wc -l <"$LOG")" 2
rm "$SPOOL"/alerts/dead/*
ok 'and forgets it' alertd --once -c "$CONF"
is 'with the alert' "$(find "$SPOOL/state/alertd/deliveries" -name '*@gone*' |
    wc -l)" 0

# --- a channel that fails is told to the others, and its recovery too
fresh
down=$(yes status:503 | head -n 40 | tr '\n' ' ')
# shellcheck disable=SC2086 # a list of faults
receiver hook $down ok
LIFETIME=8s
config "$(hook)" "$file_channel"
raise a MAIN error 'the first'
start alertd alertd -f -c "$CONF"
await 'it is told that a channel takes nothing' \
    grep -q 'error channel-failed alertd hook: .* has taken nothing' "$LOG"
await 'and that it works again' \
    grep -q 'resolved channel-failed alertd hook' "$LOG"
well() {
	[ "$(json "$SPOOL/state/alertd/alerts.json" .health)" = ok ]
}
await 'the state says so' well
stop alertd

# --- damage
fresh
config "$file_channel"
raise a MAIN error 'whole'
alertd --once -c "$CONF" 2>/dev/null
printf '{"format":"patchflow-alert-1"}\n{"bytes":1}\n' >"$SPOOL/alerts/new/1-x.json"
exits 0 'a damaged alert stops nothing' alertd --once -c "$CONF"
is 'it lies in corrupt/' "$(count_files "$SPOOL/corrupt")" 1
like 'and is told of' "$(cat "$LOG")" 'error spool-corrupt alertd 1-x.json'
