# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# The control groups of a test's suites, behind lib.sh: a daemon that was killed
# leaves its own empty, and the next one of the same spool takes it away; behind
# a test there is no next one.

# own_queues: directories of queues; a sweep's are elsewhere, and gone by now.
# shellcheck disable=SC2153 # SPOOL is lib.sh's
own_queues() {
	find "$T" -xdev -maxdepth 5 -type d -path '*/patches' -printf '%h\n'
	printf '%s\n' "$SPOOL/MAIN" "$SPOOL/CYOPS"
}

# own_groups: names of those that the suites of this test make or would make. An
# executor's has a digest of its spool's path and its queue; a supervisor's has
# the number of its spool's inode, which says nothing of another filesystem.
own_groups() {
	device=$(stat -c %d "$T")
	own_queues | sort -u | while read -r queue; do
		spool=${queue%/*}
		printf %s "$spool/executor@${queue##*/}" | sha256sum | cut -c 1-12
		# shellcheck disable=SC2046 # two numbers
		set -- $(stat -c '%d %i' "$spool" 2>/dev/null)
		[ "${1:-}" != "$device" ] || printf '%x\n' "$2"
	done | sort -u | sed 's/^/patchflow-/'
}

# remove_groups: of whatever hierarchy. What has processes or is not ours to
# remove stays.
remove_groups() {
	groups=$(find /sys/fs/cgroup -type d -name 'patchflow-*' 2>/dev/null)
	[ -n "$groups" ] || return 0
	own_groups >"$T/groups"
	for group in $groups; do
		grep -qx -e "${group##*/}" "$T/groups" || continue
		until_true 5 remove_group "$group" ||
			echo "# $group: not removed"
	done
}

# A process that was killed may still be on its way out.
remove_group() {
	find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -d "$1" ]
}
