#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2034 # the guest expands; lib.sh and vm.sh read
# time-limit: 900
# The tests of limits where control groups of version 2 have controllers: in a
# whole machine with systemd, as root and as a user below a group that was
# delegated to him; an executor alone in such a group, in one that holds
# somebody else and in one that is not delegated.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/vm.sh"
vm_begin
vm_new_disk one
vm_boot one writeback
VM_PATIENCE=2500
await 'systemd boots' vm_ready
guest 'systemctl stop patchflow' # its work is not what is asked
like 'the control groups have controllers' \
    "$(guest 'cat /sys/fs/cgroup/cgroup.controllers')" 'memory.*pids'

# A group that delegates holds no processes itself: they go one level down.
guest 'cat >/run/below <<"END"
group=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
mkdir "$group/below" && echo $$ >"$group/below/cgroup.procs" && exec sh "$1"
END'

# run WHO OPTIONS TEST: a test in a service of its own; it passes, and a
# control group was what held the limits.
run() {
	guest "systemd-run --quiet --wait --collect --pipe -p Delegate=yes \
	    -p WorkingDirectory=/opt/patchflow $2 -E HOME=/tmp \
	    -E BUILD_DIR=/opt/patchflow/build \
	    sh /run/below tests/crash/$3" >"$T/tap"
	rc=$?
	if [ "$rc" -eq 0 ] && ! grep -q '^not ok' "$T/tap"; then
		pass "$3 $1"
	else
		fail "$3 $1" "exit status $rc"
		diag "$(grep -v '^ok' "$T/tap" | tail -n 40)"
	fi
	is '... all of it' "$(grep -c '^ok' "$T/tap")" "$(sed -n \
	    's/^1\.\.//p' "$T/tap")"
}
run 'as root' '' limits.t
like '... by a control group' "$(cat "$T/tap")" 'limits by cgroup2'
run 'as a user, below a group that was delegated to him' '--uid=joe' limits.t
like '... by a control group' "$(cat "$T/tap")" 'limits by cgroup2'
run 'as root' '' limits_group.t

# --- an executor without a supervisor, in several groups

guest 'cat >/run/prepare <<"END"
mkdir -p /tmp/alone/ws && cd /tmp/alone
printf "%s\n" "spool: spool" "queues:" \
    "  - {name: MAIN, workspace: ws, default: true}" >patchflow.yaml
printf "%s\n" "role: command_patch" "id: alone" "validate:" \
    "  shell: [test -s x]" "mutations:" "  - {path: x, contents: x}" |
    patchflow -c patchflow.yaml submit -
/usr/local/libexec/patchflow/ghost-bridge --once -c patchflow.yaml
END'
executor='/usr/local/libexec/patchflow/executor --once -c patchflow.yaml -q MAIN'
service='systemd-run --quiet --wait --collect -p WorkingDirectory=/tmp/alone'
# alone USER START COMMAND: what held the limits of a patch, and why.
alone() {
	guest "rm -rf /tmp/alone
	    { runuser -u $1 -- sh /run/prepare && $2 $3; } >/run/said 2>&1 ||
		cat /run/said
	    head -qn 1 /tmp/alone/spool/MAIN/outcomes/new/*.json |
	    jq -r '\"\(.state) \(.limits) \(.limits_why)\"'
	    find /sys/fs/cgroup -name 'patchflow-*'" |
	    sed 's|/sys/fs/cgroup/.*/run-[^:]*|UNIT|'
}
is 'the only one in its group moves itself' \
    "$(alone root "$service -p Delegate=yes" "$executor")" \
    'completed cgroup2 null'
is '... as a user, too' \
    "$(alone joe "$service -p Delegate=yes --uid=joe" "$executor")" \
    'completed cgroup2 null'
is 'a shell beside it is in the way' \
    "$(alone root "$service -p Delegate=yes" "sh -c '$executor; :'")" \
    'completed rlimits UNIT: it holds other processes'
is 'what is not delegated is left alone' \
    "$(alone root "$service" "$executor")" \
    'completed rlimits UNIT: it is not delegated to us'

# --- the next jail, which is started ahead, is in the group of the executor

# In a service: three patches, of which the first one runs until it is told.
guest 'cat >/run/row <<"END"
group=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)
rm -rf /tmp/row
mkdir -p /tmp/row/ws && cd /tmp/row || exit
printf "%s\n" "spool: spool" "watchdog: {stop_grace: 1s}" "queues:" \
    "  - {name: MAIN, workspace: ws, default: true}" >patchflow.yaml
for run in "sleep 307 || true" "test -s x" "test -s x"; do
	n=$((n + 1))
	printf "%s\n" "role: command_patch" "id: row$n" "validate:" \
	    "  shell: [$run]" "mutations:" "  - {path: x, contents: \"$n\"}" |
	    patchflow -c patchflow.yaml submit -
done >said 2>&1 &&
    /usr/local/libexec/patchflow/ghost-bridge --once -c patchflow.yaml \
    2>>said || cat said
executor="exec /usr/local/libexec/patchflow/executor -c patchflow.yaml -q MAIN"
# A patch runs, and the next jail waits: it has left the root of the machine,
# and has nobody below it.
begun() {
	pgrep -fx "sleep 307" && pgrep -P "$1" -x executor | while read -r pid; do
		[ ! -d "/proc/$pid/root/.shm" ] || pgrep -P "$pid" >/dev/null ||
			echo "$pid"
	done | grep .
}
await_begun() {
	i=0
	until begun "$1" >/dev/null; do
		[ $((i += 1)) -lt 600 ] || { echo nobody waits; return; }
		timeout 0.1 tail -f /dev/null
	done
}
END
cat >/run/beside <<"END"
. /run/row
sh -c "$executor --once" 2>>said &
await_begun $!
mkdir "$group/aside" && echo $$ >"$group/aside/cgroup.procs"
pkill -fx "sleep 307"
wait $!
head -qn 1 spool/MAIN/outcomes/new/*.json | jq -r .limits
END
cat >/run/ended <<"END"
. /run/row
mkdir "$group/shell" "$group/world" && echo $$ >"$group/shell/cgroup.procs" &&
    echo "+memory +pids" >"$group/cgroup.subtree_control"
sh -c "echo \$\$ >$group/world/cgroup.procs; $executor -f" 2>>said &
await_begun $!
find "$group/world" -mindepth 1 -type d | wc -l
kill $!
wait $!
find "$group/world" -mindepth 1 -type d | wc -l
END'
# row SCRIPT: what it says.
row() {
	guest "systemd-run --quiet --wait --collect --pipe -p Delegate=yes \
	    sh /run/$1 2>&1" | tr '\n' ' '
}
is 'it is not in the way when others have left that' "$(row beside)" \
    'rlimits cgroup2 cgroup2 '
is 'nor when the executor goes back to where it was' "$(row ended)" '2 0 '
vm_cut_power
done_testing
