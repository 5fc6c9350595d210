#!/bin/sh
# SPDX-License-Identifier: ISC
# Power cuts: acceptance, claim, outcome and settling on a journaled ext4 of
# our own, whose power goes behind the nth system call. After each cut and the
# next mount every promise is kept. PATCHFLOW_LONG=1 takes every n.

. "$(dirname "$0")/../harness/lib.sh"
need_root
# In a shared one, other tests would hold the mounts of a disk that is off.
own_mounts
power=$BUILD_DIR/tests/unit/sweep_power
[ -x "$power" ] || skip_all "$power is not built"
command -v mkfs.ext4 >/dev/null || skip_all 'needs mkfs.ext4'

disk=$T/disk
mnt=$T/mnt
mkdir "$mnt"
step=5
[ -z "${PATCHFLOW_LONG:-}" ] || step=1

# make_disk NAME MKFS_OPTION...: an image with an empty spool on it.
make_disk() {
	name=$1
	shift
	truncate -s 16M "$name"
	mkfs.ext4 -q -F "$@" "$name" || return 1
	mount -o loop "$name" "$mnt" 2>/dev/null || return 1
	"$power" make "$mnt" && "$power" durability "$mnt" >"$name.said"
	rc=$?
	umount "$mnt"
	return "$rc"
}

# cut_at N [lies]: 0 kept, 1 broken, 2 the run was over before n.
cut_at() {
	cp --sparse=always "$T/journal" "$disk"
	mount -o loop "$disk" "$mnt" || return 1
	promises=$("$power" cut "$mnt" "$@" 2>>"$T/cuts")
	rc=$?
	umount "$mnt"
	[ "$rc" -ne 0 ] || return 2
	[ "$rc" -eq 99 ] || return 1
	mount -o loop "$disk" "$mnt" || return 1
	"$power" check "$mnt" "$promises" 2>>"$T/cuts"
	rc=$?
	umount "$mnt"
	return "$rc"
}

make_disk "$T/journal" -O has_journal ||
	skip_all 'no loop-mounted ext4 on this machine'
plan 5
is 'a journal is seen' "$(cat "$T/journal.said")" journal
make_disk "$T/bare" -O ^has_journal
is 'and so is its absence' "$(cat "$T/bare.said")" no-journal

: >"$T/cuts"
n=1 points=0 broken=''
while :; do
	cut_at "$n"
	rc=$?
	[ "$rc" -ne 2 ] || break
	[ "$rc" -eq 0 ] || broken="$broken $n"
	points=$((points + 1))
	n=$((n + step))
done
diag "$points cuts, at every ${step}th of $n system calls"
diag "$(cat "$T/cuts")"
is 'every promise survives every power cut' "$broken" ''
ok 'there were cuts' test "$points" -ge 10

# Negative control: where fsync does nothing the same test must see it.
broken=0
for part in 3 5 7 9; do
	cut_at "$((n * part / 10))" lies
	[ "$?" -ne 1 ] || broken=$((broken + 1))
done
ok "without fsync it turns red ($broken of 4)" test "$broken" -ge 2
