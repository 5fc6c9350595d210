#!/bin/sh
# SPDX-License-Identifier: ISC
# fsck sees each kind of damage, and --repair mends what is safe.
. "$(dirname "$0")/../harness/lib.sh"
for b in ghost-bridge executor summarizer alertd; do
	command -v "$b" >/dev/null || skip_all "no $b"
done
plan 25

write_config </dev/null
cd "$T" || exit 1
for id in one two three; do
	printf '{"id": "%s", "target": "MAIN", "mutations": [{"path": "%s", "contents": "x"}]}\n' \
	    "$id" "$id" >"$id.json"
done
patchflow submit one.json two.json three.json >"$T/out" 2>&1
drain >"$T/log/drain" 2>&1 || diag "$(cat "$T/log/drain")"
ok 'three patches completed' test "$(patchflow --json queue -a |
    jq '[.[] | select(.state == "completed")] | length')" = 3
exits 0 'the spool is whole' patchflow fsck
is 'and counted' "$(patchflow --json fsck | jq '.ok and .files > 9')" true
for check in false true; do
	printf '{"id": "four", "target": "MAIN", "mutations": [{"path": "four", "contents": "x"}], "validate": {"shell": ["%s"]}}\n' \
	    $check | patchflow submit - >>"$T/out" 2>&1
	drain >>"$T/log/drain" 2>&1
	alertd --once -c "$CONF" 2>>"$T/log/drain"
done
is 'a failed one was sent again, corrected' "$(patchflow --json show four |
    jq -r '.[0] | "\(.attempt) \(.state)"')" '2 completed'
exits 0 'both attempts have their place' patchflow fsck
is 'the alert of the first one is over' "$(patchflow --json alerts |
    jq '[.[] | select(.subject == "four")] | length')" 0
done=$SPOOL/MAIN/patches/.completed
outcomes=$SPOOL/MAIN/outcomes/done
one=$(basename "$done"/*-one-*) two=$(basename "$done"/*-two-*)
three=$(basename "$done"/*-three-*)
wrong() { # wrong SENTENCE PATTERN: fsck finds just that
	exits 1 "$1" patchflow fsck
	like '... and says what' "$(cat "$T/out")" "^wrong +$2"
}

cp "$done/$one" "$SPOOL/MAIN/patches/$one"
wrong 'a patch in two states' "MAIN/patches/.completed/$one +is in patches too"
rm "$SPOOL/MAIN/patches/$one"

mv "$outcomes/${two#*-}" "$T/kept"
wrong 'a patch that ended without an outcome' \
    "MAIN/patches/.completed/$two +has no outcome"
mv "$T/kept" "$outcomes/${two#*-}"

rm "$SPOOL"/MAIN/summaries/.completed/summary-three-* \
    "$SPOOL"/MAIN/summaries/.backup/summary-three-*
wrong 'an outcome without a summary' "MAIN/outcomes/done/${three#*-} +has no summary"
exits 0 'which is mended' patchflow fsck --repair
like 'by giving it to the summarizer' "$(cat "$T/out")" '^mended +.*given to the summarizer'
summarizer --once -c "$CONF" >>"$T/log/drain" 2>&1
ok 'who writes it again' sh -c \
    "ls '$SPOOL'/MAIN/summaries/.completed/summary-three-*"
exits 0 'and all is well' patchflow fsck

printf 'x' | dd of="$done/$one" bs=1 seek=20 conv=notrunc status=none
wrong 'a file that fails its check' "MAIN/patches/.completed/$one +fails its check"
exits 0 'a settled one is set aside' patchflow fsck --repair
is 'and kept' "$(count_files "$SPOOL/corrupt")" 1

mkdir "$SPOOL/ids/00" 2>/dev/null
ln -s "MAIN/1700000000000000-gone-01234567.$(printf '%064d' 0)" \
    "$SPOOL/ids/00/$(printf '%064d' 0)"
exits 0 'an id past retention is none' patchflow fsck
now=$(($(date +%s) * 1000000))
ln -sf "MAIN/$now-gone-01234567.$(printf '%064d' 0)" \
    "$SPOOL/ids/00/$(printf '%064d' 0)"
wrong 'an id that was accepted and is nowhere' 'ids +.*-gone-01234567 in MAIN'
rm "$SPOOL/ids/00/$(printf '%064d' 0)"

echo x >"$SPOOL/MAIN/patches/.tmp/1700000000000000-4194300-0badcafe.json"
exits 0 'a file of a put in progress is none of its business' \
    patchflow fsck --repair
ok 'and stays' test -e "$SPOOL"/MAIN/patches/.tmp/*-0badcafe.json
