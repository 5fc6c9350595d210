#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # sed's own
# Forty changes of the configuration and what each of them may touch: asked of
# the supervisor, and some of them done.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

mkdir -p "$T/ws/third" "$T/replies" "$T/other"
: >"$CHAT"
cat >"$T/base.yaml" <<END
spool: $SPOOL
queues:
  - name: MAIN
    aliases: [BRAUN]
    workspace: $T/ws/main
    timeout: 60s
  - name: CYOPS
    workspace: $T/ws/cyops
    default: true
bridge:
  poll: 250ms
  sources:
    - {type: transcript, name: chat, path: $CHAT}
summaries:
  destinations:
    - {name: replies, type: directory, path: $T/replies}
alerts:
  channels:
    - {name: log, type: file, path: $T/alerts.log}
logs: {directory: $T/logs, size: 100K, count: 3}
watchdog:
  heartbeat: 250ms
  hang: 2s
  start_timeout: 3s
  stop_grace: 300ms
  check: 10s
END
cp "$T/base.yaml" "$CONF"
start watchdog watchdog -f -c "$CONF"
await 'everybody is ready' all_ready

# Who reads what: the plan of a change, names cut short.
plan_of() {
	patchflow -c "$CONF" --json reload -n 2>"$T/why" | jq -r '
	    [to_entries[] | "\(.value[0:2]):\(.key)"] | sort | join(" ")' |
	    sed 's/executor@MAIN/M/g; s/executor@CYOPS/C/g
	    s/executor@THIRD/T/g; s/ghost-bridge/b/g; s/summarizer/s/g
	    s/alertd/a/g'
}

# change SCRIPT WANT: one sed script, and the plan that it must have.
change() {
	sed -e "$1" "$T/base.yaml" >"$CONF"
	cmp -s "$T/base.yaml" "$CONF" && diag "changes nothing: $1"
	is "${3:-$(printf "%s" "$1" | sed "s,\\\\n, ,g")}" "$(plan_of)" "$2"
}

everybody='re:a re:C re:M re:b re:s'
queues='re:b re:s'
change '1i\# a remark' ''
change '$a\\n' '' 'empty lines'
change 's/{type: transcript, name: chat, /{name: chat, type: transcript, /' ''
change 's/timeout: 60s/timeout: 61s/' "re:M $queues"
change 's/\[BRAUN\]/[BRAUN, BROWN]/' "re:M $queues"
change 's|aliases: .*|&\n    gates: ["true"]|' "re:M $queues"
change 's|aliases: .*|&\n    attempts: 5|' "re:M $queues"
change 's|aliases: .*|&\n    network: true|' "re:M $queues"
change 's|aliases: .*|&\n    memory: 1G|' "re:M $queues"
change 's|aliases: .*|&\n    processes: 99|' "re:M $queues"
change 's|aliases: .*|&\n    protected: ["x/*"]|' "re:M $queues"
change 's|aliases: .*|&\n    env: [LANG]|' "re:M $queues"
change "s|aliases: .*|&\\n    expose: [$T/other]|" "re:M $queues" expose
change "s|aliases: .*|&\\n    path_map: {/x: $T/ws/main}|" "re:M $queues" \
    path_map
change 's|aliases: .*|&\n    require_isolation: overlay|' "re:M $queues"
change 's|ws/cyops|ws/third|' "re:C $queues"
change 's|default: true|&\n    timeout: 90s|' "re:C $queues"
change "s|default: true|&\\n  - {name: THIRD, workspace: $T/ws/third}|" \
    "re:C re:M $queues st:T" 'another queue'
change '/name: MAIN/,/timeout/d' "re:C $queues st:M" 'a queue less'
change 's/name: MAIN/name: THIRD/' "re:C $queues st:M st:T" 'a queue renamed'
change 's/poll: 250ms/poll: 1s/' 're:b'
change 's/poll: 250ms/&\n  settle: 1s/' 're:b'
change 's/poll: 250ms/&\n  document_max: 1M/' 're:b'
change 's/name: chat/name: talk/' 're:b'
change "s|path: $CHAT|&, queue: MAIN|" 're:b' 'the queue of a source'
change "s|path: $CHAT|&, authors: [me]|" 're:b' 'authors of a source'
change "s|path: $CHAT|path: $T/other/chat.md|" 're:b' 'path of a source'
change 's/name: replies/name: answers/' 're:s'
change "s|path: $T/replies|path: $T/other|" 're:s' 'another destination'
change 's/name: log,/name: file,/' 're:a'
change "s|path: $T/alerts.log|path: $T/other/a.log|" 're:a' 'another channel'
change 's/count: 3/count: 4/' ''
change "s|directory: $T/logs|directory: $T/other|" '' 'another log directory'
change 's/hang: 2s/hang: 3s/' ''
change 's/start_timeout: 3s/start_timeout: 4s/' ''
change 's/stop_grace: 300ms/stop_grace: 1s/' ''
change 's/check: 10s/check: 20s/' ''
change 's/check: 10s/&\n  queue_depth: 99/' ''
change 's/heartbeat: 250ms/heartbeat: 300ms/' "$everybody"
change '$a retention: {completed_age: 9d}' "$everybody" retention
change 's/default: true/&\n    nonsense: 1/' '' 'an unknown key'
like '... is refused with its line' "$(cat "$T/why")" 'yaml:[0-9]+'
sed "s|^spool: .*|spool: $T/elsewhere|" "$T/base.yaml" >"$CONF"
fails 'another spool' ask reload --dry-run
like '... is refused' "$(cat "$T/out")" 'needs a restart'
is 'nobody was touched by being asked' "$(ask status |
    jq '[.daemons[].restarts] | add')" 0

# Done, it is what was said.
pids() {
	ask status | jq -r '.daemons[] | "\(.name) \(.pid)"' | sort
}
pids >"$T/before"
sed 's/timeout: 60s/timeout: 61s/' "$T/base.yaml" >"$CONF"
ask reload >/dev/null
moved() {
	pids >"$T/after"
	all_ready && [ "$(comm -13 "$T/before" "$T/after" | cut -d' ' -f1 |
	    xargs)" = "$1" ]
}
await 'a reload restarts exactly these' moved \
    'executor@MAIN ghost-bridge summarizer'

# In a storm of signals, with a daemon that crashes
script alertd exit-worked 9
kill -s KILL "$(status_of alertd .pid)"
n=0
while [ "$n" -lt 200 ]; do
	kill -s HUP "$(pid_of watchdog)"
	n=$((n + 1))
done
unscript alertd
ask start alertd >/dev/null
await 'a storm of HUP hurts nobody' all_ready
pids | grep -v alertd >"$T/before2"
is '... and restarts nobody' "$(grep -v alertd "$T/after" |
    comm -13 - "$T/before2")" ''
ask stop summarizer >/dev/null
await 'one is stopped' state_is summarizer stopped
sed 's/name: replies/name: answers/' "$T/base.yaml" >"$CONF"
ask reload >/dev/null
is 'who was stopped stays so, whatever changes for it' \
    "$(status_of summarizer .why_not_running)" 'stopped by the operator'
done_testing
