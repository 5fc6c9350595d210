#!/bin/sh
# SPDX-License-Identifier: ISC
# Requests while a patch runs, whose boxes were found empty just before: each
# is answered before the patch ends, in both boxes, and so is one that had to
# wait for the end of a run, before the next one ends.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config <<'END'
watchdog:
  stop_grace: 100ms
END
sed -i 's/timeout: [16]0s/timeout: 1000s/' "$CONF"
box=$SPOOL/MAIN/requests

# patches ID...: each sleeps until it is killed.
patches() {
	for id in "$@"; do
		echo "{\"id\":\"$id\",\"mutations\":[{\"path\":\"$id\",\"contents\":\"x\"}],\"validate\":{\"shell\":[\"sleep 308.$$\"]}}"
	done | queue_json >/dev/null
}
is_running() {
	[ "$(where_is "$1")" = running ] && pgrep -fx "sleep 308.$$"
}
answer_of() {
	first_lines "$1"/done/*.json | jq -r "select(.id == \"$2\") | .answer"
}
is_answered() {
	[ -n "$(answer_of "$@")" ]
}
# found_empty: a file that comes has the executor look, which notes that its
# boxes have held nothing for longer than their clocks tick.
found_empty() {
	pause
	pause
	pause
	patches "look$1"
	pause
}

# ask ID: by somebody whom nobody has named an approver, which is an answer.
ask() {
	jq -cn --arg id "$1" '{format: "patchflow-request-1", verb: "cancel",
	    id: $id}' >"$T/ask.json"
	checked "$T/ask.json" .
	cp "$T/ask.json" "$box/ask/tmp/$1.json"
	mv "$box/ask/tmp/$1.json" "$box/ask/new/$1.json"
}

start executor executor -f -c "$CONF" -q MAIN
patches first second
await 'a patch runs' is_running first
for i in 1 2 3; do
	found_empty "$i"
	ok "request $i" patchflow hold "look$i"
	await 'is answered' is_answered "$box" "look$i"
	found_empty "more$i"
	ask "ask$i"
	await 'one to the other box is answered, too' \
	    is_answered "$box/ask" "ask$i"
done
is 'while the patch runs' "$(where_is first)" running

# Its answer waits for the end of the run.
found_empty last
ok 'the patch is cancelled' patchflow cancel first
await 'the next one runs' is_running second
await 'beside it that is answered' is_answered "$box" first
is 'in a word' "$(answer_of "$box" first)" cancelled
is 'while that one runs' "$(where_is second)" running
stop executor
done_testing
