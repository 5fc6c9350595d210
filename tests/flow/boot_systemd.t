#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2034 # what the guest expands; AWAIT is lib.sh's
# time-limit: 480
# The suite under systemd as process 1 of a whole machine: enabled as the
# manual says, booted, watched, replaced, stopped, and booted again, with
# nothing lost on the way.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/vm.sh"
vm_begin
vm_new_disk one
vm_boot one writeback

unit() {
	guest "systemctl show patchflow -p $1 --value"
}
supervisor() {
	unit MainPID
}
replaced() {
	new=$(supervisor) && [ -n "$new" ] && [ "$new" != 0 ] &&
	[ "$new" != "$1" ] && vm_suite_is_up
}
# How many there are of each daemon; how many processes are in which group of
# the unit (S is the suite's, P a patch's); and which groups lie elsewhere.
census() {
	guest 'for exe in /proc/[0-9]*/exe; do readlink "$exe"; done |
	    sed -n "s|^/usr/local/libexec/patchflow/||p" | sort | uniq -c | xargs
	    unit=/sys/fs/cgroup/system.slice/patchflow.service
	    cd $unit && find . -type d | sort | while read -r group; do
		echo "$group $(wc -l <$group/cgroup.procs)"
	    done | sed "s|^\./patchflow-[0-9a-f]*|S|; s|/patchflow-.*|/P some|"
	    find /sys/fs/cgroup -name "patchflow-*" ! -path "$unit/*"'
}
everybody='1 alertd 1 executor 1 ghost-bridge 1 summarizer 1 watchdog
. 0
S 0
S/executor@MAIN 0
S/executor@MAIN/daemon 1
S/supervisor 4'
# submit ID LINE...: a patch that writes ID.txt, with more lines.
submit() {
	id=$1
	shift
	guest "printf '%s\n' 'role: command_patch' 'id: $id' 'mutations:' \
	    '  - {path: $id.txt, contents: \"$id\"}' $* |
	    patchflow submit ${WAIT-} -"
}
state() {
	guest "patchflow --json show $1 | jq -r .[0].state"
}

await 'systemd boots' vm_ready
await '... and starts the suite' vm_suite_is_up
is 'the unit is enabled, and no other one failed' \
    "$(guest 'systemctl is-enabled patchflow; systemctl --failed --no-legend')" \
    enabled
# It is told with the next pulse.
all_known() {
	unit StatusText | grep -x '4 of 4 daemons ready'
}
await 'Type=notify: systemd knows what it does' all_known
like 'WatchdogSec: it has heard a beat' "$(unit WatchdogTimestampMonotonic)" \
    '^[1-9]'
counts 'one of everybody, in the unit, in groups of its own making' "$everybody"
is 'spool and logs are whose they should be' "$(guest \
    'stat -c %U:%G:%a /var/spool/patchflow /var/log/patchflow')" \
    'patchflow:patchflow:2751
root:patchflow:3770'
WAIT=--wait submit first '"validate: {shell: [test -s first.txt]}"' >"$T/first"
is 'a patch runs in a workspace under /home' "$(guest \
    'cat /home/joe/ws/first.txt; stat -c %U /home/joe/ws/first.txt')" 'firstjoe'
is '... in a control group of its own, in an overlay, with a journal' \
    "$(guest 'head -qn 1 /var/spool/patchflow/MAIN/outcomes/done/* |
	jq -r "\"\(.limits) \(.isolation) \(.durability)\""')" \
    'cgroup2 overlay journal'
like 'journald has what the supervisor says' "$(guest \
    'journalctl -u patchflow --no-pager -o cat')" 'watchdog info: .*started'

old=$(supervisor)
ok 'systemctl restart' guest 'systemctl restart patchflow'
await '... is another one' replaced "$old"
counts '... with one of everybody' "$everybody"
old=$(supervisor)
guest 'systemctl kill -s KILL --kill-who=main patchflow'
await 'SIGKILL of the supervisor: it is replaced' replaced "$old"
counts '... with one of everybody' "$everybody"
old=$(supervisor)
guest 'systemctl kill -s KILL patchflow'
await 'SIGKILL of everybody: replaced too' replaced "$old"
counts '... with one of everybody' "$everybody"
old=$(supervisor)
guest "kill -s STOP $old"
await 'one that hangs is replaced' replaced "$old"
like '... by the watchdog of systemd' "$(guest \
    'journalctl -u patchflow --no-pager -o cat')" 'Watchdog timeout'
counts '... with one of everybody' "$everybody"
guest 'pkill -KILL -x alertd'
noted() {
	deaths=$(guest 'patchflow --json deaths | jq length') &&
	[ "$deaths" -gt 0 ] && vm_suite_is_up
}
await 'SIGKILL of one: it is back, and in the black box' noted

# A stop in the middle of a patch: it goes on at the next start.
submit slow '"validate: {shell: [sleep 600]}"' >/dev/null
slow_runs() {
	guest 'pgrep -f "^sleep 600"'
}
await 'a patch runs' slow_runs
like '... in a group below its executor, with limits' "$(guest '
    group=$(sed -n s/^0:://p /proc/$(pgrep -f "^sleep 600")/cgroup)
    echo $group $(cat /sys/fs/cgroup$group/memory.max \
	/sys/fs/cgroup$group/pids.max)')" \
    '^/system.slice/patchflow.service/patchflow-[0-9a-f]*/executor@MAIN/patchflow-[0-9a-f]{12} 2147483648 [0-9]+$'
busy=$(echo "$everybody" |
    sed 's/1 executor/3 executor/; /daemon/a S/executor@MAIN/P some')
counts '... beside everybody' "$busy"
old=$(supervisor)
guest 'systemctl kill -s KILL patchflow'
await 'SIGKILL of everybody, and of the patch: replaced' replaced "$old"
await '... and the patch runs again' slow_runs
counts '... in one group, and none is left over' "$busy"
ok 'systemctl stop' guest 'systemctl stop patchflow'
is '... was in time, and no process and no group is left' "$(unit Result
    guest 'pgrep -f "^sleep 600|libexec/patchflow"
    find /sys/fs/cgroup -name "patchflow*"')" success
ok 'systemctl start' guest 'systemctl start patchflow'
await 'the patch runs again' slow_runs
guest 'patchflow cancel slow' >/dev/null
slow_ended() {
	[ "$(state slow)" = rejected ]
}
await '... and can be ended' slow_ended

# Two boots: one that was asked for, one that was not.
ok 'a queue is stopped' guest 'patchflow pause MAIN'
submit kept >/dev/null
guest 'systemctl reboot' &
ok 'it boots again' vm_reboots one writeback
await '... with the suite' vm_suite_is_up
like 'the patch is still there, and the queue still stopped' "$(state kept)" \
    'queued|held'
ok '... and runs when that ends' guest \
    'patchflow resume MAIN; patchflow wait --timeout 300s kept'
guest 'sync; echo b >/proc/sysrq-trigger' &
ok 'it boots once more, unasked' vm_reboots one writeback
await '... with the suite' vm_suite_is_up
is 'what was done is done' "$(state first) $(state kept) $(guest \
    'cat /home/joe/ws/kept.txt')" 'completed completed kept'
ok "the black box still has the $deaths deaths" test "$deaths" -le \
    "$(guest 'patchflow --json deaths | jq length')" -a \
    "$deaths" -gt 0
guest 'systemctl poweroff' &
await 'it can be switched off' stopped machine
done_testing
