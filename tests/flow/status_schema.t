#!/bin/sh
# SPDX-License-Identifier: ISC
# The document of `patchflow --json status` is the one that patchflow-spool(5)
# describes: each member of either is in the other, with its type.
. "$(dirname "$0")/../harness/lib.sh"

write_config <<END
watchdog:
  heartbeat: 250ms
  check: 300ms
  daemons:
    - {name: alertd, limits: {memory: 900M, files: 300, processes: 400, cpu: 90}}
END
PATCHFLOW_LIBEXEC=$T/libexec
export PATCHFLOW_LIBEXEC
mkdir "$PATCHFLOW_LIBEXEC"
ln -s "$BUILD_DIR"/bin/* "$PATCHFLOW_LIBEXEC"
# type_of_each: PATH TYPE of all members of the documents that come in.
type_of_each() {
	jq -r 'def members(p): if type == "object" then
	    (p + " object"), (to_entries[] | .key as $k | .value |
		members(p + "." + $k))
	elif type == "array" then (p + " array"), (.[] | members(p + "[]"))
	else p + " " + type end;
	to_entries[] | .key as $k | .value | members($k)' | sort -u
}
# Of lines "PATH TYPE..." those that are described, one type a line.
sed -n '/^\.Ss Status document/,/^\.El/{
	s/^\.It Li \([^ ]*\) Ar \(.*\)/\1 \2/p
}' "$TOP/man/patchflow-spool.5" | awk '{
	n = split($2, t, "|"); for (i = 1; i <= n; i++) print $1, t[i]
}' | sort -u >"$T/man"

keep_status() {
	patchflow -c "$CONF" --json status >>"$T/status"
}
has() {
	keep_status
	jq -se "any(.[]; $1)" "$T/status"
}
keep_status
suite_start || exit 1
is 'the page describes it' "$(($(wc -l <"$T/man") > 50))" 1
kill -s KILL "$(patchflow -c "$CONF" --json status | jq '.daemons[] |
    select(.name == "alertd") | .pid')"
await 'a death is in it' has 'any(.daemons[]; .last_exit.reason? != null)'
rm "$PATCHFLOW_LIBEXEC/summarizer"
printf '#!/bin/sh\nexit 78\n' >"$PATCHFLOW_LIBEXEC/summarizer"
chmod 755 "$PATCHFLOW_LIBEXEC/summarizer"
kill -s KILL "$(patchflow -c "$CONF" --json status | jq '.daemons[] |
    select(.name == "summarizer") | .pid')"
await 'one that waits for its next start' has \
    'any(.daemons[]; .next_attempt_ms? // 0 > 1000)'
patchflow -c "$CONF" stop alertd >/dev/null
await 'a daemon that does not run' has 'any(.daemons[];
    .state == "stopped" and (.why_not_running | startswith("stopped by")))'
patchflow -c "$CONF" start alertd >/dev/null
mv "$T/ws/cyops" "$T/ws/away"
await 'a queue that is held' has 'any(.queues[]; .hold? // "" != "")'
patchflow -c "$CONF" submit -q MAIN - >/dev/null <<'END'
role: command_patch
id: slow
mutations: [{path: a, contents: a}]
validate: {shell: [sleep 8]}
END
await 'a patch that runs' has 'any(.queues[]; .running != null)'
patchflow -c "$CONF" submit -q CYOPS - >/dev/null <<'END'
role: command_patch
id: next
mutations: [{path: b, contents: b}]
END
await 'one that waits' has 'any(.queues[]; .oldest_ms != null)'
await 'use of a processor' has 'any(.daemons[]; .usage.cpu_percent? != null)'
type_of_each <"$T/status" >"$T/seen"
is 'all that is there is described' "$(comm -23 "$T/seen" "$T/man")" ''
# null is for what is not known yet; nobody can make sure to meet that.
is 'all that is described is there' "$(grep -v ' null$' "$T/man" |
    comm -13 "$T/seen" -)" ''
# Negative control: a member of another type, one more and one less
jq -c '.spool = 7 | .more = 1 | del(.channels)' "$T/status" | type_of_each \
    >"$T/other"
is 'control: a changed document is another one' \
    "$(comm -23 "$T/other" "$T/man" | xargs)" 'more number spool number'
like '... in both directions' "$(comm -13 "$T/other" "$T/man")" \
    '^channels array$'
done_testing
