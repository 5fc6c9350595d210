#!/bin/sh
# SPDX-License-Identifier: ISC
# A transcript that grows, is cut, moved away, replaced, missing, or no file.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/bridge.sh"
plan 50
write_config </dev/null

block one MAIN >>"$CHAT"
ok 'reads a transcript to its end' once
is 'queues what it holds' "$(all_queued)" one
ok 'reads it again' once
is 'and finds nothing new' "$(all_queued) $(events duplicate)" 'one 0'
block two MAIN >>"$CHAT"
ok 'reads what was appended' once
is 'and nothing else' "$(all_queued) $(events duplicate)" 'one two 0'

block three MAIN | head -n 4 >>"$CHAT"
ok 'an open fence is no error' once
is 'an open fence waits' "$(all_queued)" 'one two'
printf '```' >>"$CHAT"
ok 'a fence that ends without a newline' once
is 'is closed' "$(all_queued)" 'one three two'

: >"$CHAT"
block four CYOPS >>"$CHAT"
ok 'reads a truncated file' once
is 'from its start' "$(all_queued) $(events source-truncated)" \
    'four one three two 1'

# Truncated and grown beyond the old end in between.
{
	echo 'Another chat, longer than the one before it, about other things.'
	block five MAIN
	block six MAIN
} >"$CHAT"
ok 'reads a file whose beginning is another' once
is 'from its start too' "$(all_queued) $(events source-truncated)" \
    'five four one six three two 2'

# Written after the last look and before the rotation: still ours.
block seven MAIN >>"$CHAT"
mv "$CHAT" "$CHAT.1"
block eight MAIN >"$CHAT"
ok 'reads over a rotation' once
is 'the end of the old file and the new one' "$(all_queued)" \
    'eight five four one seven six three two'
is 'and says so' "$(events source-replaced) $(events duplicate)" '0 0'

cp "$CHAT" "$CHAT.new"
block nine MAIN >>"$CHAT.new"
mv "$CHAT.new" "$CHAT"
ok 'reads a longer copy with another inode' once
is 'on from where it was' "$(events queued) $(events duplicate)" '9 0'

rm "$CHAT"
exits 0 'a missing file is no failure' once
is 'is told' "$(alerts source-missing)" 1
once
is 'is told once, over restarts too' "$(alerts source-missing)" 1
block ten MAIN >"$CHAT"
ok 'reads it when it is back' once
is 'takes it up' "$(events queued) $(alerts source-missing true)" '10 1'

rm "$CHAT"
mkdir "$CHAT"
exits 111 'a folder in its place is left for later' once
is 'and told' "$(alerts source-unreadable)" 1
rmdir "$CHAT"
mkfifo "$CHAT"
exits 111 'a FIFO does not block' timeout 10 ghost-bridge --once -c "$CONF"
rm "$CHAT"
block eleven MAIN >"$CHAT"
ok 'a file again' once
is 'is read, and the trouble over' \
    "$(events queued) $(alerts source-unreadable true)" '11 1'

# A broken cursor: from the start, and every document known by its id.
cursor=$(ls "$SPOOL"/state/ghost-bridge/source-*.json)
sed -i 's/"line":/"LINE":/' "$cursor"
ok 'a cursor file that fails its check' once
is 'starts over' "$(events queued) $(events duplicate)" '11 1'
is 'is kept and told' "$(find "$SPOOL/corrupt" -type f | wc -l) $(
    alerts spool-corrupt)" '1 1'

# More than one chunk, with one block across each border; and CRLF.
i=0
: >"$CHAT"
while [ "$i" -lt 12 ]; do
	awk 'BEGIN { for (i = 0; i < 900; i++) printf \
	    "A line of prose that says nothing, and then some more of it.\n" }'
	block "big-$i" MAIN "$(head -c 3000 /dev/zero | tr '\0' x)"
	i=$((i + 1))
done >>"$CHAT"
block crlf MAIN | sed 's/$/\r/' >>"$CHAT"
ok 'reads a longer file in chunks' once
is 'and finds every block' "$(events queued)" 24
is 'keeps the line number over them' "$(json "$cursor" .line)" \
    "$(($(wc -l <"$CHAT") + 1))"
is 'and the offset' "$(json "$cursor" .offset)" "$(stat -c %s "$CHAT")"

# A block longer than a document may be is passed over, what follows is not.
sed -i 's/^bridge:/bridge:\n  document_max: 100k/' "$CONF"
{
	block huge MAIN @ | sed 's/@.*//' | head -n 4
	head -c 700000 /dev/zero | tr '\0' x
	block huge MAIN @ | sed 's/.*@//' | tail -n 2
	block after MAIN
	echo 'the end'
} >>"$CHAT"
ok 'a block longer than document_max' once
is 'is refused' "$(events rejected) $(alerts patch-rejected)" '1 1'
is 'and what stands behind it is found' "$(events queued)" 25
like 'with its reason' "$(json "$(ls "$SPOOL"/bad/*.json)" .error)" \
    'document_max'

# The daemon, and a model that writes in slices.
start bridge ghost-bridge -f -c "$CONF"
before=$(events queued)
block slices MAIN >"$T/text"
size=$(stat -c %s "$T/text")
at=0
while [ "$at" -lt "$size" ]; do
	dd if="$T/text" bs=1 skip="$at" count=23 2>/dev/null >>"$CHAT"
	at=$((at + 23))
	pause
done
queued_now() {
	[ "$(events queued)" -ge "$1" ]
}
await 'takes a block that came in slices' queued_now $((before + 1))
mv "$CHAT" "$CHAT.2"
block rotated MAIN >"$CHAT"
await 'takes up the new file after a rotation' queued_now $((before + 2))

# Renamed away to elsewhere while its writer is in the middle of a block: the
# new file is empty until the writer turns to it.
offset_now() {
	[ "$(json "$cursor" .offset)" -ge "$1" ]
}
mkdir "$T/elsewhere"
exec 4>>"$CHAT"
block moved MAIN >"$T/text"
head -n 2 "$T/text" >&4
await 'sees the beginning of a block' offset_now 1
pause
mv "$CHAT" "$T/elsewhere/"
: >"$CHAT"
pause
tail -n +3 "$T/text" >&4
await 'follows a file that was moved elsewhere' queued_now $((before + 3))
block moved-too MAIN >&4
exec 4>&-
rm "$T/elsewhere/${CHAT##*/}"
block new MAIN >"$CHAT"
await 'to its end, deleted or not, then the new one' \
    queued_now $((before + 5))
stop bridge
is 'ends on a signal' "$?" 0
is 'each was queued once' "$(events queued) $(events duplicate)" \
    "$((before + 5)) 1"
is 'in their order' "$(jq -r 'select(.event == "queued") | .id' \
    "$SPOOL/journal/ghost-bridge.log" | tail -n 3 | tr '\n' ' ')" \
    'moved moved-too new '

# The same with the bridge down, within the folder.
block down MAIN >>"$CHAT"
mv "$CHAT" "$CHAT.3"
block up MAIN >"$CHAT"
ok 'one rotation while the bridge is down' once
is 'loses nothing' "$(events queued)" $((before + 7))
