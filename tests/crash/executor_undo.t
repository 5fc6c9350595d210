#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 400
# As executor_kill.t and executor_errors.t, while a patch is undone. Inodes and
# times tell an undo of changes, so that each point has a disk of its own: a
# copy of the world would not do.
. "$(dirname "$0")/disk.sh"
make_image small || skip_all 'no loop-mounted ext4 on this machine'

make_image undone
# shellcheck disable=SC2046 # options
sweep_is_good 'a patch that is undone, killed' -d "$memory/disk" -X probe \
    $(one_in 40) kill
# shellcheck disable=SC2046,SC2086 # options
sweep_is_good 'a patch that is undone, calls fail' -d "$memory/disk" \
    $(one_in 600) $errors error
make_image uncommit
new='-r executor'
[ -z "${PATCHFLOW_LONG:-}" ] || new='-X probe'
# shellcheck disable=SC2046,SC2086 # options
sweep_is_good 'an undo of a git commit, killed' -d "$memory/disk" $new \
    $(one_in 40) kill
# shellcheck disable=SC2046,SC2086 # options
[ -z "${PATCHFLOW_LONG:-}" ] ||
	sweep_is_good 'an undo of a git commit, calls fail' \
	    -d "$memory/disk" $(one_in 1) $errors error
done_testing
