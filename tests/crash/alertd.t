#!/bin/sh
# SPDX-License-Identifier: ISC
# alertd killed, or its call failed, at every nth call that changes something.
# After one undisturbed run each alert is in the file once and at the receiver
# at least once; only one that was under way may be there twice, and its
# second copy says so.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/each_call.sh"

unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
LOG=$T/alerts.log
mkdir -p "$T/ws/main" "$T/log"

need_strace

faultd "$T/hook.jsonl" ok >"$T/port" &
echo $! >"$T/pids/faultd"
until_true 5 test -s "$T/port" || exit 1
cat >"$CONF" <<END
spool: $SPOOL
queues:
  - {name: MAIN, workspace: $T/ws/main}
alerts:
  retry: 100ms
  retry_max: 100ms
  channels:
    - {name: log, type: file, path: $LOG}
    - {name: hook, type: webhook, url: "http://127.0.0.1:$(cat "$T/port")/x"}
END
for i in 1 2 3; do
	putalert "$SPOOL" trouble "S$i" error "number $i"
done
putalert "$SPOOL" trouble S1 error 'again'
cp -a "$SPOOL" "$T/spool.start"

# whole: says what is wrong.
whole() {
	[ "$(count_files "$SPOOL/alerts/done")" -eq 4 ] ||
		echo "alerts: $(ls "$SPOOL"/alerts/*)"
	for i in 1 2 3; do
		# Whichever of the two about S1 came first, the other is its
		# repeat, which one that had to wait for the disk counts.
		[ "$(grep -c "S$i: [a-z]* *$i* *\(([0-9]* repeats[a-z ]*) \)*\[delivery" \
		    "$LOG")" -eq 1 ] ||
			echo "S$i in the file: $(cat "$LOG")"
	done
	jq -s -r 'group_by(.headers["idempotency-key"]) as $told |
	    (range(1; 4) as $i |
		select(any(.[]; .body | contains("S\($i)")) | not) |
		"S\($i) not at the receiver"),
	    ($told[] | select(length > 2 or (length == 2 and
		([.[] | .body | fromjson | .may_be_repeat] | any | not))) |
		"unmarked: \(.)"),
	    (if ([$told[] | select(length > 1)] | length) > 1
		then "more than one told twice" else empty end)' \
	    "$T/hook.jsonl"
	[ "$(wc -l <"$LOG")" -le 4 ] || echo "lines: $(cat "$LOG")"
}

drained() {
	alertd --once -c "$CONF" >>"$T/log/run" 2>&1
}

fresh() {
	rm -rf "$SPOOL" "$LOG"
	: >"$T/hook.jsonl"
	cp -a "$T/spool.start" "$SPOOL"
}

settled() {
	until_true 10 drained
}

sweep_all alertd 10 6 1
