#!/bin/sh
# SPDX-License-Identifier: ISC
# Where control groups are not to be had, for ever or for a moment: the limits
# are held by rlimits, outcome, status and summary name the reason, and one
# that passes is an alert with an end.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
need_root
own_mounts
need_way overlay
write_config </dev/null

# hierarchies ro|rw: as a container may have them.
hierarchies() {
	sed -n 's/^[0-9]* [0-9]* [^ ]* [^ ]* \([^ ]*\) .* - cgroup2\{0,1\} .*/\1/p' \
	    /proc/self/mountinfo | while read -r at; do
		mount -o "remount,bind,$1" "$at" || echo "$at"
	done
}
# patch ID: runs a command; what held its limits, and why.
patch() {
	jq -cn --arg id "$1" '{id: $id, validate: {shell: ["true"]},
	    mutations: [{path: "x", contents: $id}]}' | queue_json >/dev/null
	[ -e "$T/pids/executor" ] || once
	until_true 60 ended "$1" || echo 'does not end'
	outcome "$1" '"\(.state) \(.limits) \(.limits_why)"'
}
alerts() {
	raised limits-weak '"\(.severity) \(.resolved)"'
}
status() {
	head -n 1 "$SPOOL/state/executor@MAIN/queue.json" |
	    jq -r '"\(.limits) \(.limits_why)"'
}

start executor executor -f -c "$CONF" -q MAIN
group=$(patch first)
case $group in
'completed cgroup'?' null') pass "a control group holds the limits" ;;
*) skip_all "no control groups here: $group" ;;
esac
word=${group#completed }
word=${word% null}
is 'the status says so, and no reason' "$(status)" "$word "
is 'nobody is alerted' "$(alerts)" ''

is 'the hierarchies are read-only' "$(hierarchies ro)" ''
like 'the patch runs all the same' "$(patch second)" \
    '^completed rlimits /sys/fs/cgroup/.*: Read-only file system$'
like 'the status says so' "$(status)" '^rlimits .*: Read-only file system$'
is 'an alert says so' "$(alerts)" 'warning false'
like 'no more than once' "$(patch third) $(alerts)" \
    '^completed rlimits .* system warning false$'
is 'they are writable again' "$(hierarchies rw)" ''
is 'the next patch has a group' "$(patch fourth)" "$group"
is 'the alert has its end' "$(alerts)" 'warning false
info true'
is 'the status, too' "$(status)" "$word "
stop executor
rm -f "$T/pids/executor"

is 'a machine that never had them' "$(hierarchies ro)" ''
like 'names it in the outcome' "$(patch fifth)" \
    '^completed rlimits /sys/fs/cgroup/.*: Read-only file system$'
is 'and is what it is: no alert' "$(alerts | wc -l)" 2
is 'the end' "$(hierarchies rw)" ''
done_testing
