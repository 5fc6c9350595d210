#!/bin/sh
# SPDX-License-Identifier: ISC
# As executor_kill.t, but the recovery is killed too, and a third executor has
# to make it good. A few random pairs of points; with PATCHFLOW_LONG=1 every
# point of every recovery of a small patch, and random pairs of the others;
# some of them recover from a call that failed.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/worlds.sh"

pairs() {
	make_world "$1"
	sweep_is_good "$1: recoveries of ${3:-kill}s killed" -2 -n "$2" \
	    -S "$seed" -X probe "${3:-kill}"
}

if [ -n "${PATCHFLOW_LONG:-}" ]; then
	make_world small
	# As in executor_kill.t, but behind each of them the recovery dies as
	# well.
	control 'without the commit record the same sweep is red' -F -2 \
	    -r executor -c renameat2 kill
	sweep_is_good 'small: every point of every recovery' -2 -X probe kill
	for name in plain trees meta many commit fails next; do
		pairs "$name" 170
		pairs "$name" 40 error
	done
else
	pairs plain 4
	pairs trees 4
	pairs trees 2 error
fi
done_testing
