#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# The supervisor in a bad environment, as an ordinary user: no processes to be
# had, a crowd at the control socket, a stopped reader of its log.
. "$(dirname "$0")/../harness/lib.sh"
reexec_as_user
. "$(dirname "$0")/../harness/fakes.sh"

fake_config
mkfifo "$T/stderr"
# Opened for both, so that nobody has to read it: it fills and stays full.
exec 7<>"$T/stderr"
watchdog -f -c "$CONF" 2>&7 </dev/null &
echo $! >"$T/pids/watchdog"
await 'everybody is ready' all_ready

# No new process
prlimit --pid "$(pid_of watchdog)" --nproc=1:
old=$(status_of alertd .pid)
kill -s KILL "$old"
said_why() {
	status_of alertd .why_not_running | grep -q 'no new process'
}
await 'a failed fork is said' said_why
is '... and has a date' "$(status_of alertd \
    '.next_attempt_ms != null and .next_attempt_ms <= 2000')" true
begin=$(now_ms)
until_true 10 past "$begin" 4000
is '... it is nobody'\''s strike' "$(status_of alertd .state)" backoff
prlimit --pid "$(pid_of watchdog)" --nproc=unlimited: 2>/dev/null ||
    prlimit --pid "$(pid_of watchdog)" --nproc=4096:
begin=$(now_ms)
late=$(times_late)
await 'with processes again it is back' state_is alertd ready
timely '... within two seconds and a little' $(($(now_ms) - begin)) 14000 \
    "$late"

# A crowd, while one daemon crashes all the time
script summarizer exit-worked 9
kill -s KILL "$(status_of summarizer .pid)"
answers=$("$TOP/tests/harness/crowd.pl" "$SPOOL" 50 50 200)
diag "slowest and 99th of 100 status answers in ms: $answers"
is 'a crowd does not keep the status from anybody' "$(echo "$answers" |
    awk '{ print ($2 < 1500) ? "yes" : $2 }')" yes

# The supervisor is late: whoever spoke in time is heard.
is 'a late supervisor cuts nobody off who has spoken' \
    "$("$TOP/tests/harness/patient.pl" "$SPOOL" "$(pid_of watchdog)" 5)" 5

if [ "$(id -u)" -eq 0 ]; then
	# One that the group's rights let in may look, and not act.
	chmod o+x "$T" "$SPOOL" "$SPOOL/run"
	chmod o+rw "$SPOOL/run/control.sock"
	ok 'an unprivileged user may ask for the status' as_user \
	    "$TOP/tests/harness/ask.pl" "$SPOOL" status
	old=$(status_of alertd .pid)
	for verb in restart stop start reload upgrade down; do
		as_user "$TOP/tests/harness/ask.pl" "$SPOOL" "$verb" alertd
	done >"$T/refused"
	is '... and nothing else' "$(grep -c '"ok":false.*only root' \
	    "$T/refused") $(status_of alertd .pid)" "6 $old"
else
	skip 2 "needs another user"
fi
unscript summarizer
ask start summarizer >/dev/null
await 'and everybody is ready' all_ready

# Nobody reads the log: 64 KiB of pipe are full after a moment
script ghost-bridge flood
ask restart ghost-bridge >/dev/null
await 'a daemon floods the log' state_is ghost-bridge ready
work() {
	status_of ghost-bridge .work
}
was=$(work)
more_work() {
	[ "$(work)" -gt "$((was + 8))" ]
}
await '... and neither it nor the supervisor waits for the reader' more_work
is '... nor is anybody taken for hung' "$(status_of ghost-bridge \
    '.last_exit.reason // "none"')" stopped
unscript ghost-bridge
ok 'down is answered' ask down
await 'and done' stopped watchdog

# Under a supervisor of its own
# shellcheck disable=SC2016 # perl's own
start listener perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0) or die;
    bind(S, sockaddr_un($ARGV[0])) or die "bind: $!"; $| = 1;
    while (defined recv(S, $m, 4096, 0)) { print "$m---\n" }' "$T/up.sock"
await 'somebody listens above' test -S "$T/up.sock"
start watchdog env NOTIFY_SOCKET="$T/up.sock" WATCHDOG_USEC=1000000 \
    watchdog -f -c "$CONF"
heard() {
	[ "$(grep -c "^$1\$" "$T/log/listener")" -ge "$2" ]
}
await 'it says that it is ready' heard READY=1 1
await '... and goes on saying that it lives' heard WATCHDOG=1 4
await '... with those below it' heard 'STATUS=5 of 5 daemons ready' 1
is '... who do not talk to the one above' "$(grep -c 'STATUS=busy' \
    "$T/log/listener")" 0
kill -s TERM "$(pid_of watchdog)"
await '... and says when it goes' heard STOPPING=1 1
await 'and is gone' stopped watchdog
done_testing
