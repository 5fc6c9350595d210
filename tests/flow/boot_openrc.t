#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # AWAIT is lib.sh's
# The suite under OpenRC: Debian's openrc-init as process 1 boots it from the
# files that make install ships, replaces a dead or stopped supervisor, stops
# it in order.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/machine.sh"
[ -n "${PATCHFLOW_LONG:-}" ] || skip_all "PATCHFLOW_LONG=1 runs it"
machine_enter
fetch openrc librc1 libeinfo1
machine_mount || skip_all "no overlay mounts to be had"
machine_install || skip_all "make install failed"

AWAIT=150
# Only our script: those of the real machine would set its clock and disks.
for script in /etc/init.d/*; do
	[ "${script##*/}" = patchflow ] || rm -rf "$script"
done
mkdir -p /etc/runlevels/sysinit /etc/runlevels/boot /etc/runlevels/shutdown
ok 'rc-update takes the script' rc-update add patchflow default
machine_boot openrc-init
boots_and_works openrc
survives KILL
survives SEGV
survives STOP
ok 'reload is accepted' inside rc-service patchflow reload
await '... and everybody is there' suite_is_up
ok 'rc-service stop ends it in order' inside rc-service patchflow stop
await '... with everybody' gone
done_testing
