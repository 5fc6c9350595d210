#!/bin/sh
# SPDX-License-Identifier: ISC
# The summarizer alone: outcomes in, summaries published and delivered, each
# exactly once, and what it does when something is wrong.
. "$(dirname "$0")/../harness/lib.sh"
plan 39

REPLY=$T/reply.md
CONFIRMED=$SPOOL/MAIN/summaries/.completed
write_config
sed -i "/name: replies/a\\
    - {name: chat, type: append, path: $REPLY}\\
  retry: 100ms\\
  give_up: 1s" "$CONF"

# outcome_of QUEUE ID ATTEMPT JSON
outcome_of() {
	printf '%s\n' "$4" |
	    putoutcome "$SPOOL" "$1" "$2" "$3" "${5:-1760000000000000}"
}

begin_marks() {
	grep -c "^<!-- patchflow:summary $1 -->\$" "$REPLY"
}

failed='{"state":"failed","stage":"validation","error":"it broke",
    "commands":[{"phase":"validation","command":"make check","exit_code":2,
    "duration_ms":5,"output_head":"boom"}]}'

# --- the plain way
outcome_of MAIN fix-login 1 "$failed" >"$T/name"
outcome_of MAIN done-1 1 '{"state":"completed","unvalidated":true}' >/dev/null
exits 0 'drains with --once' summarizer --once -c "$CONF"
is 'both outcomes are settled' "$(count_files "$SPOOL/MAIN/outcomes/done")" 2
is 'no outcome is left' "$(count_files "$SPOOL/MAIN/outcomes/new" &&
    count_files "$SPOOL/MAIN/outcomes/cur")" "0
0"
f=$(ls "$CONFIRMED"/summary-fix-login-*.md)
ok 'the delivered summary has its backup' cmp "$f" \
    "$SPOOL/MAIN/summaries/.backup/${f##*/}"
ok 'the directory has it' cmp "$f" "$T/replies/${f##*/}"
is 'the reply file has it once' "$(begin_marks fix-login@MAIN,1)" 1
is 'the body has that hash' \
    "$(awk 'n == 2; /^---$/ && n < 2 { n++ }' "$f" | sha256sum | cut -c1-64)" \
    "$(sed -n 's/^body_sha256: //p' "$f")"
cp "$REPLY" "$T/reply.before"
exits 0 'a second run' summarizer --once -c "$CONF"
ok 'changes nothing in the reply file' cmp "$REPLY" "$T/reply.before"

# --- the same put again, whose answer had been unknown
outcome_of MAIN fix-login 1 "$failed" >/dev/null
exits 0 'an outcome that was put twice' summarizer --once -c "$CONF"
is 'is still one outcome' "$(count_files "$SPOOL/MAIN/outcomes/new")" 0
ok 'and one summary' cmp "$REPLY" "$T/reply.before"

# --- later attempts and other queues
outcome_of MAIN fix-login 2 '{"state":"completed"}' >/dev/null
outcome_of CYOPS fix-login 1 '{"state":"completed"}' >/dev/null
summarizer --once -c "$CONF" 2>/dev/null
is 'the second attempt has its own name' \
    "$(find "$CONFIRMED" -name 'summary-fix-login-*.2.md' | wc -l)" 1
is 'the same id of another queue is delivered beside it' \
    "$(find "$T/replies" -name 'summary-fix-login-*-CYOPS-*.md' | wc -l)" 1
is 'and marked as what it is' "$(begin_marks fix-login@CYOPS,1)" 1

# --- damage
name=$(outcome_of MAIN hurt 1 "$failed")
sed -i s/boom/BOOM/ "$SPOOL/MAIN/outcomes/new/$name"
exits 0 'a damaged outcome' summarizer --once -c "$CONF"
like 'has a summary all the same' "$(cat "$CONFIRMED"/summary-hurt-*.md)" \
    '^damaged: true'
is 'lies in corrupt/' "$(count_files "$SPOOL/corrupt")" 1
ok 'has an alert' test "$(raised spool-corrupt .type | wc -l)" -ge 1
ok 'and a stand-in, so that its attempt stays taken' \
    test -e "$SPOOL/MAIN/outcomes/done/$name"

# --- an attempt's number that is given again: retention took the first one
outcome_of MAIN reused 2 "$failed" >"$T/name"
summarizer --once -c "$CONF" 2>/dev/null
rm "$SPOOL/MAIN/outcomes/done/$(cat "$T/name")" \
    "$CONFIRMED"/summary-reused-* \
    "$SPOOL"/MAIN/summaries/.backup/summary-reused-* \
    "$SPOOL"/state/summarizer/receipts/MAIN@summary-reused-*
outcome_of MAIN reused 2 '{"state":"completed"}' >/dev/null
exits 0 'another outcome of the same key and attempt' summarizer --once -c "$CONF"
is 'is told, too' "$(begin_marks reused@MAIN,2)" 2

