#!/bin/sh
# SPDX-License-Identifier: ISC
# disk.sh PROGRAM...: each in turn, its files on a loop-mounted ext4 of its own
# where root may mount one, for the directory of temporary files need not be
# one that journals. The mount goes with its namespace.
if [ -z "${BENCH_DISK:-}" ]; then
	BENCH_DISK=$(mktemp -d "${TMPDIR:-/tmp}/patchflow-disk.XXXXXX") || exit 1
	export BENCH_DISK
	in=
	! unshare -m true 2>/dev/null || in='unshare -m --propagation private'
	# shellcheck disable=SC2086 # nothing, or three words
	$in sh "$0" "$@"
	status=$?
	rm -rf "$BENCH_DISK"
	exit $status
fi
BENCH_WHERE='the directory of temporary files'
mkdir "$BENCH_DISK/mnt"
if truncate -s 2G "$BENCH_DISK/image" &&
    mkfs.ext4 -q -F -N 250000 "$BENCH_DISK/image" 2>/dev/null &&
    mount -o loop "$BENCH_DISK/image" "$BENCH_DISK/mnt" 2>/dev/null; then
	BENCH_WHERE='a loop-mounted ext4'
fi
TMPDIR=$BENCH_DISK/mnt
export TMPDIR BENCH_WHERE
for program; do
	"$program" || exit
done
cd / || exit 1
umount "$BENCH_DISK/mnt" 2>/dev/null || :
