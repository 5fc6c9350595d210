#!/bin/sh
# SPDX-License-Identifier: ISC
# What becomes of a document: queues, duplicates, revisions, conflicts,
# near-misses, refusals.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/bridge.sh"
write_config </dev/null

# Targets.
{
	block a MAIN
	block b BRAUN
	block c DEV
	block d
	block e NOWHERE
	block f BOTH
} >>"$CHAT"
ok 'takes each to its queue' once
is 'by name, by alias, to both' "$(queued MAIN)" 'a b f'
is 'no target and an unknown one to the default' "$(queued CYOPS)" 'c d e f'
job() {
	for f in $(naming "$1" "$SPOOL/$2"/patches/*.json); do
		[ "$(json "$f" .id)" != "$1" ] || json "$f" "$3"
	done
}
like 'says so in the warnings' "$(job e CYOPS '.warnings[]')" 'NOWHERE'
is 'and where none is named, once' "$(job d CYOPS '.warnings | length')" 1
like 'by the queue it went to' "$(job d CYOPS '.warnings[]')" \
    'no target .*CYOPS'
is 'writes the envelope' "$(job a MAIN \
    '"\(.queue) \(.attempt) \(.source) \(.uid)"')" \
    "MAIN 1 transcript:chat $(stat -c %u "$CHAT")"

# The same again, as JSON and as YAML.
block a MAIN >>"$CHAT"
cat >>"$CHAT" <<'END'

~~~yaml
role: command_patch
id: a
target: MAIN
mutations:
  - path: f-a
    contents: text
~~~
END
ok 'the same document again, and as YAML' once
is 'is a duplicate, not run' "$(queued MAIN) $(counted duplicates)" 'a b f 2'

# Another content under an id that is in the queue.
block a MAIN other >>"$CHAT"
ok 'another document of a queued id' once
id=$(json "$SPOOL"/MAIN/outcomes/new/*.json .id)
like 'is refused under an id of its own' "$id" '^a~[0-9a-f]{12}$'
is 'as a conflict' "$(outcome "$id" '"\(.state) \(.reason) \(.declared_id)"')" \
    'rejected id-conflict a'
is 'and told' "$(alerts patch-rejected)" 1

# The same occurrence read again is the same refusal, also when the first
# patch has failed by then; the same text sent again is a revision.
fail_patch a MAIN
cursor=$(ls "$SPOOL"/state/ghost-bridge/source-*.json)
rm "$cursor"
ok 'the transcript read again from its start' once
is 'queues nothing' "$(queued MAIN)" 'b f'
is 'refuses nothing anew' "$(count_files "$SPOOL/MAIN/outcomes/new") $(
    alerts patch-rejected)" '1 1'
block a MAIN other >>"$CHAT"
ok 'the same text sent after the failure' once
is 'is queued, in the place that the id had' "$(queued MAIN)" 'a b f'
is 'under the same key, as the next attempt' "$(job a MAIN .attempt) $(
    job a MAIN .key)" "2 $(json "$SPOOL"/MAIN/patches/.failed/*.json .key)"
block a MAIN other >>"$CHAT"
block a MAIN >>"$CHAT"
ok 'both contents once more' once
is 'are duplicates' "$(queued MAIN) $(job a MAIN .attempt)" 'a b f 2'

# Attempts beyond what the ids know: by an operator's retry.
fail_patch a MAIN
rm "$SPOOL"/MAIN/patches/.failed/*,1.json
for f in "$SPOOL"/MAIN/patches/.failed/*,2.json; do
	mv "$f" "${f%,2.json},4.json"
done
block a MAIN third >>"$CHAT"
ok 'a third content' once
is 'gets the attempt after the highest' "$(job a MAIN .attempt)" 5

# Malformed: line and column of the transcript.
{
	echo
	echo 'A broken one:'
	echo '```json'
	echo '{"role": "command_patch",'
	echo ' "id": "broken",'
	echo ' "target" "MAIN"}'
	echo '```'
} >>"$CHAT"
line=$(grep -n '"target" "MAIN"' "$CHAT" | cut -d: -f1)
ok 'a block that does not parse' once
bad=$(find "$SPOOL/bad" -name '*-bad-*.json')
id=$(json "$bad" .id)
like 'gets an id of its text' "$id" '^bad-[0-9a-f]{12}$'
is 'its place is the line and column of the file' \
    "$(json "$bad" '"\(.place.line) \(.place.column)"')" "$line 11"
is 'in the outcome too' \
    "$(outcome "$id" '"\(.state) \(.reason) \(.place.line):\(.place.column)"')" \
    "rejected malformed $line:11"
is 'its text is kept' "$(cat "${bad%.json}.txt")" \
    "$(sed -n "$((line - 2)),${line}p" "$CHAT")"
like 'a person is told' "$(for f in "$SPOOL"/alerts/new/*.json; do
    json "$f" .text; done)" "line $line: malformed"
rm "$cursor"
ok 'reading it again' once
is 'refuses it once' "$(find "$SPOOL/bad" -name '*-bad-*.json' | wc -l) $(
    outcome_files "$id" | wc -l)" '1 1'

# Refused, corrected under the same id.
cat >>"$CHAT" <<'END'
```json
{"role": "command_patch", "id": "nothing", "target": "MAIN"}
```
END
ok 'a patch without an action' once
is 'is rejected' "$(outcome nothing '"\(.state) \(.reason) \(.attempt)"')" \
    'rejected not-executable 1'
block nothing MAIN >>"$CHAT"
ok 'its corrected form' once
is 'is queued as the next attempt' "$(job nothing MAIN .attempt)" 2

# What only looks like a patch.
cat >>"$CHAT" <<'END'
```json
{"id": "near", "mutations": [{"path": "x", "contents": "y"}]}
```
> ```json
> {"role": "command_patch", "id": "quoted", "target": "MAIN",
>  "mutations": [{"path": "x", "contents": "y"}]}
> ```
<!-- patchflow:summary old@MAIN,1 -->
```json
{"role": "command_patch", "id": "told", "target": "MAIN",
 "mutations": [{"path": "x", "contents": "y"}]}
```
<!-- patchflow:end old@MAIN,1 -->
```json
{"name": "some-package", "version": "1.0.0"}
```
END
before=$(all_queued)
ok 'a block without role, a quoted one, one in a summary' once
is 'are not run' "$(all_queued)" "$before"
is 'are counted' "$(counted near_misses) $(events near-miss)" '3 3'
is 'are told once for the source' "$(alerts near-miss)" 1
echo '```json
{"id": "near2", "mutations": [{"path": "x", "contents": "y"}]}
```' >>"$CHAT"
once
is 'and not again' "$(counted near_misses) $(alerts near-miss)" '4 1'

# Only some authors.
cat >"$CHAT" <<'END'
**User:**

END
{
	block by-user MAIN
	printf '\n**Assistant:**\n\n'
	block by-assistant MAIN
} >>"$CHAT"
sed -i 's|path: \(.*/chat.md\)}|path: \1, authors: [assistant]}|' "$CONF"
ok 'a source with authors' once
is 'takes only theirs' "$(queued MAIN | tr ' ' '\n' | grep by-)" by-assistant
is 'the author is in the envelope' "$(job by-assistant MAIN .author)" assistant
# A source may name the queue of what names none, or cannot: it is broken.
sed -i 's/{type: transcript, name: chat,/& queue: MAIN,/' "$CONF"
in_main() {
	count_files "$SPOOL/MAIN/outcomes/new"
}
before=$(in_main)
{
	block homeless
	block torn | sed '3,$s/]//'
} >>"$CHAT"
ok 'a source with a queue of its own' once
like 'takes there what names none' " $(queued MAIN) " ' homeless '
is 'and the refusal of what does not parse' "$(in_main)" $((before + 1))

# What is short in the chat and longer than any file of the spool once its
# aliases, or its escapes, are written out.
# swollen ID TEXT COUNT: ten files of that text so many times.
swollen() {
	printf '\n```yaml\nrole: command_patch\nid: %s\ntarget: MAIN\n' "$1"
	printf 'mutations:\n  - {path: a, contents: &x "'
	yes "$2" | head -n "$3" | tr -d '\n'
	printf '"}\n'
	for n in 1 2 3 4 5 6 7 8 9; do
		printf '  - {path: b%d, contents: *x}\n' "$n"
	done
	printf '```\n'
}
{
	swollen aliases xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 100000
	swollen escapes '\e\e\e\e\e\e\e\e\e\e' 50000
	block behind MAIN
} >>"$CHAT"
ok 'documents that no queue file can hold' once
is 'are refused, and it is said why' "$(first_lines "$SPOOL"/bad/*.json | jq -r .error |
    grep -cE 'more than 33554432 bytes|longer than 24 MiB')" 2
like 'and hold up nothing behind them' " $(queued MAIN) " ' behind '

done_testing
