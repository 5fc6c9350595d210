#!/bin/sh
# SPDX-License-Identifier: ISC
# The inbox: submissions, dropped files, and what does not belong there.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/bridge.sh"
write_config </dev/null
once
new=$SPOOL/inbox/new

# checked TEXT FIELD...: the two lines of a submission of that text.
checked() {
	line=$(jq -cn --arg text "$1" --arg queue "${2:-}" \
	    --argjson priority "${3:--1}" '{format: "patchflow-submission-1",
	    text: $text, name: "fix.json", queue: $queue,
	    priority: $priority, conversation: "c1", message_id: "m1",
	    author: "ann"}')
	printf '%s\n{"bytes":%d,"sha256":"%s"}\n' "$line" \
	    "$(printf %s "$line" | wc -c)" \
	    "$(printf %s "$line" | sha256sum | cut -d' ' -f1)"
}

# What waits in the inbox.
left() {
	find "$new" "$SPOOL/inbox/cur" -mindepth 1
}

job() {
	for f in $(naming "$1" "$SPOOL/$2"/patches/*.json); do
		[ "$(json "$f" .id)" != "$1" ] || json "$f" "$3"
	done
}

checked "$(patch one MAIN)" >"$new/1.json"
checked "$(patch two MAIN)" CYOPS 0 >"$new/2.json"
ok 'takes submissions' once
is 'to their targets, or the queue that the submitter chose' \
    "$(queued MAIN)/$(queued CYOPS)" one/two
is 'with the envelope that they carry' "$(job two CYOPS \
    '"\(.source) \(.conversation) \(.message_id) \(.author) \(.uid)"')" \
    "inbox:fix.json c1 m1 ann $(id -u)"
is 'at the priority that they carry' "$(job two CYOPS .attempt) $(
    find "$SPOOL/CYOPS/patches" -name '0-*,1.json' | wc -l)" '1 1'
is 'and files them' "$(left)$(
    find "$SPOOL/inbox/done" -name '[12].json' | wc -l)" 2

# Dropped by hand: no role needed, any name, stable first.
echo '{"id": "dropped", "mutations": [{"path": "x", "contents": "y"}]}' \
    >"$new/my patch (v2).json"
cat >"$new/plain.yml" <<'END'
id: yaml-dropped
target: MAIN
mutations:
  - {path: x, contents: y}
END
ok 'waits until dropped files are stable' once
is 'takes them' "$(all_queued)" 'dropped one two yaml-dropped'
like 'under a plain name' "$(job dropped CYOPS .source)" \
    '^inbox:[0-9].*my_patch__v2_\.json$'
is 'leaves nothing behind' "$(left)" ''

# Two drops of the same name.
fail_patch dropped CYOPS
patch dropped CYOPS other >"$new/again.json"
ok 'another content' once
patch dropped CYOPS third >"$new/again.json"
ok 'and one more while it is queued, under the same file name' once
fail_patch dropped CYOPS
patch dropped CYOPS third >"$new/again.json"
ok 'and that again after the failure' once
is 'is a resend, not the refusal again' "$(job dropped CYOPS .attempt)" 3

# Unreadable as a document.
echo 'this is no patch at all: [' >"$new/noise.txt"
head -c 4096 /dev/urandom >"$new/random.bin"
printf '{"id": "latin", "description": "gr\374n", "mutations": []}' \
    >"$new/latin.json"
: >"$new/empty.json"
ok 'takes what is no document' once
is 'refuses each' "$(find "$SPOOL/bad" -name '*.txt' | wc -l) $(
    find "$SPOOL/bad" -name '*.json' | wc -l)" '5 5'
is 'with an outcome' "$(count_files "$SPOOL/CYOPS/outcomes/new")" 5
is 'and an alert' "$(alerts patch-rejected)" 5

# A submission that was changed on its way.
checked "$(patch bent MAIN)" | sed 's/text/TEXT/2' >"$new/bent.json"
ok 'a submission whose check does not hold' once
is 'is not run' "$(all_queued)" 'dropped one two yaml-dropped'
like 'is refused for that' "$(for f in "$SPOOL"/bad/*.json; do
    json "$f" .error; done)" 'checksum'

# Hostile files.
secret=$T/secret
patch secret MAIN >"$secret"
ln -s "$secret" "$new/link.json"
ln "$secret" "$new/hard.json"
mkfifo "$new/fifo.json"
mkdir "$new/folder.json"
ln -s /dev/zero "$new/zero"
exits 0 'sets aside what is no plain file' timeout 30 \
    ghost-bridge --once -c "$CONF"
is 'runs none of it' "$(all_queued)" 'dropped one two yaml-dropped'
is 'none is left' "$(ls "$new")" ''
is 'all are kept' "$(find "$SPOOL/corrupt" -mindepth 1 -maxdepth 1 |
    wc -l)" 5
is 'and told' "$(alerts spool-corrupt)" 5
is 'the linked file is untouched' "$(patch secret MAIN)" "$(cat "$secret")"

# Too large.
sed -i 's/^bridge:/bridge:\n  document_max: 10k/' "$CONF"
patch large MAIN "$(head -c 20000 /dev/zero | tr '\0' x)" >"$new/large.json"
head -c 40000000 /dev/zero >"$new/huge.bin"
ok 'what is too large' once
is 'is refused' "$(for f in "$SPOOL"/bad/*.json; do json "$f" .error
    done | grep -cE 'longer|too large')" 2
is 'and filed' "$(left)" ''

# Of other users.
if [ "$(id -u)" -eq 0 ]; then
	patch foreign MAIN >"$new/foreign.json"
	chown "$(as_user id -u)" "$new/foreign.json"
	ok 'a file of another user' once
	is 'is stamped with its owner' "$(job foreign MAIN .uid)" \
	    "$(as_user id -u)"
	skip 9 'root reads everything'
else
	skip 2 'only root has files of others'
	patch closed MAIN >"$new/closed.json"
	chmod 0 "$new/closed.json"
	exits 111 'a file that cannot be read is left for later' once
	is 'and told' "$(alerts source-unreadable)" 1
	chmod 600 "$new/closed.json"
	ok 'once it can be read' once
	is 'is taken' "$(queued MAIN)" 'one yaml-dropped closed'
	is 'and the end of it told, by another process' \
	    "$(alerts source-unreadable true)" 1
	patch shut MAIN >"$new/sh ut.json"
	chmod 0 "$new/sh ut.json"
	exits 111 'one more' once
	exits 111 'is told once' once
	rm -f "$new/sh ut.json"
	ok 'when it is taken away' once
	is 'that is the end too' "$(alerts source-unreadable) $(alerts \
	    source-unreadable true)" '2 2'
fi

# The daemon, and a file that is written slowly: but on no machine so slowly
# that it seems whole in between.
sed -i 's/^  settle: .*/  settle: 2s/' "$CONF"
start bridge ghost-bridge -f -c "$CONF"
patch slow MAIN | while read -r line; do
	echo "$line"
	pause
done >"$new/slow.json"
slow_queued() {
	queued MAIN | grep -qw slow
}
await 'takes a file that is written slowly when it is whole' slow_queued
checked "$(patch quick MAIN)" >"$SPOOL/inbox/tmp/quick"
began=$(now_ms)
mv "$SPOOL/inbox/tmp/quick" "$new/quick.json"
quick_queued() {
	queued MAIN | grep -qw quick
}
await 'takes a submission at once' quick_queued
stop bridge
# Without waiting for the next look at all, which is every 30 s.
is 'refused nothing of it' "$(all_queued | grep -cw slow) $((
    $(now_ms) - began < 25000))" '1 1'
done_testing
