#!/bin/sh
# SPDX-License-Identifier: ISC
# As executor_recovery.t, but what it recovers from is a cut of the power: random
# pairs of points.
[ -n "${PATCHFLOW_LONG:-}" ] || {
	echo '1..0 # SKIP executor_power.t and executor_recovery.t are the halves'
	exit 0
}
. "$(dirname "$0")/disk.sh"
need_power

for name in plain trees commit many next undone uncommit; do
	make_image "$name"
	sweep_is_good "$name: recoveries killed" -d "$memory/disk" \
	    -2 -n 60 -S "$seed" -X probe power
done
done_testing
