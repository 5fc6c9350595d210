#!/bin/sh
# SPDX-License-Identifier: ISC
# What a patch takes away with a directory and could not remove afterwards: a
# filesystem that somebody has mounted in there, whose files are no part of it,
# and a file that nobody may delete. It fails before its record, and so does an
# undo; what lies in the staging place in spite of it stays, and holds nothing.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_root
own_mounts
write_config </dev/null
place=$SPOOL/state/executor@MAIN/txn
other=$T/other
mkdir "$other"
{ mount --bind "$other" "$other" && umount "$other"; } ||
	skip_all 'nothing can be mounted here'
undo() {
	patchflow -c "$CONF" undo "$1" >/dev/null 2>&1 && once 2>/dev/null
}
run_all() {
	run_json 2>/dev/null && summarizer --once -c "$CONF" 2>/dev/null
}
# said ID: how it ended.
said() {
	outcome "$1" '"\(.state) \(.stage) \(.error)"'
}

# --- a mount within a directory

mkdir -p "$ws/data/deep/mnt" "$ws/swap/mnt"
echo gold >"$other/gold"
mount --bind "$other" "$ws/data/deep/mnt"
mount --bind "$other" "$ws/swap/mnt"
run_all <<'END'
{"id":"delete","mutations":[{"path":"data","delete":true}]}
{"id":"command","postMutationBuild":{"shell":["rm -r data"]},"validate":{"shell":["true"]}}
{"id":"replace","mutations":[{"path":"swap","delete":true},{"path":"swap","contents":"x"}]}
END
for id in delete command; do
	is "a directory that holds a mount stays: $id" "$(said $id)" \
	    'failed prepare data/deep/mnt: a filesystem is mounted on it'
done
is 'and is not replaced' "$(said replace)" \
    'failed prepare swap/mnt: a filesystem is mounted on it'
is 'what is mounted is whole' "$(cat "$other/gold")" gold
umount "$ws/data/deep/mnt" "$ws/swap/mnt"

run_all <<'END'
{"id":"make","mutations":[{"path":"made/mnt","mkdir":true}]}
END
is 'a patch makes a directory' "$(outcome make .state)" completed
mount --bind "$other" "$ws/made/mnt"
undo make
is 'with a mount in it that is not undone' \
    "$(outcome make .state) $(outcome undo:make .state)" 'completed failed'
is 'nothing of it is touched' "$(cat "$ws/made/mnt/gold" "$other/gold")" \
    'gold
gold'
umount "$ws/made/mnt"

# Mounted behind the check it comes along, and is not entered.
mkdir -p "$place/.drop-x/mnt"
mount --bind "$other" "$place/.drop-x/mnt"
run_all <<'END'
{"id":"beside","mutations":[{"path":"b","contents":"x"}]}
END
is 'one in the staging place holds nothing up' "$(outcome beside .state)" \
    completed
is 'and keeps its files' "$(cat "$other/gold")" gold
umount "$place/.drop-x/mnt"

# --- a file that nobody may delete

echo a >"$ws/data/deep/a"
if chattr +i "$ws/data/deep/a" 2>/dev/null; then
	printf 'retention:\n  transactions_age: 0\n' >>"$CONF"
	run_all <<'END'
{"id":"fixed","mutations":[{"path":"data","delete":true}]}
END
	is 'a directory with an immutable file stays' "$(said fixed)" \
	    'failed prepare data/deep/a: it is immutable or append-only (chattr)'
	mkdir -p "$place/.drop-y"
	mv "$ws/data" "$place/.drop-y/data"
	run_all <<'END'
{"id":"on","mutations":[{"path":"c","contents":"x"}]}
END
	is 'nor does that one in the staging place hold up' \
	    "$(outcome on .state)" completed
	chattr -i "$place/.drop-y/data/deep/a"
else
	skip 2 'no immutable files here'
fi
once 2>/dev/null
ok 'what can be removed by then goes' tidy
done_testing
