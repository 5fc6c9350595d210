#!/bin/sh
# SPDX-License-Identifier: ISC
# A staging place that somebody else uses as well keeps what is theirs, and is no
# other queue's; one that a rename no longer leads out of, because the workspace
# was mounted anew, is left for another one, and nothing stays behind.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
# Root of a user namespace, as which it is without rights, could run no patch.
[ "$(id -u)" -ne 0 ] || own_mounts
write_config </dev/null
scratch=$T/scratch
staged() {
	once 2>&1 | sed -n 's/.*, staging //p'
}

# --- somebody else's directories

mkdir -p "$scratch/precious/deep" "$scratch/20261123/new" "$scratch/old,1"
echo gold >"$scratch/precious/deep/gold"
echo gold >"$scratch/old,1/gold"
cp "$CONF" "$T/plain.yaml"
sed -i "s|^    aliases: \[BRAUN\]|&\n    staging: $scratch|" "$CONF"
run_json <<'END' 2>/dev/null
{"id":"one","mutations":[{"path":"a","contents":"x"}]}
END
is 'a patch is staged beside them' \
    "$(outcome one .state) $(find "$scratch/.undo" -name '*-one-*' | wc -l)" \
    'completed 1'
is 'and they stay' "$(cd "$scratch" && find . -name .undo -prune -o -type f \
    ! -name .ballast -print | sort | tr '\n' ' ')" \
    './old,1/gold ./precious/deep/gold '
cp "$T/plain.yaml" "$CONF"
is 'nor do they keep the place in use' "$(staged)" \
    "$SPOOL/state/executor@MAIN/txn"
is 'what is kept for an undo comes along' \
    "$(find "$SPOOL/state/executor@MAIN/txn/.undo" -name '*-one-*' | wc -l)" 1
is 'and nothing of ours stays' "$(find "$scratch" -name '.?*')" ''
summarizer --once -c "$CONF"
ok 'an undo is asked for' patchflow -c "$CONF" undo one
once
fails 'and done' test -e "$ws/a"

sed -i "s|^    aliases: \[.*|&\n    staging: $scratch|" "$CONF"
like 'two queues have no place in common' \
    "$(patchflow -c "$CONF" check-config 2>&1)" \
    "queues\[1\].staging: is another queue's staging place"
cp "$T/plain.yaml" "$CONF"

# --- an executor of another spool

mkdir "$T/side"
mv "$ws" "$T/side/a"
mkdir "$ws" "$T/side/b"
beside=$T/side/.patchflow-MAIN
sed "s|workspace: $ws|workspace: $T/side/a\n    staging: $beside|" \
    "$T/plain.yaml" >"$CONF"
start first executor -f -c "$CONF" -q MAIN
# shellcheck disable=SC2317 # await runs it
is_staged() {
	grep -q "staging $beside" "$T/log/first"
}
await 'an executor stages beside its workspace' is_staged
sed "s|^spool: .*|spool: $T/other|; s|$T/side/a|$T/side/b|" "$CONF" \
    >"$T/other.yaml"
executor --once -c "$T/other.yaml" -q MAIN >"$T/other.log" 2>&1
like 'one of another spool leaves its place alone' "$(cat "$T/other.log")" \
    "$beside: another executor uses it"
like 'and its queue says what it waits for' "$(cat "$T/other.log")" \
    'cannot be used: another executor uses its staging place'
stop first
like 'until it has ended' \
    "$(executor --once -c "$T/other.yaml" -q MAIN 2>&1)" "staging $beside"
cp "$T/plain.yaml" "$CONF"

# --- the workspace becomes a mount

if mount --bind "$ws" "$ws" 2>/dev/null; then
	run_json <<'END' 2>/dev/null
{"id":"two","mutations":[{"path":"a","contents":"y"}]}
END
	is 'a patch of a workspace that was mounted anew' \
	    "$(outcome two .state) $(cat "$ws/a")" 'completed y'
	is 'is staged within it' "$(staged)" "$ws/.patchflow"
	umount "$ws"
else
	skip 2 'nothing can be mounted here'
fi
done_testing
