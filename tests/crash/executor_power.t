#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 400
# Power cuts under an executor: spool and workspace on a journaled ext4 of our
# own, whose power goes before each call that changes something, whichever
# process makes it. After the next mount and recovery the tree is the before- or
# the after-image, and an outcome that was acknowledged is there.
. "$(dirname "$0")/disk.sh"
need_power

cut_power plain 'a patch without commands' -X probe
step=40
cut_power trees 'types that take the place of others' -X probe
cut_power undone 'a patch that is undone' -X probe
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	cut_power uncommit 'an undo of a git commit' -X probe
	cut_power commit 'a patch with a git commit' -X probe
	cut_power meta 'modes, times, links and attributes' -X probe
	cut_power many 'many files and a directory that moves' -X probe
	cut_power fails 'a patch that fails' -X probe
	cut_power two 'a patch and one that waits for it' -X probe
	cut_power next 'a patch, and the next one beside its end' -X probe
	cut_power again 'a patch that is tried again on request' -X probe
	cut_power refused 'a patch that is cancelled on request' -X probe
fi

cut_controls
done_testing
