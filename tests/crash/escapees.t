#!/bin/sh
# SPDX-License-Identifier: ISC
# Processes that do not want to die, of twelve kinds, left by a command that
# runs into its time, by one that fails, and when the executor is killed: a
# second later none is alive. Where no namespace can be made, too.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
write_config </dev/null
cp "$TOP/tests/harness/zoo.pl" "$ws/zoo.pl"
give_scratch
kinds='plain setsid double nohup deaf stopped holder disown chain tree passed busy'
mark=mark-$$-$(date +%s)

alive() {
	pgrep -cf "zoo $1"
}
none_alive() {
	[ "$(alive "$1")" = 0 ]
}
# The zoo without a jail, as the control: its parent's death ends nobody.
(cd "$T" && exec setsid perl "$ws/zoo.pl" "$mark-free" plain setsid double \
    nohup deaf holder tree passed) >/dev/null 2>&1 &
echo $! >"$T/pids/zoo"
until_true 10 test -e "$T/zoo-ready"
pkill -KILL -xf "zoo $mark-free" -o
ok 'without a jail they live on' test "$(alive "$mark-free")" -ge 8
pkill -KILL -f "zoo $mark-free"

# patch ID LEAVE KIND...: its command keeps that zoo.
patch_zoo() {
	id=$1
	leave=$2
	shift 2
	queue_json >/dev/null <<END
{"id":"$id","limits":{"command_timeout":"1s","processes":100},"mutations":[{"path":"x","mkdir":true}],"validate":{"shell":["${leave}perl zoo.pl $mark-$id $*"]}}
END
}
run_executor() {
	executor --once -c "$CONF" -q MAIN
}
# try NAME KIND...: the three ways to end.
try() {
	who=$1
	shift
	patch_zoo "$who-time" '' "$@"
	run_executor
	ok "$who: none outlives a timeout" until_true 1 none_alive "$mark-$who-time"
	is "$who: which it was" "$(outcome "$who-time" .stage)" timeout
	patch_zoo "$who-fail" 'ZOO_LEAVE=1 ' "$@"
	run_executor
	ok "$who: none outlives a failure" until_true 1 none_alive "$mark-$who-fail"
	is "$who: which it was" "$(outcome "$who-fail" .state)" failed
	patch_zoo "$who-kill" '' "$@"
	start executor $wrap "$BUILD_DIR/bin/executor" -f -c "$CONF" -q MAIN
	until_true 10 running_zoo "$mark-$who-kill"
	stop executor KILL
	ok "$who: none outlives its executor" until_true 1 none_alive "$mark-$who-kill"
	rm -f "$SPOOL"/MAIN/patches/.running/* "$SPOOL"/MAIN/patches/*.json
	run_executor
	is "$who: nothing is left" "$(leftovers "$SPOOL/state/executor@MAIN/txn")" ''
}
running_zoo() {
	[ "$(alive "$1")" -ge 1 ]
}
wrap=
try all all
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	for kind in $kinds; do
		n=0
		while [ $n -lt "${ZOO_ROUNDS:-11}" ]; do
			n=$((n + 1))
			try "$kind-$n" "$kind"
		done
	done
fi
# shellcheck disable=SC2034 # of the function that it wraps
wrap=nonamespace
run_executor() {
	nonamespace "$BUILD_DIR/bin/executor" --once -c "$CONF" -q MAIN
}
try bare all
is 'without namespaces indeed' "$(outcome bare-time .isolation)" bare-copy
done_testing
