#!/bin/sh
# SPDX-License-Identifier: ISC
# As executor_power.t, on the other journal that is trusted to keep the order.
# The points are those of before, so that a share of them is enough.
[ -n "${PATCHFLOW_LONG:-}" ] || {
	echo '1..0 # SKIP executor_power.t has the short form'
	exit 0
}
. "$(dirname "$0")/disk.sh"
disk=xfs
command -v mkfs.xfs >/dev/null || skip_all 'needs mkfs.xfs'
need_power

[ -n "${PATCHFLOW_CLASS:-}" ] || share="-p 8 -S $seed"
for name in plain trees undone commit many next; do
	cut_power "$name" "xfs: $name" -X probe
done
cut_controls
done_testing
