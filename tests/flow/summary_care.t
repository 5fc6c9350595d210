#!/bin/sh
# SPDX-License-Identifier: ISC
# What the summarizer keeps is looked after: damage is repaired from the other
# copy or from the outcome, and copies go only where the path rules allow.
. "$(dirname "$0")/../harness/lib.sh"
plan 24

write_config

outcome_of() {
	printf '%s\n' "$2" |
	    putoutcome "$SPOOL" MAIN "$1" 1 1760000000000000 >/dev/null
}

scrubbed() {
	rm -f "$SPOOL/state/summarizer/scrub.json"
	summarizer --once -c "$CONF" 2>"$T/log/scrub"
}

# --- scrubbing
outcome_of kept '{"state":"completed","description":"as it was"}'
summarizer --once -c "$CONF" 2>/dev/null
S=$(ls "$SPOOL"/MAIN/summaries/.completed/summary-kept-*.md)
B=$SPOOL/MAIN/summaries/.backup/${S##*/}
cp "$S" "$T/good"

sed -i 's/as it was/as it wasn/' "$S"
ok 'a scrub' scrubbed
ok 'restores a damaged summary from its backup' cmp "$S" "$T/good"
is 'keeps the damaged one' "$(count_files "$SPOOL/corrupt")" 1
is 'and raises an alert' "$(raised spool-corrupt .type | wc -l)" 1
truncate -s 40 "$B"
scrubbed
ok 'a damaged backup is restored too' cmp "$B" "$T/good"
rm "$B"
scrubbed
ok 'a missing backup is made' cmp "$B" "$T/good"
rm "$S" "$B"
scrubbed
ok 'a summary that is gone is made again from its outcome' cmp "$S" "$T/good"
is 'and not delivered beside the first' "$(count_files "$T/replies")" 1
sed -i 's/as it was/x/' "$S" "$B"
scrubbed
scrubbed
ok 'also when both copies were damaged' cmp "$S" "$T/good"

# --- final.summaryFile
W=$T/ws/main
mkdir -p "$W/.git/hooks" "$W/sub/.git" "$W/keys" "$W/docs" "$T/outside" \
    "$T/replies/sub"
sed -i 's/^    aliases: \[BRAUN\]/&\n    protected: [keys]/' "$CONF"
ln -s "$T/outside" "$W/link"
echo 'int main(void);' >"$W/main.c"
n=0
# copy_to PATH: a completed patch that wants its summary there
copy_to() {
	n=$((n + 1))
	outcome_of "copy-$n" "{\"state\":\"completed\",\"final\":{\"summaryFile\":\"$1\"}}"
}
copy_to docs/new/report.md
copy_to "$W/docs/absolute.md"
copy_to "$T/replies/sub/s.md"
copy_to ../escape.md
copy_to "$T/outside/evil.md"
copy_to .git/hooks/post-commit
copy_to link/evil.md
copy_to main.c
copy_to keys/s.md
copy_to sub/.git/s.md
exits 0 'wishes for copies hold nothing up' summarizer --once -c "$CONF"
ok 'a copy below the workspace' grep -q '^id: copy-1$' "$W/docs/new/report.md"
ok 'also by its absolute name' grep -q '^id: copy-2$' "$W/docs/absolute.md"
ok 'a copy below a destination' grep -q '^id: copy-3$' "$T/replies/sub/s.md"
is 'none outside' "$(find "$T/outside" "$T/ws/escape.md" "$T/escape.md" \
    "$W/.git/hooks" -type f 2>/dev/null)" ''
is 'none in what is protected, however deep' \
    "$(find "$W/keys" "$W/sub" -type f)" ''
is 'nor over a file of others' "$(cat "$W/main.c")" 'int main(void);'
like 'the summary says why' \
    "$(cat "$SPOOL"/MAIN/summaries/.completed/summary-copy-5-*.md)" \
    'No copy of this summary at .*: it is neither below'
is 'what the words allowed and the disk did not is told' \
    "$(raised delivery-failed .type | wc -l)" 2
copy_to docs/absolute.md
summarizer --once -c "$CONF" 2>/dev/null
ok 'an older summary is replaced' grep -q '^id: copy-11$' "$W/docs/absolute.md"

# --- retention
rm -rf "$SPOOL" "$T/replies"
cat >>"$CONF" <<END
retention:
  summaries_bytes: 1M
END
sed -i '/^  destinations:/i\  output_bytes: 1M' "$CONF"
long=$(head -c 60000 /dev/zero | tr '\0' x)
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
	outcome_of "long-$i" "{\"state\":\"failed\",\"stage\":\"command\",
	    \"commands\":[{\"exit_code\":1,\"output_head\":\"$long\"}]}"
done
summarizer --once -c "$CONF" 2>/dev/null
ok 'retention comes with the scrub' scrubbed
kept=$(count_files "$SPOOL/MAIN/summaries/.completed")
is 'what is over its size goes, the rest stays' \
    "$([ "$kept" -ge 10 ] && [ "$kept" -le 18 ] && echo yes)" yes
is 'with its backup, its receipt and its outcome' \
    "$(count_files "$SPOOL/MAIN/summaries/.backup") $(
	count_files "$SPOOL/state/summarizer/receipts") $(
	count_files "$SPOOL/MAIN/outcomes/done")" "$kept $kept $kept"
scrubbed
is 'and is not made again' \
    "$(count_files "$SPOOL/MAIN/summaries/.completed")" "$kept"
is 'what was delivered stays delivered' "$(count_files "$T/replies")" 24
