#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# time-limit: 200
# Lines to syslog and journald, and what becomes of them when nobody takes
# them; the supervisor's own lines, bounded by their cause.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

collect() {
	start collector "$TOP/tests/harness/datagrams.pl" "$T/sock"
	until_true 15 test -S "$T/sock"
}
# What it has got since mark.
mark() {
	seen=$(wc -l <"$T/log/collector")
}
since() {
	tail -n "+$((seen + 1))" "$T/log/collector"
}
got() {
	since | grep -E "$1"
}
filed() {
	grep -Eq "$1" "$T/logs/$2.log"
}
trouble() {
	ask status | jq -r .watchdog.logs.trouble | grep -Eq "$1"
}

seen=0
fake_config
sed -i "s|size: 100K|size: 100M|; s|^logs: {|&to: syslog, socket: $T/sock, |" "$CONF"
collect
start watchdog watchdog -c "$CONF"
await 'everybody is ready' all_ready
d='[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]{8}'
await 'syslog gets a daemon'\''s line with level and name' \
    got "^<30>$d patchflow-ghost-bridge: ghost-bridge: started"
await '... and the supervisor'\''s own' got \
    "^<30>$d patchflow-watchdog: ghost-bridge: ready"
# From here on its queue is full at times, and what does not fit is filed.
script summarizer count
ask restart summarizer >/dev/null
await '... one of no shape as it is' got "^<30>$d patchflow-summarizer: count [0-9]+\$"

# Nobody takes them
stop collector KILL
await 'without a listener the status says so' trouble 'refused'
like '... for people too' "$(patchflow -c "$CONF" status)" \
    'syslog takes no log lines, .*refused'
await '... and lines go to the files' filed '^count [0-9]+$' summarizer
await '... which the supervisor'\''s says' filed \
    "log: $T/sock takes no lines, .*refused: they go to the files" watchdog
mark
collect
await 'a listener that is back gets them again' got 'summarizer: count'
await '... which is told' got 'patchflow-watchdog: log: .* takes lines again'
await '... and no trouble any more' trouble '^$'

# One that does not read: its queue fills at once
mark
kill -s STOP "$(pid_of collector)"
await 'one that does not read makes nobody wait' trouble 'unavailable'
was=$(status_of summarizer .work)
more_work() {
	[ "$(status_of summarizer .work)" -gt "$((was + 4))" ]
}
await '... the daemons work on' more_work
kill -s CONT "$(pid_of collector)"
is '... nobody was taken for hung' "$(ask status |
    jq '[.daemons[].restarts] | add')" 0
ask stop summarizer >/dev/null
await 'the one that counts is stopped' state_is summarizer stopped
# From the first that is there since the mark to the last.
all_there() {
	{
		since | sed -n 's/.*patchflow-summarizer: count //p'
		sed -n 's/^count //p' "$T"/logs/summarizer.log*
	} | sort -n | awk -v first="$(since | sed -n \
	    's/.*patchflow-summarizer: count //p' | head -n 1)" '
	    $0 < first { next } NR > 1 && $0 != last + 1 && seen { bad++ }
	    { last = $0; seen++ } END { print bad + 0, (seen > 500) }' |
	    grep -x '0 1'
}
await 'each line is here or there, once' all_there

# journald, by a reload
sed -i 's/to: syslog/to: journald/' "$CONF"
mark
ok 'a reload changes where they go' ask reload
ask restart ghost-bridge >/dev/null
await 'journald gets fields' got '^SYSLOG_IDENTIFIER=patchflow-ghost-bridge$'
with_text() {
	since | grep -A1 '^PATCHFLOW_DAEMON=ghost-bridge$' |
	    grep '^MESSAGE=ghost-bridge: started'
}
await '... with its text' with_text
echo '    - {name: nobody' >>"$CONF"
cp "$CONF" "$T/bad"
sed -i 's/to: journald/to: nowhere/' "$T/bad"
exits 78 'another word is refused' watchdog -n -c "$T/bad"
like '... with its line' "$(cat "$T/out")" 'bad:[0-9]+'

# One cause, many lines
ask_often() {
	n=0
	while [ "$n" -lt "$1" ]; do
		n=$((n + 1))
		ask reload
		ask ping
	done >/dev/null 2>&1
}
refusals() {
	since | grep -c "MESSAGE=.*config-invalid,"
}
mark
ask_often 40
await 'a bad configuration is told' got 'config-invalid'
is '... once for forty times' "$(refusals)" 1
is '... and what was asked a handful of times' "$(since |
    grep -c 'MESSAGE=control: reload, asked' |
    awk '{ print ($1 >= 1 && $1 <= 20) }')" 1
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	AWAIT=90
	await 'what was kept back is counted a minute later' got \
	    'log: 39 more lines like .*config-invalid'
else
	skip 1 'a minute: with PATCHFLOW_LONG'
fi
stop watchdog
done_testing
