# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# For sweeps whose world is a disk of its own, which can lose its power or give
# back inodes and times. Reads lib.sh and all that a sweep stands on.

. "$(dirname "$0")/../harness/lib.sh"
need_root
# In a shared one, other tests would hold the mounts of a disk that is off.
own_mounts
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/worlds.sh"
for tool in mkfs.ext4 perl; do
	command -v $tool >/dev/null || skip_all "needs $tool"
done

# FS_IOC_SHUTDOWN without flushing the log.
power_off() {
	perl -e 'open(my $d, "<", $ARGV[0]) or die; my $how = pack("L", 2);
	    ioctl($d, 0x8004587d, $how) or die "$!\n"' "$1"
}

# need_power: or the whole test is skipped.
need_power() {
	make_image small || skip_all 'no loop-mounted ext4 on this machine'
	mount -o loop "$saved" "$world"
	power_off "$world" 2>/dev/null ||
	    skip_all 'this kernel cannot shut a file system down'
	umount "$world"
}

# cut_power WORLD WHAT OPTION...: the power goes at a share of its points.
cut_power() {
	make_image "$1"
	shift
	# shellcheck disable=SC2046,SC2086 # options
	sweep_is_good "$@" -d "$memory/disk" ${share:-$(one_in "${step:-20}")} power
}

# Where syncing does nothing, or waits for no data, the same sweep must see it.
cut_controls() {
	make_image small
	control "$disk: without fsync the same sweep is red" \
	    -d "$memory/disk" -L fsync,fdatasync,syncfs -r executor \
	    -c unlinkat power
	control "$disk: without waiting for data the same sweep is red" \
	    -d "$memory/disk" -L sync_file_range -r executor -c unlinkat power
}
