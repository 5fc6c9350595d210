#!/bin/sh
# SPDX-License-Identifier: ISC
# A conflict tells of each path what the patch was made for, what is there
# now, what it would write, and what others changed: enough to make it anew.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config </dev/null
sed -i "s|^    aliases: \[BRAUN\]|&\n    attempts: 1|" "$CONF"

hash_of() {
	sha256sum <"$1" | cut -d ' ' -f 1
}
# entry ID PATH FILTER: of the path's entry in the outcome.
entry() {
	outcome "$1" ".conflicts[] | select(.path == \"$2\") | $3"
}
hashes() {
	entry "$1" "$2" '"\(.base_sha256) \(.now_sha256) \(.patch_sha256)"'
}

# --- others change what a running patch changes

printf 'one\ntwo\nthree\n' >"$ws/text"
printf 'a\000b' >"$ws/binary"
echo calm >"$ws/calm"
echo gone >"$ws/gone"
echo cmd >"$ws/by-command"
text=$(hash_of "$ws/text")
binary=$(hash_of "$ws/binary")
gone=$(hash_of "$ws/gone")
pause=391.$$ # seconds, but it is ended before
queue_json >/dev/null <<END
{"id":"meet","mutations":[{"path":"text","edits":[{"find":"three","replace":"drei"}]},{"path":"binary","contents":"text"},{"path":"calm","append":"x\n"},{"path":"gone","delete":true},{"path":"made","contents":"ours\n"}],"postMutationBuild":{"shell":["echo built >by-command"]},"validate":{"shell":["sleep $pause; true"]}}
END
start executor executor -f -c "$CONF" -q MAIN
await 'the patch is staged' pgrep -fx "sleep $pause"
sed -i s/one/eins/ "$ws/text"
printf 'c\000d' >"$ws/binary"
echo again >"$ws/gone"
echo theirs >"$ws/made"
echo others >"$ws/by-command"
kill "$(pgrep -fx "sleep $pause")"
await 'it ends' ended_as meet failed
stop executor
is 'as a conflict' "$(outcome meet .stage)" conflict
is 'which names each path, and no other' \
    "$(outcome meet '[.conflicts[].path] | sort | join(",")')" \
    'binary,by-command,gone,made,text'
printf 'one\ntwo\ndrei\n' >"$T/ours"
is 'a file: what it was made for, what is there, what it would write' \
    "$(hashes meet text)" "$text $(hash_of "$ws/text") $(hash_of "$T/ours")"
is 'the diff is of what the others did' \
    "$(entry meet text '.diff_of + " " + .diff')" "others --- base/text
+++ now/text
@@ -1,3 +1,3 @@
-one
+eins
 two
 three"
printf text >"$T/ours"
is 'a binary one' "$(hashes meet binary) $(entry meet binary .no_diff)" \
    "$binary $(hash_of "$ws/binary") $(hash_of "$T/ours") binary"
is 'one to be deleted' "$(hashes meet gone)" \
    "$gone $(hash_of "$ws/gone") absent"
echo ours >"$T/ours"
is 'one to be made' "$(hashes meet made)" \
    "absent $(hash_of "$ws/made") $(hash_of "$T/ours")"
echo built >"$T/ours"
is 'of one that a command writes the version of before is not known' \
    "$(hashes meet by-command)" \
    "null $(hash_of "$ws/by-command") $(hash_of "$T/ours")"
is 'and the diff is of what the patch would do to theirs' \
    "$(entry meet by-command '.diff_of + " " + .diff')" "patch --- now/by-command
+++ patch/by-command
@@ -1,1 +1,1 @@
-others
+built"
is 'nothing of it was applied' "$(cat "$ws/text" "$ws/made" "$ws/calm" |
    tr '\n' ,)" 'eins,two,three,theirs,calm,'

# --- who reads it

summarizer --once -c "$CONF" 2>/dev/null
summary=$(cat "$T"/replies/*meet*)
like 'the summary has the hash to go by' "$summary" \
    "what is there now: .$(hash_of "$ws/text")"
like 'and the diff' "$summary" '^\+eins'
shown=$(patchflow -c "$CONF" show meet)
like 'show has them' "$shown" "there now +$(hash_of "$ws/text")"
like 'both' "$shown" '\+eins'
now=$(entry meet text .now_sha256)
printf '{"id":"anew","base":{"text":"sha256:%s"},"mutations":[{"path":"text","edits":[{"find":"three","replace":"drei"}]}]}\n' \
    "$now" | run_json
is 'made anew by it, the patch goes through' \
    "$(outcome anew .state) $(tr '\n' , <"$ws/text")" 'completed eins,two,drei,'

# --- another file than base names

printf '{"id":"base","base":{"text":"sha256:%s","made":"absent","calm":"sha256:%s"},"mutations":[{"path":"text","contents":"eins\\nzwei\\ndrei\\n"},{"path":"made","contents":"ours\\n"}]}\n' \
    "$text" "$(hash_of "$ws/calm")" | run_json
is 'each file of base that is another is told' \
    "$(outcome base '.stage + " " + ([.conflicts[].path] | sort | join(","))')" \
    'conflict made,text'
printf 'eins\nzwei\ndrei\n' >"$T/ours"
is 'with its three hashes' "$(hashes base text)" \
    "$text $(hash_of "$ws/text") $(hash_of "$T/ours")"
is 'and what the patch would do to what is there' \
    "$(entry base text '.diff_of + (.diff | split("\n") | map(select(test("^[-+][^-+]"))) | join(","))')" \
    'patch-two,+zwei'
is 'nothing is changed' "$(cat "$ws/made")" theirs

# --- bounds

seq 1 9000 | sed 's/$/ a line of some length/' >"$ws/long"
sed 's/a line/another/' "$ws/long" >"$T/ours"
head -c 3000000 /dev/zero | tr '\0' x >"$ws/huge"
for i in $(seq 1 30); do
	echo "$i" >"$ws/many$i"
done
{
	printf '{"id":"wide","base":{"long":"sha256:%064d","huge":"sha256:%064d"' 0 0
	for i in $(seq 1 30); do
		printf ',"many%d":"sha256:%064d"' "$i" 0
	done
	printf '},"mutations":[{"path":"long","pattern":"a line","replacement":"another","flags":"g"},{"path":"huge","contents":"small"}]}\n'
} | run_json
is 'at most twenty are told, the rest counted' \
    "$(outcome wide '"\(.conflicts | length) \(.conflicts_unlisted)"')" '20 12'
is 'a long diff is cut' \
    "$(entry wide long '"\(.diff_truncated) \(.diff | length <= 16384)"')" \
    'true true'
is 'a large file has its hashes only' \
    "$(entry wide huge '"\(.now_sha256) \(.no_diff)"')" \
    "$(hash_of "$ws/huge") large"

# --- an undo that meets changes

printf '{"id":"back","mutations":[{"path":"calm","contents":"patched\\n"}]}\n' |
    run_json
summarizer --once -c "$CONF" 2>/dev/null
patched=$(hash_of "$ws/calm")
echo mine >"$ws/calm"
patchflow -c "$CONF" undo back >/dev/null
once
echo calm >"$T/ours"
is 'an undo tells what the patch left, what is there, what would come back' \
    "$(hashes undo:back calm)" \
    "$patched $(hash_of "$ws/calm") $(hash_of "$T/ours")"
is 'and what it would do to that' \
    "$(entry undo:back calm '.diff | split("\n") | map(select(test("^[-+][^-+]"))) | join(",")')" \
    '-mine,+calm'
ok 'nothing is left over' tidy
done_testing
