# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# A whole machine for tests, behind lib.sh: Debian's kernel and systemd, from
# the archive that apt knows here, on a disk image of our own, in qemu without
# a network. Emulated, so slow (PATCHFLOW_ACCEL=kvm where that works), and kept
# in $BUILD_DIR/vm as far as it is always the same.
#
# The first serial port is the console; at the second an agent runs what it is
# told (vm_agent.sh); what the guest writes to the third is in $T/said.
. "$TOP/tests/harness/installed.sh"

vm=$BUILD_DIR/vm
vm_packages=systemd-sysv,libpam-systemd,dbus,kmod,procps,jq,git,perl,strace,e2fsprogs

# Where qemu waits for a processor itself, the kernel's trial of its timer fails
# and the machine stands still.
vm_options='mitigations=off no_timer_check'

# vm_begin: skips where no machine can be made; then there is a disk to make
# more from, and the test waits for a machine as long as it takes. First of all.
vm_begin() {
	vm_enter
	vm_disk || {
		fail 'a disk is made'
		diag "$(tail "$T/log/disk")"
		done_testing
		exit
	}
	# shellcheck disable=SC2034 # lib.sh reads it
	AWAIT=400
}

# In a mount namespace.
vm_enter() {
	need_root
	[ -n "${PATCHFLOW_LONG:-}" ] || skip_all "PATCHFLOW_LONG=1 runs it"
	[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] ||
		skip_all "only on Debian, amd64"
	for program in debootstrap qemu-system-x86_64 qemu-img mke2fs; do
		command -v "$program" >/dev/null 2>&1 ||
			skip_all "$program is not there"
	done
	[ -z "${PATCHFLOW_IN_VM_TEST:-}" ] || return 0
	unshare -m true 2>/dev/null || skip_all "no mount namespace to be had"
	PATCHFLOW_IN_VM_TEST=yes
	export PATCHFLOW_IN_VM_TEST
	cleanup
	exec unshare -m sh "$TEST_FILE"
}

# --- what is always the same

