#!/bin/sh
# SPDX-License-Identifier: ISC
# A machine that lacks something while the ways to isolate commands are tried
# is not one that forbids them: the patch stays queued, somebody is told, and
# it is the best way after all once the lack is over. PATCHFLOW_LONG=1 takes
# more calls.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
command -v strace >/dev/null || skip_all 'no strace here'
write_config </dev/null
give_scratch
strace -qq -o "$T/trace" -e trace=none true 2>/dev/null ||
    skip_all 'nobody may be traced here'

# under CALL:FAULT: the executor, where that call fails in every process.
under() {
	start executor strace -D -I2 -f -qq -o "$T/trace" -e trace="${1%%:*}" \
	    -e inject="$1" "$BUILD_DIR/bin/executor" -f -c "$CONF" -q MAIN
}
# The tracer goes, and with it the fault.
heal() {
	kill -TERM "$(sed -n 's/^TracerPid:[^0-9]*//p' \
	    "/proc/$(pid_of executor)/status")"
}
held() {
	grep -q "queue held: what isolation .* at present: $1" "$T/log/executor"
}
alerts() {
	first_lines "$SPOOL"/alerts/new/*.json |
	    jq -r '"\(.type) \(.resolved)"' | sort -u
	rm -f "$SPOOL"/alerts/new/*
}
queue() {
	: >"$T/log/executor"
	queue_json >/dev/null <<END
{"id":"$1","mutations":[{"path":"x","contents":"$1"}],"validate":{"shell":["true"]}}
END
}

# lack NAME CALL:FAULT WORDS
lack() {
	queue "$1"
	under "$2"
	await "$1: the queue is held" held "$3"
	is "$1: the patch waits" "$(where_is "$1")$(outcome "$1" .state)" queued
	heal
	AWAIT=60 await "$1: then it runs" ended_as "$1" completed
	is "$1: in the best way" "$(outcome "$1" .isolation)" overlay
	stop executor
	is "$1: it was told, and only that" "$(alerts | tr '\n' ' ')" \
	    'queue-stuck false queue-stuck true '
}
lack processes clone:error=EAGAIN 'overlay: making namespaces'
lack mounts fsmount:error=ENFILE 'overlay: '
lack layers landlock_create_ruleset:error=ENOMEM 'overlay: '
lack killed pivot_root:signal=KILL 'overlay: the probe ended without'
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	for call in clone pipe2 mount fsopen fsmount open_tree move_mount \
	    mount_setattr pivot_root landlock_create_ruleset setsid; do
		for error in EMFILE ENFILE ENOMEM EAGAIN ENOSPC; do
			case $call in
			# Its own start needs these.
			pipe2 | setsid) [ $error = EMFILE ] || continue ;;
			esac
			lack "$call-$error" "$call:error=$error" 'overlay: '
		done
	done
fi

# --- the control: what is forbidden is no lack

queue forbidden
under fsopen:error=EPERM
await 'what is forbidden leads to a weaker way' ended_as forbidden completed
is 'which it was' "$(outcome forbidden .isolation)" bare-copy
fails 'and holds nothing' held ''
stop executor
is 'but is alerted' "$(alerts)" 'isolation-weak false'
done_testing
