#!/bin/sh
# SPDX-License-Identifier: ISC
# Workspaces of other owners, on other filesystems, on mounts of their own:
# the staging place that fits is found, and patches run there.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_root
own_mounts

place() {
	json "$SPOOL/state/executor@MAIN/place.json" .place
}

# works NAME: a patch with and one without commands, one that fails.
works() {
	echo one >"$ws/$1"
	chown --reference="$ws" "$ws/$1"
	ok "$1: three patches run" run_json <<END
{"id":"$1-cmd","mutations":[{"path":"$1","edits":[{"find":"one","replace":"two"}]}],"postMutationBuild":{"shell":["id -un; mkdir -p built/$1; ls -A .patchflow; true"]}}
{"id":"$1-plain","mutations":[{"path":"plain-$1","contents":"p"},{"path":"built/$1","rename":"moved-$1"}]}
{"id":"$1-bad","mutations":[{"path":"bad-$1","contents":"p"}],"validate":{"shell":["false"]}}
END
	is "$1: as they should" "$(outcome "$1-cmd" .state) $(
	    outcome "$1-plain" .state) $(outcome "$1-bad" .stage)" \
	    'completed completed validation'
	is "$1: with their effects" "$(cat "$ws/$1" "$ws/plain-$1")$(
	    find "$ws" -name "bad-$1")$(find "$ws" -name "moved-$1" | wc -l)" \
	    "$(printf 'two\np1')"
	is "$1: nothing is left in the staging place" \
	    "$(leftovers "$(place)")" ''
}

uid=$(plain_uid)
uid=${uid:-65534}

write_config </dev/null
chown "$uid:$uid" "$ws"
works owner
is 'commands run as the owner of the workspace' \
    "$(outcome owner-cmd '.commands[0].output_head' | head -n 1)" \
    "$(getent passwd "$uid" | cut -d: -f1)"
is 'and so do mutations' "$(stat -c %u "$ws/plain-owner")" "$uid"
is 'transactions live in the spool' "$(place)" \
    "$SPOOL/state/executor@MAIN/txn"

# Another filesystem: the place is beside the workspace.
mkdir "$T/disk"
mount -t tmpfs tmpfs "$T/disk"
rm -rf "$SPOOL" "$ws"
mkdir "$T/disk/ws"
sed -i "s|$T/ws/main|$T/disk/ws|" "$CONF"
ws=$T/disk/ws
works beside
is 'beside a workspace of another filesystem' "$(place)" \
    "$T/disk/.patchflow-MAIN"
is 'volatile memory is said' "$(outcome beside-cmd .durability)" volatile

# A mount of its own: only the workspace itself will do.
mkdir "$T/own"
mount -t tmpfs tmpfs "$T/own"
rm -rf "$SPOOL"
sed -i "s|$T/disk/ws|$T/own|" "$CONF"
ws=$T/own
works inside
is 'inside a workspace that is a mount' "$(place)" "$T/own/.patchflow"
is 'which patches do not see' \
    "$(outcome inside-cmd '.commands[0].output_head' | sed 1d)" ''

# Unmounted: the empty directory below is not taken for the workspace.
queue_json >/dev/null <<'END'
{"id":"late","mutations":[{"path":"late","contents":"x"}]}
END
umount "$T/own" "$T/disk"
exits 111 'an unmounted workspace holds the queue' once
is 'without failing a patch' "$(where_is late)" queued
is 'or writing into the mount point' "$(find "$T/own" -mindepth 1)" ''

# Protected by the file system: what cannot be committed is not begun.
sed -i "s|workspace: $T/own|workspace: $T/ro|" "$CONF"
rm -rf "$SPOOL"
ws=$T/ro
mkdir "$ws"
echo a >"$ws/a"
if chattr +i "$ws/a" 2>/dev/null; then
	ok 'runs on an immutable file' run_json <<'END'
{"id":"fixed","mutations":[{"path":"b","contents":"x"},{"path":"a","delete":true}]}
END
	chattr -i "$ws/a"
	is 'which fails before the commit' \
	    "$(outcome fixed '"\(.stage) \(.error)"')" \
	    'prepare a: it is immutable or append-only (chattr)'
	is 'and leaves everything' "$(ls "$ws")" a
else
	skip 3 'no immutable files here'
fi
done_testing
