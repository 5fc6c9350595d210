#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# System calls of the supervisor that fail while daemons are killed, stopped,
# started and reloaded: it never ends, and with the fault gone everybody is
# there again within moments. A few faults, others each time; with
# PATCHFLOW_LONG all of them, and a minute of no new processes.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

strace -qq -o /dev/null true 2>/dev/null || skip_all "needs strace"

# What the kernel may answer to each call that a running supervisor makes.
faults() {
	while read -r call errors; do
		for error in $errors; do
			echo "$call:$error"
		done
	done <<-END
	clone,clone3,fork,vfork EAGAIN ENOMEM
	pidfd_open EMFILE ENOMEM
	pidfd_send_signal EPERM
	pipe2 EMFILE ENFILE
	openat EMFILE ENFILE ENOSPC EIO EINTR EACCES
	read EINTR EIO EAGAIN
	write EINTR ENOSPC EIO EAGAIN
	pwrite64 ENOSPC EIO
	fsync EIO ENOSPC EINTR
	renameat2 ENOSPC EIO
	unlinkat EIO
	recvmsg EINTR EAGAIN ENOMEM
	recvfrom EINTR EAGAIN
	sendto EINTR EAGAIN ENOMEM
	accept4 EINTR EAGAIN EMFILE ENFILE ENOMEM ECONNABORTED
	getsockopt EIO
	waitid EINTR
	poll EINTR EAGAIN ENOMEM
	socket EMFILE ENOMEM
	flock EINTR ENOLCK
	mkdirat ENOSPC EIO
	fchmodat EIO
	bind EIO
	newfstatat EIO ENOMEM
	fcntl EIO
	memfd_create EMFILE ENOMEM
	execve ENOENT ENOMEM
	brk,mmap ENOMEM
	END
}

seconds=2
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	seconds=60
	faults >"$T/faults"
else
	faults | awk -v s="$seed" '(NR + s) % 17 == 0' \
	    >"$T/faults"
fi

fake_config
start watchdog watchdog -f -c "$CONF"
await 'everybody is ready' all_ready
pid=$(pid_of watchdog)

# inject FAULT...
inject() {
	calls=
	injects=
	for fault_now in "$@"; do
		calls=$calls,${fault_now%%:*}
		injects="$injects -e inject=$fault_now"
	done
	# shellcheck disable=SC2086 # a list
	strace -qq -o "$T/calls" -e "trace=${calls#,}" $injects -p "$pid" \
	    >"$T/strace" 2>&1 &
	tracer=$!
	until_true 5 traced
}

traced() {
	grep -q "^TracerPid:[[:space:]]*$tracer\$" "/proc/$pid/status"
}

relent() {
	kill -s INT "$tracer" 2>/dev/null
	wait "$tracer" 2>/dev/null
}

slowest_turn() {
	ask status | jq .watchdog.slowest_turn_ms
}

# Something of everything; answers may be lost with their faults.
stir() {
	kill -s KILL "$(lock_pid summarizer)" 2>/dev/null
	# The loader makes some of the calls too, and nobody can help it.
	upgrade=upgrade
	case $1 in openat | read | newfstatat | brk,*) upgrade=ping ;; esac
	for verb in status 'stop alertd' 'start alertd' reload $upgrade; do
		# shellcheck disable=SC2086 # verb and name
		timeout 3 "$TOP/tests/harness/ask.pl" "$SPOOL" $verb
	done >/dev/null 2>&1
	begin=$(now_ms)
	until_true 3 past "$begin" 300
}

lock_pid() {
	tr -cd 0-9 <"$SPOOL/run/$1.lock"
}

ended=0
slow=0
hits=0
while read -r fault; do
	for when in 1..40+3 2..40+5; do
		inject "${fault%:*}:error=${fault#*:}:when=$when"
		stir "${fault%:*}"
		relent
		hits=$((hits + $(grep -c INJECTED "$T/calls")))
		running watchdog || break
		# What was lost with an answer is asked for once more.
		until_true 5 ask start all
		until_true 12 all_ready || {
			slow=$((slow + 1))
			diag "$fault, $when: not ready again"
			diag "$(jq -c '.daemons[] | select(.state != "ready") |
			    [.name, .state, .why_not_running]' "$T/status")"
		}
	done
	if ! running watchdog; then
		ended=$((ended + 1))
		diag "$fault: it ended"
		diag "$(tail -n 3 "$T/log/watchdog")"
		until_true 10 [ -z "$(left_over)" ]
		start watchdog watchdog -f -c "$CONF"
		pid=$(pid_of watchdog)
		until_true 15 all_ready
	fi
done <"$T/faults"
diag "$(wc -l <"$T/faults") faults, $hits calls failed"
is 'calls fail' "$((hits > 0))" 1
is 'no fault ends it' "$ended" 0
is 'and everybody is there again' "$slow" 0
is 'nobody ever had a twin' "$(twins)" 0

# No new process, no descriptor and no byte of disk for long
inject clone,clone3,fork,vfork:error=EAGAIN openat:error=EMFILE \
    write,fsync:error=ENOSPC
for who in alertd summarizer ghost-bridge; do
	kill -s KILL "$(lock_pid "$who")"
done
begin=$(now_ms)
# One client asks all the time: a process a question would measure processes.
answers=$("$TOP/tests/harness/crowd.pl" "$SPOOL" 0 0 $((seconds * 50)) 20)
until past "$begin" $((seconds * 1000)); do
	pause
done
diag "status in $seconds s of it: slowest, 99th of 100 and middle answer" \
    "$answers ms; slowest turn $(slowest_turn) ms"
is 'status answers while there is nothing to be had' \
    "$(echo "$answers" | awk 'NF == 3 && $1 < 5000 && $3 < 1000')" "$answers"
says_why() {
	status_of alertd .why_not_running | grep -q "no new process"
}
await "... and says so" says_why
late=$(times_late)
relent
begin=$(now_ms)
await 'with processes again everybody is back' all_ready
# From the supervisor's own times: to ask takes a while as well.
back=$(jq "[.daemons[].uptime_ms] | $(now_ms) - min - $begin" "$T/status")
diag "the last one was started $back ms after the end of it"
timely '... within two seconds and a little' "$back" 4000 "$late"
done_testing
