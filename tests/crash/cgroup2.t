#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2034 # the guest expands; lib.sh and vm.sh read
# time-limit: 480
# The tests of limits where control groups of version 2 have controllers: in a
# whole machine with systemd, as root and as a user below a group that was
# delegated to him.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/vm.sh"
vm_enter
vm_disk || { fail 'a disk is made'; diag "$(tail "$T/log/disk")"; exit; }
vm_new_disk one
vm_boot one writeback
AWAIT=400
VM_PATIENCE=2500
await 'systemd boots' vm_ready 1
guest 'systemctl stop patchflow' # its work is not what is asked
like 'the control groups have controllers' \
    "$(guest 'cat /sys/fs/cgroup/cgroup.controllers')" 'memory.*pids'

# A group that delegates holds no processes itself: they go one level down.
guest 'cat >/run/below <<"END"
group=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
mkdir "$group/below" && echo $$ >"$group/below/cgroup.procs" && exec sh "$1"
END'

# run WHO OPTIONS: the tests of limits, in a service of their own; they pass,
# and a control group was what held them.
run() {
	guest "systemd-run --quiet --wait --collect --pipe -p Delegate=yes \
	    -p WorkingDirectory=/opt/patchflow $2 -E HOME=/tmp \
	    -E BUILD_DIR=/opt/patchflow/build \
	    sh /run/below tests/crash/limits.t" >"$T/tap"
	rc=$?
	if [ "$rc" -eq 0 ] && ! grep -q '^not ok' "$T/tap"; then
		pass "the limits hold $1"
	else
		fail "the limits hold $1" "exit status $rc"
		diag "$(grep -v '^ok' "$T/tap" | tail -n 40)"
	fi
	is '... all of them' "$(grep -c '^ok' "$T/tap")" "$(sed -n \
	    's/^1\.\.//p' "$T/tap")"
	like '... by a control group' "$(cat "$T/tap")" 'limits by cgroup2'
}
run 'as root' ''
run 'as a user, below a group that was delegated to him' '--uid=joe'
vm_cut_power
done_testing