# --- what a crash in the middle of an append leaves
outcome_of MAIN torn 1 "$failed" 1760000000000077 >/dev/null
summarizer --once -c "$CONF" 2>/dev/null
cp "$REPLY" "$T/whole"
size=$(stat -c %s "$REPLY")
truncate -s "$((size - 200))" "$REPLY"
mv "$CONFIRMED"/summary-torn-*.md "$SPOOL/MAIN/summaries/"
rm "$SPOOL"/state/summarizer/receipts/MAIN@summary-torn-*
exits 0 'a torn passage at the end' summarizer --once -c "$CONF"
ok 'is completed, not repeated' cmp "$REPLY" "$T/whole"
truncate -s "$((size - 200))" "$REPLY"
printf '\na person wrote this\n' >>"$REPLY"
mv "$CONFIRMED"/summary-torn-*.md "$SPOOL/MAIN/summaries/"
rm "$SPOOL"/state/summarizer/receipts/MAIN@summary-torn-*
summarizer --once -c "$CONF" 2>/dev/null
is 'with text behind it the whole one follows' \
    "$(grep -c '^<!-- patchflow:end torn@MAIN,1 -->$' "$REPLY")" 1
ok 'and the text is still there' grep -q '^a person wrote this$' "$REPLY"

# --- somebody is writing a block into the same file
cp "$REPLY" "$T/whole"
printf '\n```json\n{"role":"command_patch",\n' >>"$REPLY"
outcome_of MAIN patient 1 "$failed" >/dev/null
exits 111 'an open block is waited for' summarizer --once -c "$CONF"
is 'and not written into' "$(begin_marks patient@MAIN,1)" 0
printf '"id":"x"}\n```\n' >>"$REPLY"
exits 0 'when it is closed' summarizer --once -c "$CONF"
is 'the summary follows' "$(begin_marks patient@MAIN,1)" 1

# --- a destination that is not there
mv "$T/replies" "$T/elsewhere"
: >"$T/replies"
outcome_of MAIN later 1 "$failed" >/dev/null
exits 111 'a sick destination defers' summarizer --once -c "$CONF"
is 'the other one has it' "$(begin_marks later@MAIN,1)" 1
is 'the summary waits' "$(count_files "$SPOOL/MAIN/summaries")" 1

# --- one destination never will take it, another one does not yet
later=$(ls "$SPOOL"/MAIN/summaries/summary-later-*)
mv "$later" "$T/later"
rm "$T/replies"
mv "$T/elsewhere" "$T/replies"
hash=$(printf never | sha256sum | cut -c1-8)
echo mine >"$T/replies/summary-never-$hash.md"
echo mine >"$T/replies/summary-never-$hash-MAIN-1760000000000000.md"
mv "$REPLY" "$T/reply.away"
mkdir "$REPLY"
outcome_of MAIN never 1 "$failed" >/dev/null
for i in 1 2 3; do
	summarizer --once -c "$CONF" 2>/dev/null
done
is 'the refusal is told once' "$(raised delivery-failed .subject |
    grep -c "summary-never-")" 1
ok 'and the summary waits for the other one' test -e \
    "$SPOOL/MAIN/summaries/summary-never-$hash.md"
rmdir "$REPLY"
mv "$T/reply.away" "$REPLY"
summarizer --once -c "$CONF" 2>/dev/null
ok 'which ends it' test -e "$SPOOL/MAIN/summaries/.failed/summary-never-$hash.md"
rm "$T/replies"/summary-never-*
mv "$SPOOL/MAIN/summaries/.failed/summary-never-$hash.md" "$SPOOL/MAIN/summaries/"
sed "s|^ *- {name: chat.*|&\n    - {name: new, type: append, path: $T/new.md}|" \
    "$CONF" >"$T/new.yaml"
summarizer --once -c "$T/new.yaml" 2>/dev/null
ok 'put back it goes to all, also when there is one more' test -e \
    "$CONFIRMED/summary-never-$hash.md" -a -s "$T/new.md" -a -e \
    "$T/replies/summary-never-$hash.md"
mv "$T/replies" "$T/elsewhere"
: >"$T/replies"
mv "$T/later" "$later"

# --- the daemon
start summarizer summarizer -f -c "$CONF"
outcome_of MAIN live 1 '{"state":"completed"}' >/dev/null
await 'the daemon takes a new outcome' \
    grep -q '^<!-- patchflow:end live@MAIN,1 -->$' "$REPLY"
for i in 1 2 3 4 5; do
	outcome_of MAIN "late-$i" 1 "$failed" >/dev/null
done
# Each of them, and not one behind the other.
gave_up() {
	[ "$(count_files "$SPOOL/MAIN/summaries/.failed")" = 7 ] &&
	    [ "$(raised delivery-failed .type | wc -l)" -ge 7 ]
}
await 'what cannot be delivered ends in .failed with an alert' gave_up
stop summarizer
