#!/bin/sh
# SPDX-License-Identifier: ISC
# The running bridge: a block that is never closed, a transcript that comes
# late, a busy folder, a spool that is taken away, a second bridge.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/bridge.sh"
write_config </dev/null
sed -i "s/^bridge:/bridge:\n  stale_block: 1s/
    s|^  sources:|  sources:\n    - {type: transcript, name: late, path: $T/late/chat.md}|" \
    "$CONF"
block never MAIN | head -n 4 >"$CHAT"
start bridge ghost-bridge -f -c "$CONF"
await 'an open block is told after bridge.stale_block' has_alert stale-block
await 'a transcript that does not exist is told' has_alert source-missing
is 'nothing is queued meanwhile' "$(all_queued)" ''
printf '```\n' >>"$CHAT"
await 'the block is queued when it is closed at last' has_queued never
await 'and the alert resolved' has_alert stale-block true
is 'it was raised once' "$(alerts stale-block)" 1

mkdir "$T/late"
block late CYOPS >"$T/late/chat.md"
await 'a folder that appears is read' has_queued 'late never'
await 'and that alert resolved' has_alert source-missing true
block later CYOPS >>"$T/late/chat.md"
await 'and read on' has_queued 'late later never'

# Another file in the folder that is written all the time.
ticks() {
	awk '{ print $14 + $15 }' "/proc/$(pid_of bridge)/stat"
}
# shellcheck disable=SC2016 # the inner shell expands it
start noise sh -c 'while :; do echo noise; done >"$0/noise"' "$T"
before=$(ticks)
since=$(now_ms)
passed() {
	[ $(($(now_ms) - since)) -ge 2000 ]
}
until_true 10 passed
used=$(($(ticks) - before))
share=$((used * 1000 / ($(now_ms) - since))) # ticks are 10 ms: percent
stop noise KILL
ok "a busy folder takes a part of the time only ($share %)" \
    [ "$share" -lt 60 ]
block noisy MAIN >>"$CHAT"
await 'what is appended is found all the same' has_queued \
    'late later never noisy'

exits 111 'a second bridge on the spool does not start' \
    ghost-bridge --once -c "$CONF"

# A directory of the spool goes away under the running bridge.
rm -r "$SPOOL/bad"
await 'it ends when a directory is removed' stopped bridge
wait "$(pid_of bridge)"
is 'for a new start' "$?" 111
block again MAIN >>"$CHAT"
ok 'the next one makes it again' once
is 'and goes on' "$(all_queued) $(test -d "$SPOOL/bad" && echo made)" \
    'again late later never noisy made'

# A spool that is all away: every document is read again.
rm -r "$SPOOL"
ok 'without the spool' once
is 'all is read from the start' "$(all_queued)" \
    'again late later never noisy'
exits 0 'checks its configuration' ghost-bridge -n -c "$CONF"
echo 'nonsense: 1' >>"$CONF"
exits 78 'and refuses a wrong one' ghost-bridge -n -c "$CONF"
exits 2 'knows its options' ghost-bridge --nonsense
done_testing
