#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 400
# Power cuts under an executor: spool and workspace on a journaled ext4 (and, in
# the long run, an xfs) of our own, whose power goes before each call that
# changes something, whichever process makes it. After the next mount and
# recovery the tree is the before- or the after-image, and an outcome that was
# acknowledged is there.

# The mounts go with their namespace, whatever ends this test.
if [ "$(id -u)" -eq 0 ] && [ -z "${POWER_NAMESPACE:-}" ] &&
    unshare -m true 2>/dev/null; then
	POWER_NAMESPACE=1 exec unshare -m --propagation private sh "$0"
fi
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
need_root
# In a shared one, other tests would hold the mounts of a disk that is off.
[ -n "${POWER_NAMESPACE:-}" ] || skip_all "no mount namespace to be had"
. "$(dirname "$0")/worlds.sh"
for tool in mkfs.ext4 perl; do
	command -v $tool >/dev/null || skip_all "needs $tool"
done

# FS_IOC_SHUTDOWN without flushing the log.
power_off() {
	perl -e 'open(my $d, "<", $ARGV[0]) or die; my $how = pack("L", 2);
	    ioctl($d, 0x8004587d, $how) or die "$!\n"' "$1"
}

make_image small || skip_all 'no loop-mounted ext4 on this machine'
mount -o loop "$saved" "$world"
power_off "$world" 2>/dev/null ||
    skip_all 'this kernel cannot shut a file system down'
umount "$world"

cut() {
	make_image "$1"
	shift
	# shellcheck disable=SC2046,SC2086 # options
	sweep_is_good "$@" -d "$memory/disk" ${share:-$(one_in "${step:-20}")} power
}

cut plain 'a patch without commands' -X probe
step=40
cut trees 'types that take the place of others' -X probe
cut undone 'a patch that is undone' -X probe
# Inodes and times tell an undo of changes: a copy of the world would not do.
# shellcheck disable=SC2046 # options
sweep_is_good 'a patch that is undone, killed' -d "$memory/disk" -X probe \
    $(one_in 40) kill
make_image uncommit
new='-r executor'
[ -z "${PATCHFLOW_LONG:-}" ] || new='-X probe'
# shellcheck disable=SC2046,SC2086 # options
sweep_is_good 'an undo of a git commit, killed' -d "$memory/disk" $new \
    $(one_in 40) kill
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	# shellcheck disable=SC2086 # options
	sweep_is_good 'an undo of a git commit, calls fail' \
	    -d "$memory/disk" $errors error
	cut uncommit 'an undo of a git commit' -X probe
	make_image undone
	# shellcheck disable=SC2086 # options
	sweep_is_good 'a patch that is undone, calls fail' -d "$memory/disk" \
	    $errors error
	cut two 'a patch and one that waits for it' -X probe
	cut commit 'a patch with a git commit' -X probe
	cut meta 'modes, times, links and attributes' -X probe
	cut many 'many files and a directory that moves' -X probe
	cut fails 'a patch that fails' -X probe
	cut two 'a patch and one that waits for it' -X probe
	cut again 'a patch that is tried again on request' -X probe
	cut refused 'a patch that is cancelled on request' -X probe
	for name in plain trees commit; do
		make_image "$name"
		sweep_is_good "$name: recoveries killed" -d "$memory/disk" \
		    -2 -n 60 -S "$seed" -X probe power
	done
fi

# Negative controls: where syncing does nothing, or waits for no data, the same
# sweep must see it.
controls() {
	make_image small
	sweep -d "$memory/disk" -L fsync,fdatasync,syncfs -Q -r executor \
	    -c unlinkat power
	ok "$disk: without fsync the same sweep is red" \
	    test "$(found bad)" -gt 0
	diag "without fsync: $(grep '^points' "$T/found")"
	sweep -d "$memory/disk" -L sync_file_range -Q -r executor -c unlinkat \
	    power
	ok "$disk: without waiting for data the same sweep is red" \
	    test "$(found bad)" -gt 0
	diag "without waiting for data: $(grep '^points' "$T/found")"
}

controls

# The other journal that is trusted to keep the order; the points are those of
# before, so that a share of them is enough.
on_xfs() {
	disk=xfs
	share="-p 8 -S $seed"
	if ! command -v mkfs.xfs >/dev/null || ! make_image small; then
		skip 12 'no loop-mounted xfs on this machine'
		return
	fi
	for name in plain trees undone commit many; do
		cut "$name" "xfs: $name" -X probe
	done
	controls
}
[ -z "${PATCHFLOW_LONG:-}" ] || on_xfs
done_testing
