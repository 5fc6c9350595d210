#!/bin/sh
# SPDX-License-Identifier: ISC
# SIGKILL before every call that changes something, in the executor and in
# every process that it starts; then a new executor. The tree is the before-
# or the after-image to the last attribute, there is one outcome, which says
# which, and nothing is left. A rotating share of the points, by the day or
# PATCHFLOW_SEED; with PATCHFLOW_LONG=1 all.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/worlds.sh"

sweep_world() {
	make_world "$1"
	shift
	# shellcheck disable=SC2046 # options
	sweep_is_good "$@" $(one_in "${step:-20}") kill
}

sweep_world plain 'a patch without commands'
sweep_world trees 'types that take the place of others' -X probe
step=40
sweep_world meta 'modes, times, links and attributes' -X probe
sweep_world commit 'a patch with a git commit' -X probe
sweep_world fails 'a patch that fails' -X probe
# Of these only what the executor does with them is new.
new='-r executor'
[ -z "${PATCHFLOW_LONG:-}" ] || new='-X probe'
# shellcheck disable=SC2086 # options
{
	sweep_world many 'many files and a directory that moves' $new
	sweep_world two 'a patch and one that waits for it' $new
	sweep_world next 'a patch, and the next one beside its end' $new
	sweep_world again 'a patch that is tried again on request' $new
	sweep_world refused 'a patch that is cancelled on request' $new
}

# A commit whose record is gone is a tree that was changed before anybody had
# promised to go on.
make_world small
control 'without the commit record the same sweep is red' -F -r executor \
    -c renameat2 kill
done_testing
