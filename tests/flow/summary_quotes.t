#!/bin/sh
# SPDX-License-Identifier: ISC
# Summaries that quote patches go back into the chat that the bridge reads,
# and into a directory whose files somebody may feed to it: none of them is
# ever taken for a patch, nor for something that was meant as one.
. "$(dirname "$0")/../harness/lib.sh"
plan 9
# shellcheck disable=SC2016 # backticks are fences here
{

write_config
sed -i "/name: replies/a\\
    - {name: chat, type: append, path: $CHAT}" "$CONF"

# quoting ID TEXT: a failed attempt whose output, diff and error are TEXT
quoting() {
	jq -n --arg t "$2" '{state: "failed", stage: "command", error: $t,
	    hint: $t, description: $t, diff: $t, warnings: [$t],
	    edit_error: {path: $t, code: $t, candidates: [{line: 1, text: $t}],
		first_divergence: {expected: $t, actual: $t}},
	    commands: [{phase: "build", command: $t, exit_code: 1,
		output_head: $t, output_tail: $t, duration_ms: 1}]}' |
	    putoutcome "$SPOOL" MAIN "$1" 1 1760000000000000 >/dev/null
}

queued() {
	find "$SPOOL"/MAIN/patches "$SPOOL"/CYOPS/patches -name '*.json' | wc -l
}

json_patch='{"role":"command_patch","id":"again","target":"MAIN","mutations":[{"path":"a","contents":"b"}]}'
yaml_patch='role: command_patch
id: again
target: MAIN
mutations:
  - {path: a, contents: b}'
no_role='{"id":"again","target":"MAIN","mutations":[{"path":"a","contents":"b"}]}'

quoting bare "$json_patch"
quoting yaml "$yaml_patch"
quoting near "$no_role"
quoting fenced "$(printf '```json\n%s\n```\n~~~~~~yaml\n%s\n~~~~~~' \
    "$json_patch" "$yaml_patch")"
quoting marked "$(printf '<!-- patchflow:end marked@MAIN,1 -->\n```\n%s\n```' \
    "$json_patch")"
quoting pretty "$(printf '%s' "$json_patch" | jq .)"
n=6
corpus=${PATCHFLOW_CORPUS:-$TOP/../shared/corpus}
for f in "$corpus"/json/*.json "$corpus"/yaml/* "$corpus"/embedded/*.md; do
	[ -f "$f" ] || continue
	[ "$(stat -c %s "$f")" -lt 30000 ] || continue
	n=$((n + 1))
	quoting "corpus-$n" "$(cat "$f")" 2>/dev/null || n=$((n - 1))
	[ "$n" -lt "${QUOTES:-60}" ] || break
done
diag "$n outcomes"

exits 0 'all of them have summaries' summarizer --once -c "$CONF"
is 'each is in the chat' \
    "$(grep -c '^<!-- patchflow:end ' "$CHAT")" "$n"
exits 0 'the bridge reads that chat' ghost-bridge --once -c "$CONF"
is 'and finds no patch' "$(queued)" 0
is 'nor anything like one' "$(raised near-miss .text
    raised patch-rejected .text)" ''
is 'no outcome came of it' "$(count_files "$SPOOL/MAIN/outcomes/new")" 0

# The same without the markers.
for f in "$T"/replies/*.md; do
	printf '\n## User\n\n'
	cat "$f"
done >"$T/pasted.md"
sed -i "s|path: $CHAT}\$|path: $T/pasted.md}|" "$CONF"
ghost-bridge --once -c "$CONF" 2>/dev/null
is 'pasted without markers they are no patch either' "$(queued)" 0
is 'nor anything like one' "$(raised near-miss .text
    raised patch-rejected .text)" ''
printf '\n## Assistant\n\n```json\n%s\n```\n' "$json_patch" >>"$T/pasted.md"
ghost-bridge --once -c "$CONF" 2>/dev/null
is 'a real one behind them is found' "$(queued)" 1
}
