#!/bin/sh
# SPDX-License-Identifier: ISC
# A process that nobody can kill: asleep in the kernel, on a file system that
# does not answer, or dead below a debugger that does not look. It is told of,
# its patch is not over, and no other one starts, whoever executes it.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
# Mounts and debuggers want rights; the rest is the same for all users.
need_root
own_mounts
write_config </dev/null
mkdir "$T/dead" "$T/fuse"
sed -i "s|^    aliases: \[BRAUN\]|&\n    expose: [$T/dead]|" "$CONF"

start stuckfs stuckfs "$T/dead" "$T/fuse/ready"
until_true 10 test -e "$T/fuse/ready" || skip_all 'no FUSE here'

# asleep: who sleeps uninterruptibly in the workspace's jail, as pids.
asleep() {
	for pid in $(pgrep -f "cat $T/dead/file"); do
		grep -q '^State:[[:space:]]*D' "/proc/$pid/status" && echo "$pid"
	done
}
is_asleep() {
	[ -n "$(asleep)" ]
}
alerts() {
	raised queue-stuck '"\(.severity) \(.resolved) \(.text)"'
}
told() {
	alerts | grep -q '^critical false unkillable: '
}
holds() {
	jq -r 'select(.hold) | .hold' "$SPOOL/state/executor@MAIN/queue.json"
}

# --- asleep in the kernel

queue_json >/dev/null <<END
{"id":"stuck","mutations":[{"path":"x","contents":"x"}],"validate":{"shell":["cat $T/dead/file"]}}
{"id":"next","mutations":[{"path":"y","contents":"y"}]}
END
start executor executor -f -c "$CONF" -q MAIN
await 'a command sleeps in the kernel' is_asleep
pid=$(asleep | head -n 1)
kill -KILL "$pid"
ok 'and cannot be killed by anybody' is_asleep
ok 'an operator cancels its patch' patchflow cancel stuck
AWAIT=60 await 'it is told as unkillable' told
like 'status says so' "$(holds)" '^unkillable: '
is 'the patch is not over' "$(where_is stuck) $(outcome stuck .state)" 'running '
is 'no other one starts' "$(where_is next)" queued

# A new executor finds it, and waits as well.
stop executor KILL
: >"$T/log/executor"
start executor executor -f -c "$CONF" -q MAIN
AWAIT=60 await 'another executor waits for its death' grep -q \
    'queue held: .* is still alive' "$T/log/executor"
ok 'it still sleeps' is_asleep
is 'and neither runs' "$(where_is stuck) $(where_is next)" 'running queued'
stop stuckfs
AWAIT=90 await 'the file system goes, and the queue goes on' ended_as next completed
ok 'nobody is left' test -z "$(pgrep -f "cat $T/dead/file")"
stop executor

# --- below a debugger

rm -f "$SPOOL"/alerts/new/* "$SPOOL"/MAIN/patches/.running/* \
    "$SPOOL"/MAIN/patches/*.json "$SPOOL"/MAIN/patches/.held/*
umount -l "$T/dead"
queue_json >/dev/null <<END
{"id":"traced","mutations":[{"path":"x","contents":"z"}],"validate":{"shell":["sleep 4743"]}}
{"id":"after","mutations":[{"path":"y","contents":"z"}]}
END
start executor executor -f -c "$CONF" -q MAIN
await 'a command runs' pgrep -xf 'sleep 4743'
start strace strace -o /dev/null -p "$(pgrep -xf 'sleep 4743' | head -n 1)"
is_traced() {
	grep -q "^TracerPid:[[:space:]]*[1-9]" \
	    "/proc/$(pgrep -xf 'sleep 4743' | head -n 1)/status"
}
await 'a debugger has it' is_traced
kill -STOP "$(pid_of strace)"
ok 'its patch is cancelled' patchflow cancel traced
AWAIT=60 await 'it is told as unkillable' told
is 'no other one starts' "$(where_is after)" queued
kill -CONT "$(pid_of strace)"
AWAIT=60 await 'the debugger goes, and the next one runs' ended_as after completed
is 'the patch is over as well' "$(outcome traced \
    '"\(.reason) \(.commands[0].reason)"')" 'by-operator cancelled'
is 'status has nothing to say' "$(holds)" ''
is 'and the alert is ended' "$(alerts | cut -d' ' -f1,2 | tr '\n' ' ')" \
    'critical false info true '
done_testing
