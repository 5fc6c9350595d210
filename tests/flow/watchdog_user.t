#!/bin/sh
# SPDX-License-Identifier: ISC
# A root install: executors stay root, the other daemons become the user of
# the configuration, and the supervisor's death still takes all of them. In a
# mount namespace, for the user must exist and the machine is not ours. A name
# service that does not answer keeps nobody waiting but who needs it.
. "$(dirname "$0")/../harness/lib.sh"
need_root
own_mounts
. "$(dirname "$0")/../harness/fakes.sh"

cp /etc/passwd "$T/passwd"
cp /etc/group "$T/group"
echo 'patchflow:x:990:990::/nonexistent:/bin/false' >>"$T/passwd"
printf '%s\n' patchflow:x:990: patchflow-submit:x:991:patchflow >>"$T/group"
if ! mount --bind "$T/passwd" /etc/passwd ||
    ! mount --bind "$T/group" /etc/group; then
	skip_all "no bind mounts to be had"
fi

fake_config
sed -i 's/^spool/user: patchflow\nspool/' "$CONF"
start watchdog watchdog -f -c "$CONF"
await 'everybody is ready' all_ready
owner() {
	stat -c %u "/proc/$(status_of "$1" .pid)"
}
is 'the bridge is the user' "$(owner ghost-bridge)" 990
is '... with the groups of the user' "$(sed -n \
    's/^Groups:[[:space:]]*//p' "/proc/$(status_of ghost-bridge \
    .pid)/status" | xargs)" '990 991'
is '... so are the others' "$(owner alertd) $(owner summarizer)" '990 990'
is 'executors stay root' "$(owner executor@MAIN)" 0
old=$(status_of alertd .pid)
kill -s KILL "$old"
back() {
	state_is alertd ready && [ "$(status_of alertd .pid)" != "$old" ]
}
await 'one of the user is restarted too' back

# A name service that does not answer: whoever reads a pipe waits for a writer.
# Who needs the account waits then, and nobody else.
mkfifo "$T/pipe"
mount --bind "$T/pipe" /etc/group
exits 124 'who asks the name service waits' \
    timeout 1 getent initgroups patchflow
kill -s KILL "$(status_of alertd .pid)" "$(status_of summarizer .pid)"
waits() {
	status_of "$1" '.state + " " + .why_not_running' |
	    grep -q '^starting .*looked up'
}
await 'a daemon waits for its account' waits alertd
await '... so does another one' waits summarizer
root=$(status_of executor@MAIN .pid)
kill -s KILL "$root"
other_root() {
	pid=$(status_of executor@MAIN .pid)
	[ "${pid:-null}" != null ] && [ "$pid" != "$root" ]
}
await 'one that needs none is started meanwhile' other_root
ok '... and another one stopped' ask stop summarizer
await '... at once' state_is summarizer stopped
is '... and the first one waits on' "$(waits alertd; echo $?)" 0
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	too_late() {
		status_of alertd .why_not_running | grep -q 'timed out'
	}
	AWAIT=60 await 'no answer is one in the end' too_late
else
	skip 1 'ten seconds: with PATCHFLOW_LONG'
fi
umount -l /etc/group
exec 9<>"$T/pipe" 9>&-
ok 'with the name service back' ask start summarizer
await '... everybody is ready' all_ready
is '... with the groups of the user' "$(sed -n \
    's/^Groups:[[:space:]]*//p' "/proc/$(status_of alertd .pid)/status" |
    xargs)" '990 991'
is '... and nobody else was restarted' "$(ask status |
    jq -r '.daemons[] | select(.restarts == 0) | .name' | xargs)" \
    'executor@CYOPS ghost-bridge'

pids=$(ask status | jq '.daemons[].pid' | xargs)
kill -s KILL "$(pid_of watchdog)"
all_dead() {
	for pid in $pids; do
		[ ! -e "/proc/$pid" ] || grep -q '^State:.Z' \
		    "/proc/$pid/status" || return 1
	done
}
await 'a change of user does not outlive the supervisor' all_dead
sed -i 's/^user: patchflow/user: nobody-of-this-name/' "$CONF"
start watchdog watchdog -f -c "$CONF"
said_who() {
	status_of alertd .why_not_running | grep -q nobody-of-this-name
}
await 'a user that is not there is said' said_who
is '... and that the one before had died' "$(ask status |
    jq .watchdog.died)" 1
stop watchdog

# Any account will do: the supervisor makes the places for it.
echo 'fred:x:992:992::/nonexistent:/bin/false' >>/etc/passwd
echo 'fred:x:992:' >>/etc/group
sed 's/^patchflow.*/&,fred/; s/:,fred/:fred/' "$T/group" >"$T/group.new"
cat "$T/group.new" >"$T/group"
sed -i "s/^user: .*/user: fred/; s|^spool: .*|spool: $T/fred|
    s|directory: [^,]*|directory: $T/fredlogs|" "$CONF"
SPOOL=$T/fred
rm -f "$FAKE_DIR"/*.alive
start watchdog watchdog -c "$CONF"
await 'the suite runs with another account' all_ready
is '... the daemons are that account' "$(owner ghost-bridge)" 992
is '... the spool is its, and the group reads' "$(stat -c '%U %G %a' "$T/fred" \
    "$T/fred/MAIN/patches" | xargs)" 'fred patchflow 2751 fred patchflow 2750'
is '... it may keep files beside the logs, and not touch those' "$(
    stat -c '%U %G %a' "$T/fredlogs")" 'root patchflow 3770'
stop watchdog

# check-config says which group is missing and how to add it.
PATCHFLOW_CONFIG=$CONF
export PATCHFLOW_CONFIG
told() {
	patchflow --json check-config | jq -r --arg c "$1" \
	    '.checks[] | select(.subject == "suite" and .check == $c) | .fix'
}
is 'an account with its groups is well' "$(told group)" ''
cp "$T/group" "$T/group.new"
sed 's/,fred//' "$T/group.new" >"$T/group"
is 'a missing group is named, with the way to add it' "$(told group)" \
    'usermod -a -G patchflow-submit fred'
sed -i 's/^user: fred/user: patchflow/' "$CONF"
like 'a spool of another account too' "$(told owner)" \
    "chown -R patchflow $T/fred"
done_testing
