#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# time-limit: 300
# The disk of spool and logs hangs for some seconds: who writes to it sleeps in
# the kernel. The supervisor answers and restarts meanwhile and says what is
# wrong; with the disk back every record is there, its own death or not: who
# starts behind it waits until then and says so. One without a queue, which is
# the control, stands still.
. "$(dirname "$0")/../harness/lib.sh"
need_root
own_mounts
. "$(dirname "$0")/../harness/fakes.sh"

DISK=$T/disk
mkdir "$DISK"
thaw() {
	fsfreeze -u "$DISK" 2>/dev/null
	[ -z "${thawer:-}" ] || kill "$thawer" 2>/dev/null
	thawer=
}
# Whatever becomes of us, it must not stay frozen.
freeze() {
	sync -f "$DISK"
	fsfreeze -f "$DISK" || return 1
	(sleep 100; fsfreeze -u "$DISK") >/dev/null 2>&1 &
	thawer=$!
}
leave() {
	rc=$?
	thaw
	(exit "$rc")
	finish
}
trap leave EXIT
truncate -s 24M "$T/image"
if ! mkfs.ext4 -q -F "$T/image" 2>/dev/null ||
    ! mount -o loop "$T/image" "$DISK" 2>/dev/null; then
	skip_all "no disk of its own to be had"
fi
fsfreeze -f "$DISK" 2>/dev/null || skip_all "no disk that freezes to be had"
thaw
SPOOL=$DISK/spool
fake_config
sed -i "s|directory: $T/logs|directory: $DISK/logs|
    s/start_timeout: 3s/start_timeout: 30s/" "$CONF"

# Not for ever.
ask() {
	timeout 5 "$TOP/tests/harness/ask.pl" "$SPOOL" "$@"
}
records() {
	ask status | jq -r ".watchdog.records.$1"
}
hangs() {
	records hangs_since | grep -q Z
}
hangs_no_more() {
	[ -z "$(records hangs_since)" ]
}
none_wait() {
	[ "$(records waiting)" = 0 ]
}
# Its first step is a lock in the spool, and there it waits.
other_life() {
	life=$(status_of "$1" .pid)
	[ "${life:-null}" != null ] && [ "$life" != "$2" ]
}
deaths_of() {
	tr '\n' ' ' <"$SPOOL/state/watchdog/deaths" |
	    grep -ao "\"daemon\":\"$1\"" | wc -l
}
journaled() {
	grep -c "\"event\":\"$2\".*\"daemon\":\"$1\"" \
	    "$SPOOL/journal/watchdog.log"
}

# --- a disk that hangs

start watchdog watchdog -c "$CONF"
await 'everybody is ready' all_ready
others=$(ask status | jq -c '[.daemons[] | select(.name != "summarizer") |
    [.name, .pid, .restarts]]')
was=$(status_of summarizer .pid)
ok 'the disk hangs' freeze
kill -s KILL "$was"
await 'a daemon that dies now is restarted' other_life summarizer "$was"
slowest=0
begin=$(now_ms)
until { hangs && past "$begin" 6000; } || past "$begin" 60000; do
	asked=$(now_ms)
	ask status >"$T/status" || slowest=9999
	took=$(($(now_ms) - asked))
	[ "$took" -le "$slowest" ] || slowest=$took
	pause
done
diag "slowest status meanwhile: $slowest ms"
is 'the status answers throughout' "$((slowest < 5000))" 1
ok '... and says since when the disk hangs' hangs
like '... for people too' "$(timeout 9 patchflow -c "$CONF" status)" 'disk hangs since'
is '... with what waits for it' "$(($(records waiting) > 0))" 1
ok 'an operator is obeyed' ask stop ghost-bridge
await '... at once' state_is ghost-bridge stopped
fails 'new directories have to wait' ask reload
like '... which is said' "$(cat "$T/out")" 'hangs'
refused() {
	ask status | jq -r .watchdog.upgrade_refused | grep -q 'its records'
}
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	ok 'a new image is tried' ask upgrade
	AWAIT=60 await '... and has to wait as well' refused
else
	skip 2 'ten seconds: with PATCHFLOW_LONG'
