#!/bin/sh
# SPDX-License-Identifier: ISC
# A patch that takes the executor down, wherever that happens, does so three
# times and no more: each death is counted, after the second it waits behind
# the others, after the third it is failed as crashed, with its alert. Deaths
# that are somebody else's doing are not counted.
# shellcheck disable=SC2016 # jq's
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
strace -e trace=none true 2>/dev/null || skip_all 'nothing can be traced here'
write_config <<'END'
watchdog: {heartbeat: 1s, stop_grace: 500ms}
END
# However slow the machine is: what sleeps here sleeps until it is killed.
sed -i 's/command_timeout: 10s/command_timeout: 600s/; s/ timeout: 60s/ timeout: 600s/' "$CONF"
nap="sleep 4741.$$"
state=$SPOOL/state/executor@MAIN

# tries FILTER: of the one document about a patch in trouble.
tries() {
	cat "$state"/[0-9]*.json 2>/dev/null | head -n 1 | jq -r "$1"
}
# waits_for FROM TO: so many seconds behind the writing of that document.
waits_for() {
	written=$(stat -c %Y "$state"/[0-9]*.json) &&
	    waits=$(($(tries .not_before_us) / 1000000 - written)) &&
	    echo "$waits s" && [ "$waits" -ge "$1" ] && [ "$waits" -le "$2" ]
}
hurry() {
	for f in "$state"/[0-9]*.json; do
		[ ! -e "$f" ] || checked "$f" '.not_before_us = 0'
	done
}
fresh() {
	rm -rf "$SPOOL" "$ws"
	mkdir -p "$ws/sub"
	echo start >"$ws/a"
	queue_json >/dev/null
	file=$(cd "$SPOOL/MAIN/patches" && echo *-poison-*.json)
	key=${file#?-}
	key=${key%,*}
}

# crash CALL WHEN [PATH...]: one life, ended by a fault of its own right
# behind that call on one of those files.
crash() {
	call=$1 when=$2
	shift 2
	for p; do
		set -- "$@" -P "$p"
		shift
	done
	strace -f -o "$T/trace" -e trace="$call" \
	    -e inject="$call:signal=SEGV:when=$when" "$@" \
	    executor --once -c "$CONF" -q MAIN >>"$T/log/crashes" 2>&1
}

# dies WHAT CALL WHEN PATH...: three times, there.
dies() {
	what=$1
	shift
	crash "$@"
	first=$?
	crash "$@"
	second=$?
	ok "$what: a life after the second" once
	is "$what: has it wait" "$(where_is poison)/$(tries .crashes)" held/2
	is "$what: behind the others" "$(outcome other .state)" completed
	ok "$what: for half a minute" waits_for 25 30
	hurry
	crash "$@"
	is "$what: three died" "$((first > 128))$((second > 128))$(($? > 128))" 111
	ok "$what: the next one" once
	is "$what: fails it" "$(outcome poison '"\(.state) \(.stage)"')" \
	    'failed crashed'
	is "$what: somebody is told" "$(raised patch-failed .id)" poison
	ok "$what: nothing is left" tidy
}

documents() {
	cat >"$T/documents" <<-'END'
	{"id":"poison","mutations":[{"path":"p","contents":"x"}],"validate":{"shell":["true"]}}
	{"id":"other","mutations":[{"path":"o","contents":"x"}]}
	END
	[ $# -eq 0 ] || sed -i "$1" "$T/documents"
	fresh <"$T/documents"
}

# --- in each phase

documents
dies 'when it is read' read 1 "$SPOOL/MAIN/patches/$file" \
    "$SPOOL/MAIN/patches/.held/$file"
documents
dies 'before its transaction' mkdirat 1 "$key,1"
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	documents
	dies 'before it is let go' newfstatat 1 BEGIN
	documents
	dies 'before its record' read 1 "$state/txn/$key,1/upper/p"
	documents 's/"true"/"false"/'
	dies 'before its outcome' openat 2 "$SPOOL/MAIN/outcomes/tmp"
fi

# --- even what would end it takes it down: it ends unread

documents
for time in 1 2 3 4; do
	crash read 1 "$SPOOL/MAIN/patches/$file" \
	    "$SPOOL/MAIN/patches/.held/$file"
	[ "$time" != 2 ] || once >>"$T/log/crashes" 2>&1
	hurry
done
ok 'one that cannot even be failed' once
is 'is failed all the same' "$(outcome poison '"\(.state) \(.stage)"')" \
    'failed crashed'
is 'its file lies where nobody reads it' \
    "$(find "$SPOOL/corrupt" -name "*$key*" | wc -l)" 1

# --- a request for it takes it down: that does not go round for ever

documents
once_held() {
	patchflow -c "$CONF" hold poison >/dev/null && once
}
ok 'a held one' once_held
patchflow -c "$CONF" cancel poison >/dev/null
for time in 1 2 3 4 5; do
	crash read 1 "$SPOOL/MAIN/patches/.held/$file" 2>/dev/null
	hurry
done
ok 'whose cancelling is a crash' once
like 'has an end' "$(outcome poison '"\(.state) \(.stage // .reason)"')" \
    '^(failed crashed|rejected by-operator)$'
is 'and its request an answer' \
    "$(count_files "$SPOOL/MAIN/requests/cur")" 0

# --- what is not its doing

documents 's/"true"/"false"/'
crash renameat2 1 "$key,1.json"
ok 'a death behind the outcome' once
is 'is not counted' "$(outcome poison '"\(.state) \(.stage)"')" \
    'failed validation'

documents "s/\"true\"/\"test -e go || $nap\"/"
sleeps() {
	pgrep -f "$nap"
}
# life SIGNAL: one that is ended while it runs the patch.
life() {
	start executor executor -f -c "$CONF" -q MAIN
	await "it runs, until SIG$1" sleeps
	stop executor "$1"
}
kill_twice() {
	stop executor TERM &
	await 'stopping is noted' sh -c "head -n 1 '$state/hand' | jq -e '.key == \"\"'"
	kill -KILL "$(pid_of executor)"
	wait
}
start executor executor -f -c "$CONF" -q MAIN
await 'it runs, until it is stopped in vain' sleeps
kill_twice
life TERM
is 'no crash' "$(tries .crashes)" ''
life KILL
# Another boot since: the power went, or the kernel.
checked "$state/hand" '.boot_id = "another"'
life TERM
is 'nor is what fell with its machine' "$(tries .crashes)" ''
life KILL
cp "$state/hand" "$T/hand"
life TERM
is 'but a death without a reason is' "$(tries .crashes)" 1
# The life that has counted it may end before it has anything else in hand.
cp "$T/hand" "$state/hand"
life TERM
is 'once, however often it is looked at' "$(tries .crashes)" 1

# --- under the supervisor, whose black box tells whose doing it was

documents "s/\"true\"/\"$nap\"/"
holds_it() {
	head -n 1 "$state/hand" | jq -e --argjson old "${old:-0}" \
	    '.pid != $old and .key != ""' && sleeps
}
hit() {
	await "$2" holds_it
	old=$(head -n 1 "$state/hand" | jq .pid)
	kill -s "$1" "$old"
}
suite_start
# The one that writes the black box is slow at the first death of all.
writer=$(pgrep -P "$(pid_of watchdog)" -x watchdog-writer)
kill -STOP "$writer"
hit KILL 'a life, until it is killed'
await 'the next one begins' sh -c "pgrep -P '$(pid_of watchdog)' -x executor |
    grep -vx '$old'"
counted() {
	[ -n "$(tries .crashes)" ]
}
fails 'it does not judge without a black box' until_true 1 counted
kill -CONT "$writer"
for time in 2 3; do
	hit KILL "life $time, until it is killed"
done
await 'a fourth' holds_it
is 'kills from outside are not counted' "$(tries .crashes)" ''
hit SEGV 'nor a restart'
hit SEGV 'a second crash'
held_back() {
	[ "$(tries .crashes)" = 2 ] && [ "$(where_is poison)" = held ]
}
await 'has it wait' held_back
hurry
hit SEGV 'a third'
await 'ends it' ended_as poison failed
is 'as crashed' "$(outcome poison .stage)" crashed
summarized() {
	[ -n "$(find "$T/replies" -name '*poison*')" ] &&
	    grep -q poison "$T/alerts.log"
}
await 'with summary and alert' summarized
suite_stop

# --- the control: an executor that forgets what it had in hand

documents
for time in 1 2 3 4; do
	crash mkdirat 1 "$key,1"
	rm -f "$state/hand"
done
is 'without its record it would go on for ever' \
    "$(where_is poison)/$(tries .crashes)" running/
done_testing
