#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2034 # what the guest expands; AWAIT is lib.sh's
# time-limit: 360
# The suite of a user without root under a systemd of his own: set up as the
# manual says, in his home directory; replaced there when it dies, hangs or is
# killed with everybody; and back after a reboot without anybody logged in.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/vm.sh"
vm_begin
vm_new_disk one
vm_boot one writeback

# joe COMMAND: as he would give it, at a terminal of his own.
joe() {
	guest "runuser -u joe -- env HOME=/home/joe \
	    XDG_RUNTIME_DIR=/run/user/1999 PATCHFLOW_CONFIG=/home/joe/patchflow.yaml \
	    sh -c 'cd && $1'"
}
suite_is_his() {
	[ "$(joe "patchflow --json status" | jq "$all_up")" = true ]
}
supervisor() {
	joe 'systemctl --user show patchflow -p MainPID --value'
}
replaced() {
	new=$(supervisor) && [ -n "$new" ] && [ "$new" != 0 ] &&
	[ "$new" != "$1" ] && suite_is_his
}
# How many there are of each daemon, and of whom.
census() {
	guest 'for exe in /proc/[0-9]*/exe; do
		echo "$(stat -c %U "${exe%/exe}") $(readlink "$exe")"
	    done 2>/dev/null | sed -n "s|/usr/local/libexec/patchflow/||p" | sort | uniq -c |
	    xargs'
}
everybody='1 joe alertd 1 joe executor 1 joe ghost-bridge 1 joe summarizer 1 joe watchdog'

await 'systemd boots' vm_ready
guest 'systemctl disable --now patchflow' # the other one, of the system
is 'nobody is there' "$(census)" ''
ok 'a configuration in the home directory' joe 'patchflow init'
ok 'he may run without a login' guest 'loginctl enable-linger joe'
his_systemd() {
	joe 'systemctl --user is-system-running' | grep -x -e running -e degraded
}
await '... and has a systemd of his own' his_systemd
ok 'it starts the suite' joe 'systemctl --user enable --now patchflow'
await '... which gets ready' suite_is_his
counts '... one of everybody, all his' "$everybody"
# It is told with the next pulse.
all_known() {
	joe 'systemctl --user show patchflow -p StatusText --value' |
	    grep -x '4 of 4 daemons ready'
}
await 'Type=notify: his systemd knows what it does' all_known
patch() {
	joe "printf \"%s\\n\" \"role: command_patch\" \"id: $1\" \"mutations:\" \
	    \"  - {path: $1.txt, contents: $1}\" \"validate:\" \
	    \"  shell: [test -s $1.txt]\" | patchflow submit --wait -" >"$T/patch"
	guest "cat /home/joe/workspace/$1.txt; stat -c %U /home/joe/workspace/$1.txt"
}
is 'a patch runs in a workspace under /home' "$(patch first)" firstjoe
# Version 252 marks nothing that it delegates: later ones may give a group.
like '... in an overlay, with a journal, and limits' \
    "$(guest 'head -qn 1 /home/joe/var/spool/MAIN/outcomes/*/*.json |
	jq -r "\"\(.isolation) \(.durability) \(.limits) \(.limits_why)\""')" \
    '^overlay journal (cgroup2|rlimits .*: it is not delegated to us)'

old=$(supervisor)
guest "kill -s KILL $old"
await 'SIGKILL of the supervisor: it is replaced' replaced "$old"
counts '... with one of everybody' "$everybody"
old=$(supervisor)
joe 'systemctl --user kill -s KILL patchflow'
await 'SIGKILL of everybody: replaced too' replaced "$old"
counts '... with one of everybody' "$everybody"
old=$(supervisor)
guest "kill -s STOP $old"
await 'one that hangs is replaced' replaced "$old"
counts '... with one of everybody' "$everybody"

guest 'systemctl reboot' &
ok 'it boots again' vm_reboots one writeback
await '... with the suite, and nobody logged in' suite_is_his
counts '... who has it back' "$everybody"
is 'a patch runs' "$(patch second)" secondjoe
ok 'systemctl stop' joe 'systemctl --user stop patchflow'
is '... ends all of it, and leaves no group' "$(census)$(guest \
    'find /sys/fs/cgroup -name "patchflow*"')" ''
vm_cut_power
done_testing
