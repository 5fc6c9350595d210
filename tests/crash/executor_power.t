#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 400
# Power cuts under an executor: spool and workspace on a journaled ext4 of our
# own, whose power goes before each call that changes something, whichever
# process makes it. After the next mount and recovery the tree is the before- or
# the after-image, and an outcome that was acknowledged is there.
. "$(dirname "$0")/disk.sh"
need_power

cut plain 'a patch without commands' -X probe
step=40
cut trees 'types that take the place of others' -X probe
cut undone 'a patch that is undone' -X probe
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	cut uncommit 'an undo of a git commit' -X probe
	cut commit 'a patch with a git commit' -X probe
	cut meta 'modes, times, links and attributes' -X probe
	cut many 'many files and a directory that moves' -X probe
	cut fails 'a patch that fails' -X probe
	cut two 'a patch and one that waits for it' -X probe
	cut next 'a patch, and the next one beside its end' -X probe
	cut again 'a patch that is tried again on request' -X probe
	cut refused 'a patch that is cancelled on request' -X probe
fi

cut_controls
done_testing
