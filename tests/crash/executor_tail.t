#!/bin/sh
# SPDX-License-Identifier: ISC
# What of a success waits for the next patch: until its one sync nobody hears of
# it, and where that sync fails, the next patch does not go on on top of it.
. "$(dirname "$0")/../harness/lib.sh"
need_root
own_mounts
. "$(dirname "$0")/../flow/executor.sh"
for tool in strace mkfs.ext4; do
	command -v $tool >/dev/null || skip_all "needs $tool"
done
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'

mnt=$T/mnt
mkdir "$mnt"
SPOOL=$mnt/spool
write_config </dev/null
ws=$mnt/ws
sed -i "s|$T/ws/main|$ws|" "$CONF"
grep -q "spool: $SPOOL" "$CONF" || bail 'the spool is elsewhere'

# blank [OPTIONS]: a new disk and an empty queue.
blank() {
	umount "$mnt" 2>/dev/null
	rm -f "$T/image"
	truncate -s 64M "$T/image"
	mkfs.ext4 -q -F -O has_journal "$T/image"
	mount -o "loop${1:+,$1}" "$T/image" "$mnt" 2>/dev/null ||
	    skip_all 'no loop-mounted ext4 on this machine'
	mkdir "$ws"
	echo old >"$ws/a"
	echo 0 >"$ws/total"
	once >/dev/null 2>&1
}

# begin [OPTIONS]: and two patches.
begin() {
	blank "$@"
	queue_json >/dev/null <<-'END'
	{"id":"first","mutations":[{"path":"a","contents":"new\n"}]}
	{"id":"second","mutations":[{"path":"b","contents":"b\n"}],"validate":{"shell":["echo $(($(cat total) + 1)) > total"]}}
	END
}

# syncs [ARG...]: one run, and what it syncs, by its path.
syncs() {
	traced -y -e trace=fsync "$@"
}

running() {
	[ "$(where_is "$1")" = running ]
}

shown() {
	find "$SPOOL/MAIN/outcomes" -name '*.json' | wc -l
}

begin
ok 'both are run' syncs
is 'and completed' "$(outcome first .state) $(outcome second .state)" \
    'completed completed'
# The how manieth of its process is that of a transaction?
nth=$(awk '{ n[$1]++ } /fsync.*\/txn\// { print n[$1]; exit }' "$T/trace")
ok 'its transaction is synced' test -n "$nth"
is 'and nothing else of it' "$(grep -c '/outcomes/new' "$T/trace")" 0
begin data=writeback,journal_async_commit
ok 'on a disk that may commit before the bytes are there' syncs
ok 'nothing is left out' grep -q '/outcomes/new' "$T/trace"

begin
start tail strace -f -qq -o "$T/trace" -e trace=fsync \
    -e inject="fsync:signal=STOP:when=$nth" executor --once -c "$CONF" -q MAIN
stopped() {
	grep -qs '^State:[[:space:]]*[Tt]' \
	    "/proc/$(pgrep -P "$(pid_of tail)" -x executor)/status" &&
	    grep -q 'SIGSTOP' "$T/trace"
}
await 'an executor stops in that sync' stopped
is 'the first patch is carried out' "$(cat "$ws/a")" new
is 'but nobody hears of it' "$(shown)" 0
is 'it counts as running, and the next one with it' \
    "$(where_is first) $(where_is second)" 'running running'
ok 'the sync comes to its end' pkill -CONT -P "$(pid_of tail)" -x executor
await 'the next one is settled' ended second
is 'both are completed' "$(outcome first .state) $(outcome second .state)" \
    'completed completed'
is 'each was done once' "$(cat "$ws/total")" 1
stop tail

begin
syncs -e inject="fsync:error=EIO:when=$nth"
is 'a sync that fails ends a run with 111' "$?" 111
like 'the queue is held, and somebody told' "$(cat "$SPOOL"/alerts/new/*)" \
    'queue-stuck.*not synced'
is 'nobody hears of a success' "$(shown)" 0
is 'the next one is stopped, and waits' "$(where_is second)" queued
is 'and has done nothing' "$(cat "$ws/total") $(ls "$ws")" '0 a
total'
ok 'the next executor' once
is 'makes it good' "$(outcome first .state) $(cat "$ws/a")" 'completed new'
is 'and runs the other, once' "$(outcome second .state) $(cat "$ws/total")" \
    'completed 1'
is 'and nothing is left' "$(leftovers "$SPOOL/state/executor@MAIN/txn")" ''

blank
git init -q "$ws"
queue_json >/dev/null <<'END'
{"id":"first","mutations":[{"path":"a","contents":"new\n"}]}
{"id":"git","mutations":[{"path":"g","contents":"g"}],"final":{"git":{"commit":"g"}}}
END
syncs -e inject="fsync:error=EIO:when=$nth"
is 'before a git commit as well' "$?" 111
is 'the next one goes back as it was' "$(where_is git)" queued
ok 'then both are run' once
is 'to their ends' "$(outcome first .state) $(outcome git '"\(.state) \(.attempt)"')" \
    'completed completed 1'

# --- what does not wait for the next patch

settled_order() {
	jq -r 'select(.event == "settled") | .id' "$SPOOL"/journal/executor@MAIN.log |
	    tr '\n' ' '
}

blank
queue_json >/dev/null <<'END'
{"id":"needs","priority":"high","dependencies":["needed"],"mutations":[{"path":"n","contents":"n"}]}
{"id":"needed","mutations":[{"path":"a","contents":"new\n"}]}
{"id":"other","mutations":[{"path":"o","contents":"o"}]}
END
ok 'one of a higher priority needs the first' once
is 'and comes before the next one' "$(settled_order)" 'needed needs other '

# The executor waits for a few seconds; a machine may once be slower than that.
told_beside() {
	blank
	git init -q "$ws"
	: >"$ws/.git/index.lock"
	queue_json >/dev/null <<-'END'
	{"id":"first","mutations":[{"path":"a","contents":"new\n"}]}
	{"id":"git","mutations":[{"path":"g","contents":"g"}],"final":{"git":{"commit":"g"}}}
	END
	start git executor --once -c "$CONF" -q MAIN
	until_true 60 ended first
	running git
	beside=$?
	rm -f "$ws/.git/index.lock"
	wait "$(pid_of git)"
	return $beside
}
ok 'it is told of while the next one waits for a git of somebody else' \
    eval 'told_beside || told_beside || told_beside'

blank
sed -i "s|^    aliases: \[BRAUN\]|&\n    hard_links: split|" "$CONF"
printf 'retention:\n  transactions_age: 0\n' >>"$CONF"
ln "$ws/a" "$ws/b"
queue_json >/dev/null <<'END'
{"id":"one","mutations":[{"path":"a","contents":"new a\n"}]}
{"id":"twin","mutations":[{"path":"b","contents":"new b\n"}]}
END
ok 'two names of one file are changed, nothing is kept' once
is 'what is let go of the first is no stranger to the second' \
    "$(outcome one .state) $(outcome twin '"\(.state) \(.attempt)"')" \
    'completed completed 1'
is 'nor has it been put off' "$(grep -c requeued "$SPOOL/journal/executor@MAIN.log")" 0
umount "$mnt"
done_testing
