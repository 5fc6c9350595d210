#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# time-limit: 200
# alertd itself is the victim: somebody is told all the same, once, and the
# spool keeps everything for when it is back.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

cat >"$T/tell" <<'END'
#!/bin/sh
cat >>"$FAKE_DIR/told.json"
echo >>"$FAKE_DIR/told.json"
printf '%s %s %s %s: %s\n' "$PATCHFLOW_ALERT_TYPE" "$PATCHFLOW_ALERT_SUBJECT" \
    "$PATCHFLOW_ALERT_SEVERITY" "$PATCHFLOW_ALERT_RESOLVED" \
    "$PATCHFLOW_ALERT_TEXT" >>"$FAKE_DIR/told"
END
chmod 755 "$T/tell"
: >"$FAKE_DIR/told"
start collector "$TOP/tests/harness/datagrams.pl" "$T/sock"
fake_config
sed -i "s|^  check: .*|&\\n  fallback: $T/tell\\n  fallback_after: 1s|
    s|^logs: {|&to: syslog, socket: $T/sock, |" "$CONF"
cat >>"$CONF" <<END
alerts:
  channels: [{name: log, type: file, path: $T/alerts.log}]
END
start watchdog watchdog -c "$CONF"
await 'everybody is ready' all_ready
told() {
	grep -Ec "$1" "$FAKE_DIR/told" | grep -x "$2"
}
deep() {
	for n in 0 1 2 3 4 5 6 7 8 9; do
		echo x >"$SPOOL/$1/patches/5-000000000000100$n-p$n-0123abcd,1.json"
	done
}

# Negative control: with alertd there, the spool is enough.
deep MAIN
await 'a trouble is an alert' alert queue-depth MAIN
is 'with alertd ready nobody else is told' "$(wc -l <"$FAKE_DIR/told")" 0

# 111 is the environment's and never a strike: no word like "degraded" helps.
script alertd exit 111
kill -s KILL "$(status_of alertd .pid)"
await 'an alertd that does not come back is told' told \
    '^alertd-down alertd warning 0: alertd is backoff, temporary: [0-9]+ alerts wait in' 1
is '... with the whole alert' "$(head -n 1 "$FAKE_DIR/told.json" |
    jq -r '[.format, .type, .component, .resolved | tostring] | join(" ")')" \
    'patchflow-alert-1 alertd-down watchdog false'
syslog_has() {
	grep -E '^<26>.* patchflow-alert: alertd: alertd-down, alertd is' \
	    "$T/log/collector"
}
ok '... in syslog too' syslog_has
rm -f "$SPOOL"/MAIN/patches/5-*
deep CYOPS
await 'and so is the next trouble' told '^queue-depth CYOPS warning 0' 1
# A child puts it there, beside the command that tells.
await '... which lies in the spool all the same' alert queue-depth CYOPS
unscript alertd
ask start alertd >/dev/null
await 'its return is told' told '^alertd-down alertd warning 1: alertd is ready' 1
rm -f "$SPOOL"/CYOPS/patches/5-*
await 'later ones go to alertd alone' alert queue-depth CYOPS true
is '... and each was told once' "$(cut -d: -f1 "$FAKE_DIR/told" | sort |
    uniq -d)" ''

# A command that does what it should not
sed -i "s|fallback: .*|fallback: 'yes \& sleep 600 \& exec sleep 601'|" "$CONF"
ok 'another command' ask reload
script alertd exit 111
kill -s KILL "$(status_of alertd .pid)"
sleeps() {
	n=0
	for p in $(started); do
		tr '\0' ' ' <"/proc/$p/cmdline" | grep -Eqx 'sleep 60[01] |yes ' &&
			n=$((n + 1))
	done 2>/dev/null
	test "$n" "$1" "$2"
}
await 'a command that hangs and floods runs' sleeps -ge 2
ok '... and status answers' ask status
AWAIT=30
await '... until its time is over' grep -q 'fallback: not told, tried again' \
    "$T/log/collector"
await '... and nothing of it is left' sleeps -eq 0
unscript alertd
ask start alertd >/dev/null
await 'everybody is ready' all_ready
is 'nobody was restarted for it' "$(ask status | jq '[.daemons[] |
    select(.name != "alertd") | .restarts] | add')" 0

# The real one sends what waited.
both_times() {
	[ "$(count_alerts alertd-down alertd)" = 4 ]
}
await 'begin and end of both times are in the spool' both_times
stop watchdog
unset NOTIFY_SOCKET
ok 'alertd works off the spool' alertd --once -c "$CONF"
sent() {
	grep -c "alertd-down" "$T/alerts.log"
}
is 'each of them is sent' "$(sent)" 4
done_testing