fi
is 'nobody else was restarted' "$(ask status | jq -c '[.daemons[] |
    select(.name != "summarizer" and .name != "ghost-bridge") |
    [.name, .pid, .restarts]]')" \
    "$(echo "$others" | jq -c '[.[] | select(.[0] != "ghost-bridge")]')"
thaw
ok 'with the disk back' ask start ghost-bridge
await '... everybody is ready' all_ready
await '... all is written' none_wait
await '... and it hangs no longer' hangs_no_more
is '... the death' "$(deaths_of summarizer)" 1
is '... each start' "$(journaled summarizer start)" 2
is '... and end' "$(journaled ghost-bridge exit)" 1
ok '... the alerts' alert daemon-died summarizer
ok '... of the disk too' alert disk-hangs "writes to $SPOOL"
ok '... and their end' alert disk-hangs "writes to $SPOOL" true
is '... and nothing was dropped' "$(records dropped) $(records lost_lines)" '0 0'
like '... lines of the log' "$(cat "$DISK/logs/summarizer.log")" 'started'

# --- and the supervisor dies with it

# Its successor waits and says so, to the log and to who supervises it.
said() {
	grep -q "$1" "$T/log/watchdog"
}
told() {
	grep -q "$1" "$T/log/above"
}
NOTIFY_SOCKET=$T/above
export NOTIFY_SOCKET
start above "$TOP/tests/harness/datagrams.pl" "$NOTIFY_SOCKET"
await 'somebody listens above' test -S "$NOTIFY_SOCKET"
was=$(status_of alertd .pid)
rmdir "$SPOOL/corrupt" # to be made anew: more than the kernel has in memory
ok 'the disk hangs again' freeze
kill -s KILL "$was"
await 'another one dies and is restarted' other_life alertd "$was"
kill -s KILL "$(pid_of watchdog)"
await 'the supervisor is killed' stopped watchdog
# shellcheck disable=SC2034 # await's
AWAIT=60
start watchdog watchdog -c "$CONF"
await 'its successor waits for the disk' said 'does not answer, waiting'
await '... which is told above' told '^STATUS=.*does not answer'
thaw
await 'with the disk back it starts' all_ready
await '... and all is written' none_wait
is 'the death before its own is known' "$(deaths_of alertd)" 1
is '... and its own' "$(ask status | jq .watchdog.died)" 1
stop watchdog
await 'it goes' stopped watchdog

# The disk of the logs alone: the dead one's writer has the suite's lock.
mv "$SPOOL" "$T/spool"
SPOOL=$T/spool
sed -i "s|^spool: .*|spool: $SPOOL|" "$CONF"
start watchdog watchdog -c "$CONF"
await 'with a spool elsewhere everybody is ready' all_ready
was=$(status_of alertd .pid)
ok 'the disk of the logs hangs' freeze
kill -s KILL "$was"
await 'one dies and is restarted' other_life alertd "$was"
kill -s KILL "$(pid_of watchdog)"
await 'the supervisor is killed as well' stopped watchdog
start watchdog watchdog -c "$CONF"
begin=$(now_ms)
await 'its successor waits for the records' said 'records of a killed'
await '... which is told above' told '^EXTEND_TIMEOUT_USEC='
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	await '... for as long as it takes' past "$begin" 30000
	exits 111 'one beside it does not wait' \
	    timeout 60 watchdog --once -c "$CONF"
else
	skip 2 'half a minute: with PATCHFLOW_LONG'
fi
ok '... and has not given up' running watchdog
thaw
await 'with the disk back it starts' all_ready
is '... after the death was written' "$(deaths_of alertd)" 2
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	exits 111 'one beside one that lives does not wait for ever' \
	    timeout 60 watchdog -c "$CONF"
else
	skip 1 'ten seconds: with PATCHFLOW_LONG'
fi
is 'nobody ever had a twin' "$(twins)" 0
stop watchdog
await 'it goes again' stopped watchdog
stop above
unset NOTIFY_SOCKET

# --- control: without a queue

start direct direct -c "$CONF"
await 'one without a queue is as good' all_ready
was=$(status_of summarizer .pid)
ok '... until the disk hangs' freeze
kill -s KILL "$was"
fails 'it stands still then' timeout 3 "$TOP/tests/harness/ask.pl" \
    "$SPOOL" status
thaw
await '... until the disk is back' all_ready
stop direct
await 'it goes, too' stopped direct
umount "$DISK"
done_testing
