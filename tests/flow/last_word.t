#!/bin/sh
# SPDX-License-Identifier: ISC
# A patch without commands is compared as soon as its worker has said its last
# word, while that one exits. Who wants the patch no more has the time until
# then: it is held there below a debugger.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config <<'END'
watchdog:
  stop_grace: 100ms
END
need_holdup
echo old >"$ws/a"
mkdir "$ws/d"
snapshot "$ws" >"$T/before"

worker() {
	cat "$T/worker" 2>/dev/null
}
executor_pid() {
	pgrep -P "$(pid_of executor)" -x executor
}
sleeps() {
	grep -q '^State:[[:space:]]*S' "/proc/$1/status"
}
# With its report in the pipe an executor that sleeps has read it.
has_spoken() {
	[ -n "$(worker)" ] && [ "$(where_is "$1")" = running ] &&
	    sleeps "$(executor_pid)"
}
patch() {
	queue_json >/dev/null <<END
{"id":"$1","mutations":[{"path":"a","contents":"new\\n"},{"path":"d","delete":true},{"path":"n","contents":"n\\n"}]}
END
}
# meet ID: a patch whose worker has said all and does not exit.
meet() {
	rm -f "$T/worker"
	start executor holdup stage exit_group "$T/worker" \
	    executor -f -c "$CONF" -q MAIN
	await "$1: its worker has said all" has_spoken "$1"
}
untouched() {
	snapshot "$ws" >"$T/after"
	is "$1: the tree is as it was" "$(diff "$T/before" "$T/after")" ''
	ok "$1: nothing is left" tidy
	ok "$1: its worker is dead" is_dead "$(worker)"
}

patch cancelled
meet cancelled
ok 'it is cancelled' patchflow cancel cancelled
await 'it is rejected' ended_as cancelled rejected
is 'by the operator' "$(outcome cancelled .reason)" by-operator
stop executor
is 'the executor ends well' $? 0
untouched cancelled

patch stopped
meet stopped
stop executor
is 'the executor ends well' $? 0
is 'the patch is back in the queue' "$(where_is stopped)" queued
is 'without an outcome' "$(outcome_files stopped)" ''
untouched stopped

meet stopped
kill -KILL "$(executor_pid)"
await 'the executor is killed' stopped executor
ok 'its worker is dead' is_dead "$(worker)"
snapshot "$ws" >"$T/after"
is 'nothing was done' "$(diff "$T/before" "$T/after")" ''
ok 'the next executor does it' once
is 'all of it' "$(outcome stopped .state) $(cd "$ws" && ls -d -- *) $(
    cat "$ws/a")" 'completed a
n new'
ok 'nothing is left' tidy
done_testing
