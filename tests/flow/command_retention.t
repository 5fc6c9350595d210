#!/bin/sh
# SPDX-License-Identifier: ISC
# What the command says of patches that retention has been at: it keeps queue
# files longer than outcomes and summaries.
. "$(dirname "$0")/../harness/lib.sh"
plan 10

write_config </dev/null
cd "$T" || exit 1
Q=$SPOOL/MAIN
printf '{"id":"good","target":"MAIN","mutations":[{"path":"a","contents":"x"}]}\n' >good.json
printf '{"id":"bad","target":"MAIN","mutations":[{"path":"b","contents":"x"}],
    "validate":{"shell":["false"]}}\n' >bad.json
patchflow submit good.json bad.json >"$T/out" 2>&1
drain >"$T/log/drain" 2>&1 || diag "$(cat "$T/log/drain")"
exits 0 'a completed patch is waited for' patchflow wait good
exits 1 'and a failed one' patchflow wait bad

# forget: as retention leaves them after some months.
forget() {
	mv "$Q"/patches/.completed/* "$Q"/patches/.failed/* "$Q/patches/.archive/"
	rm "$Q"/outcomes/done/* "$Q"/summaries/.completed/* \
	    "$Q"/summaries/.backup/*
}
forget
exits 1 'of an archived one without its outcome it is not said that it was well' \
    patchflow wait --timeout 30s bad
like 'but what is known' "$(cat "$T/out")" \
    '^bad@MAIN: archived, its outcome is not kept'
start bridge ghost-bridge -f -c "$CONF"
exits 1 'nor by handing it in again' \
    patchflow submit --wait --timeout 30s bad.json
like 'which says the same' "$(cat "$T/out")" '^bad@MAIN: archived, its outcome'
stop bridge

# older FILE: the queue file as one that was accepted long ago.
older() {
	name=${1##*/}
	key=${name#*-}
	key=${key%,*}
	line=$(head -n 1 "$1" | sed "s/$key/1600000000000000-${key#*-}/g")
	printf '%s\n{"bytes":%d,"sha256":"%s"}\n' "$line" ${#line} \
	    "$(printf %s "$line" | sha256sum | cut -d' ' -f1)" \
	    >"${1%/*}/${name%%-*}-1600000000000000-${key#*-},1.json"
	rm "$1"
}
exits 1 'an outcome that should still be kept is missed' patchflow fsck
like 'of each of them' "$(cat "$T/out")" 'archive/.*-bad-.* has no outcome'
for f in "$Q"/patches/.archive/*; do
	older "$f"
done
find "$SPOOL/ids" -type l -delete
exits 0 'one that is past retention is not' patchflow fsck
is 'and the archived patches are read' "$(patchflow --json fsck |
    jq '.ok and .files > 1')" true