# Packages of the libraries that our programs are linked with.
vm_libraries() {
	ldd "$BUILD_DIR"/bin/* "$BUILD_DIR"/tests/unit/test_doc 2>/dev/null |
	    awk '$2 == "=>" { print $3 }' | sort -u | xargs realpath |
	    xargs -n 1 dpkg-query -S 2>/dev/null | cut -d: -f1 | sort -u |
	    paste -s -d,
}

# vm_debian DIR: a minimal Debian of this machine's release and archive.
vm_debian() {
	# shellcheck disable=SC2016 # apt expands them
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
	    'Created-By: Packages' 'Origin: Debian' 'Component: main' |
	    head -n 1 >"$T/archive"
	read -r release archive <"$T/archive" || return 1
	timeout 2400 debootstrap --variant=minbase \
	    --include="$vm_packages" "$release" "$1" "$archive"
}

# Its kernel for virtual machines has NVMe and ext4 built in: no initrd.
vm_kernel() {
	mkdir -p "$T/kernel"
	kernel=$(apt-cache depends linux-image-cloud-amd64 |
	    awk '$1 == "Depends:" { print $2; exit }')
	(cd "$T/kernel" && timeout 300 apt-get -q download "$kernel") || return 1
	dpkg-deb -x "$T"/kernel/*.deb "$T/kernel" &&
	cp -a "$T/kernel/lib/modules" "$1/lib/" &&
	chroot "$1" depmod "$(ls "$1/lib/modules")" &&
	cp "$T"/kernel/boot/vmlinuz-* "$vm/vmlinuz"
}

# Made anew where other packages are wanted than are in it.
vm_base() {
	vm_packages=$vm_packages,$(vm_libraries)
	[ "$(cat "$vm/made" 2>/dev/null)" != "$vm_packages" ] || return 0
	rm -rf --one-file-system "$vm/base" "$vm/made"
	vm_debian "$vm/base" && vm_kernel "$vm/base" &&
	echo "$vm_packages" >"$vm/made"
}

# --- this test's own

# The suite as make install puts it, and as an administrator would go on.
vm_install() {
	install_suite "$1" &&
	chroot "$1" systemd-sysusers &&
	chroot "$1" systemctl enable patchflow &&
	chroot "$1" useradd -M -u 1999 -s /bin/sh joe
}

vm_settle_in() {
	install -m 755 "$TOP/tests/harness/vm_agent.sh" "$1/usr/local/sbin/" &&
	printf '%s\n' '[Service]' 'ExecStart=/usr/local/sbin/vm_agent.sh' \
	    'Environment=HOME=/root' '[Install]' 'WantedBy=multi-user.target' \
	    >"$1/etc/systemd/system/vm-agent.service" &&
	chroot "$1" systemctl enable vm-agent &&
	chroot "$1" systemctl mask serial-getty@ttyS0 &&
	mkdir -p "$1/var/log/journal" &&
	echo '/dev/nvme0n1 / ext4 defaults 0 1' >"$1/etc/fstab" &&
	echo machine >"$1/etc/hostname"
}

# Tests and what was built for them, in /opt/patchflow.
vm_tests() {
	mkdir -p "$1/opt/patchflow/build" &&
	tar -C "$TOP" -c Makefile DESIGN.md README.md etc man tests |
	    tar -C "$1/opt/patchflow" --no-same-owner -x &&
	tar -C "$BUILD_DIR" --exclude='*.o' --exclude='*.a' -c bin tests |
	    tar -C "$1/opt/patchflow/build" --no-same-owner -x
}

# vm_disk: $T/disk.img with all of it.
vm_disk() {
	mkdir -p "$vm" "$T/up" "$T/work" "$T/tree" "$T/log"
	(flock 9 && vm_base) 9<"$vm" >"$T/log/base" 2>&1 ||
		skip_all "no Debian to be had: $(tail -n 1 "$T/log/base")"
	mount -t overlay overlay "$T/tree" -o \
	    "lowerdir=$vm/base,upperdir=$T/up,workdir=$T/work" ||
		skip_all "no overlay mounts to be had"
	{ vm_install "$T/tree" && vm_settle_in "$T/tree" &&
	    vm_tests "$T/tree" &&
	    mke2fs -q -t ext4 -d "$T/tree" "$T/disk.img" 2G; } \
	    >"$T/log/disk" 2>&1
	rc=$?
	umount "$T/tree"
	return "$rc"
}

# vm_new_disk NAME: it, as it was made, for one machine.
vm_new_disk() {
	rm -f "$T/$1"
	qemu-img create -q -f qcow2 -F raw -b "$T/disk.img" "$T/$1"
}

# vm_boot DISK CACHE: switches the machine on. CACHE is qemu's: writeback is
# a disk whose cache is lost with the power unless it was told to flush.
vm_boot() {
	rm -f "$T/agent.in" "$T/agent.out" "$T/said"
	mkfifo "$T/agent.in" "$T/agent.out"
	cat "$T/agent.out" >"$T/heard" &
	start machine qemu-system-x86_64 -accel "${PATCHFLOW_ACCEL:-tcg}" \
	    -smp 2 -m 1024 -nodefaults -no-user-config -display none \
	    -net none -no-reboot -kernel "$vm/vmlinuz" -append \
	    "console=ttyS0 root=/dev/nvme0n1 rw panic=-1 quiet $vm_options" \
	    -drive "if=none,id=disk,file=$T/$1,format=qcow2,cache=$2" \
	    -device nvme,drive=disk,serial=1 -serial "file:$T/log/console" \
	    -chardev "pipe,id=agent,path=$T/agent" -serial chardev:agent \
	    -serial "file:$T/said"
}

# vm_ready: it has booted.
vm_ready() {
	grep -q '^ready .* end$' "$T/heard"
}

# vm_reboots DISK CACHE: it resets itself, and boots. As another process, since
# the timers of an emulated processor do not always survive a warm reset: twice
# the guest's kernel stood still behind one.
vm_reboots() {
	until_true "$AWAIT" stopped machine && vm_boot "$1" "$2" &&
	until_true "$AWAIT" vm_ready
}

vm_suite_is_up() {
	[ "$(guest "patchflow --json status | jq '$all_up'")" = true ]
}

vm_cut_power() {
	stop machine KILL
}

# vm_is_on: not by kill -0, for which it runs until it is waited for.
vm_is_on() {
	[ -e "/proc/$(pid_of machine)/exe" ]
}

# vm_tell LINE: to the agent. Of a pipe that nobody reads even the opening waits.
vm_tell() {
	# shellcheck disable=SC2016 # the inner shell expands them
	vm_is_on &&
	timeout 60 sh -c 'printf "%s\n" "$1" >"$2"' - "$1" "$T/agent.in"
}

vm_has_answered() {
	grep -q "^done $1 .* end\$" "$T/heard"
}

vm_has_answered_or_is_off() {
	vm_has_answered "$1" || ! vm_is_on
}

# guest SCRIPT: in there as root, with its output and exit status; 99 when it
# does not answer within $VM_PATIENCE seconds or is off, and why to stderr.
guest() {
	ask=$(date +%s%N)
	if vm_tell "$ask $(printf %s "$1" | base64 -w 0)"; then
		until_true "${VM_PATIENCE:-300}" vm_has_answered_or_is_off "$ask"
	fi
	vm_has_answered "$ask" || {
		vm_last_words >&2
		return 99
	}
	# shellcheck disable=SC2046 # words are what it says
	set -- $(grep "^done $ask " "$T/heard")
	printf %s "${4#x}" | base64 -d
	return "$3"
}

vm_last_words() {
	if vm_is_on; then
		diag 'the guest does not answer; its console:'
	else
		diag 'the machine is off; its console:'
	fi
	diag "$(tail -n 20 "$T/log/console" 2>/dev/null)"
}

# counts SENTENCE WANT: the test's census comes to WANT. At any one look a child
# that runs an errand may stand beside its parent.
counts() {
	await "$1" census_is "$2"
}
census_is() {
	census | tee "$T/census"
	[ "$(cat "$T/census")" = "$1" ]
}
