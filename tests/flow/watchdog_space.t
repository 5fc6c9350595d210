#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# The supervisor and its disk, on a small one of its own: intake pauses before
# it is full and goes on by itself, and a filesystem that does not answer keeps
# nobody waiting.
. "$(dirname "$0")/../harness/lib.sh"
need_root
own_mounts
. "$(dirname "$0")/../harness/fakes.sh"

mkdir "$SPOOL"
mount -t tmpfs -o size=64m,mode=755 none "$SPOOL" 2>/dev/null ||
	skip_all "no tmpfs to be had"
ln -sf "$BUILD_DIR/bin/ghost-bridge" "$PATCHFLOW_LIBEXEC/ghost-bridge"
fake_config
sed -i 's/  check: 300ms/&\n  disk_pause: 3/
    s/^watchdog:/bridge: {poll: 250ms, settle: 50ms}\n&/' "$CONF"
start watchdog watchdog -f -c "$CONF"
await 'everybody is ready' all_ready

document() {
	printf '{"role":"command_patch","id":"%s","target":"MAIN","mutations":[{"path":"a","contents":"x"}]}' \
	    "$1" >"$T/$1.json"
}
document first
document second
ok 'with room to spare a document is taken' \
    patchflow -c "$CONF" submit "$T/first.json"
queued() {
	[ -n "$(where_is "$1")" ]
}
await '... and queued' queued first

# All but a hundredth.
room=$(df -k --output=avail "$SPOOL" | tail -n 1)
head -c "$((room - 640))k" /dev/zero >"$SPOOL/ballast"
await 'a disk that fills up is an alert' alert disk-low "bytes of $SPOOL"
await '... and pauses the intake' alert intake-paused spool
exits 75 '... a submission is told to come later' \
    patchflow -c "$CONF" submit "$T/second.json"
like '... and why' "$(cat "$T/out")" 'nothing new is taken in'
# As another program would.
cp "$T/second.json" "$SPOOL/inbox/new/second.json"
begin=$(now_ms)
until_true 10 past "$begin" 1500
is '... and what comes in otherwise waits' "$(where_is second)" ''
is '... with nobody hurt' "$(ask status |
    jq '[.daemons[].restarts] | add')" 0

rm "$SPOOL/ballast"
await 'with room again the intake goes on by itself' queued second
await '... which is told' alert intake-paused spool true

chmod 777 "$SPOOL/state"
await 'a directory that everybody may write to is an alert' \
    alert spool-rights spool
chmod 2750 "$SPOOL/state"
await '... until it is not' alert spool-rights spool true

# A filesystem that does not answer: the kernel waits in fstatfs(2).
if strace -qq -o /dev/null true 2>/dev/null; then
	start strace strace -f -qq -o /dev/null -e trace=fstatfs \
	    -e inject=fstatfs:delay_enter=60s:when=1+ -p "$(pid_of watchdog)"
	slowest=0
	begin=$(now_ms)
	until alert disk-hangs "$SPOOL" || past "$begin" 15000; do
		asked=$(now_ms)
		ask status >/dev/null
		took=$(($(now_ms) - asked))
		[ "$took" -le "$slowest" ] || slowest=$took
	done
	ok 'a filesystem that hangs is an alert' alert disk-hangs "$SPOOL"
	diag "slowest status beside it: $slowest ms"
	is '... and status answers beside it' "$((slowest < 4500))" 1
	stop strace
	await '... which ends with it' alert disk-hangs "$SPOOL" true
	ok 'and everybody is still there' all_ready
else
	skip 4 "needs strace"
fi
kill -s STOP "$(pid_of watchdog)"
stop watchdog KILL
document third
: >"$SPOOL/run/intake.brake"
# What it had just forked holds its lock for a moment longer.
await 'without a supervisor the brake holds nobody' \
    patchflow -c "$CONF" submit "$T/third.json"
umount -l "$SPOOL"
done_testing
