#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 500
# Each system call of the executor and of all that it starts fails once: no
# space, an I/O error, no descriptors, an interruption, half a write. The run
# ends within 30 s, says nothing that is not so, leaves an outcome, a held
# queue or an alert, and makes no fsync again that failed; the next one ends
# in one of the images with one outcome and nothing left over. A few of
# the points by day or PATCHFLOW_SEED; with PATCHFLOW_LONG=1 all, those of half
# of the worlds in executor_errors_rest.t.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/worlds.sh"

make_world trees
# shellcheck disable=SC2046,SC2086 # options
sweep_is_good 'a patch with commands' $(one_in 200) $errors error
# Points that were bad once, each time: attributes were lost, a success was told
# of what had not been begun, half a directory moved, the patch ran before the
# cancel was read, a lock of git stayed, twice, the file of the trial, and other
# people's files were committed, because git could not see them before.
if [ -z "${PATCHFLOW_CLASS:-}" ]; then
	make_world plain
	sweep_is_good 'an attribute that is not carried over' -X probe -c fsetxattr \
	    error
	sweep_is_good 'nothing is synced' -r executor -c fsync -e EIO error
	make_world small
	sweep_is_good 'what proves a rename is not removed' -r executor \
	    -c unlinkat -e EIO error
	make_world many
	sweep_is_good 'a directory is not read to its end' -r stage -c getdents64 error
	make_world commit
	sweep_is_good 'a lock of git cannot be looked at' -r executor -c readlinkat \
	    -f flock error
	sweep_is_good 'a lock that git itself cannot remove' -r git -c unlink \
	    -e ENOSPC error
	make_world beside
	# shellcheck disable=SC2046 # options
	sweep_is_good 'a directory that git does not read to its end' \
	    $(one_in 4) -r git -c getdents64 -e EIO error
	make_world refused
	sweep_is_good 'a cancel that cannot be moved' -r executor -c renameat2 -e EIO \
	    error
fi
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	make_world plain
	# shellcheck disable=SC2046 # options
	sweep_is_good 'plain: each call fails, of the probes too' $(one_in 1) error
	for name in meta many; do
		make_world $name
		# shellcheck disable=SC2046,SC2086 # options
		sweep_is_good "$name: each call fails" $(one_in 1) $errors error
	done
fi

make_world small
control 'with writes that lie the same sweep is red' -e lie -r stage -c write \
    error
done_testing
