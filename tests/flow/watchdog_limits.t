#!/bin/sh
# SPDX-License-Identifier: ISC
# What watchdog.daemons says of a daemon holds for its process; what it uses is
# sampled, shown and warned of.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

fake_config
cat >>"$CONF" <<END
  memory_warning: 512M
  daemons:
    - name: alertd
      nice: 5
      umask: "007"
      environment: {PATCHFLOW_TRY: "a b", LANG: C.UTF-8}
      limits: {memory: 300M, files: 300, processes: 400, cpu: 60}
    - {name: executor, limits: {files: 200}}
    - {name: executor@CYOPS, limits: {files: 222, core: true}}
END
LANG=C
PATCHFLOW_TRY=no
export LANG PATCHFLOW_TRY
start watchdog watchdog -f -c "$CONF"
await 'everybody is ready' all_ready
proc() {
	cat "/proc/$(status_of "$1" .pid)/$2"
}
limit() {
	proc "$1" limits | sed -n "s/^$2  *\\([^ ]*\\)  *\\([^ ]*\\) .*/\\1 \\2/p"
}
is 'nice' "$(ps -o ni= -p "$(status_of alertd .pid)" | xargs)" 5
is 'umask, by the daemon itself' "$(proc alertd status |
    sed -n 's/^Umask:[[:space:]]*//p')" 0007
is '... the others have theirs' "$(proc summarizer status |
    sed -n 's/^Umask:[[:space:]]*//p')" 0027
is 'environment, instead of what was inherited' "$(proc alertd environ |
    tr '\0' '\n' | grep -c -e '^PATCHFLOW_TRY=a b$' -e '^LANG=C.UTF-8$')" 2
is '... and once' "$(proc alertd environ | tr '\0' '\n' | grep -c \
    -e '^PATCHFLOW_TRY=' -e '^LANG=')" 2
is 'open files' "$(limit alertd 'Max open files')" '300 300'
is '... of all executors' "$(limit executor@MAIN 'Max open files')" '200 200'
is '... or of one' "$(limit executor@CYOPS 'Max open files')" '222 222'
is 'no core files, unless asked for' "$(limit executor@MAIN \
    'Max core file size')" '0 0'
is 'no new privileges, but for executors' "$(for who in alertd ghost-bridge \
    executor@MAIN; do proc $who status | sed -n 's/^NoNewPrivs:.//p'
    done | xargs)" '1 1 0'

# A control group where one is to be had, else a resource limit, and it says.
by() {
	status_of alertd ".limits.$1.by"
}
diag "memory by $(by memory), processes by $(by processes), cpu by $(by cpu)"
case $(by memory) in
cgroup*) is 'memory, in a group of its own' "$(proc alertd cgroup |
	    grep -c 'patchflow-[0-9a-f]*/alertd$' | sed 's/[1-9]/some/')" some ;;
*) is 'memory, by a resource limit' "$(limit alertd 'Max data size')" \
	    '314572800 314572800' ;;
esac
like 'processes, likewise' "$(by processes)" '^(cgroup v[12]|rlimit|not enforced)$'
like 'a share of the processor' "$(by cpu)" '^(cgroup v[12]|not enforced)$'
is 'the status says what the limits are' "$(status_of alertd \
    '[.limits[].limit] | sort | join(" ")')" '60 300 400 314572800'

# Use
sampled() {
	[ "$(status_of alertd '.usage | .memory > 100000 and .files >= 3 and
	    .files_max == 300 and .threads == 1 and .cpu_ms >= 0')" = true ]
}
await 'what it uses is sampled' sampled
in_journal() {
	jq -e 'select(.event == "usage") | .daemons.alertd.memory > 100000' \
	    "$SPOOL/journal/watchdog.log"
}
await '... and written to the journal' in_journal
old=$(status_of summarizer .pid)
sed -i 's/memory_warning: 512M/memory_warning: 64K/' "$CONF"
ask reload >/dev/null
await 'much memory is an alert' alert memory-high summarizer
is '... one' "$(count_alerts memory-high summarizer)" 1
is '... and nobody is restarted for it' "$(status_of summarizer .pid)" "$old"
sed -i 's/memory_warning: 64K/memory_warning: 512M/' "$CONF"
ask reload >/dev/null
await '... with an end' alert memory-high summarizer true
fails 'few files are none' alert files-high alertd

# A reload restarts exactly whose entry is another one.
old="$(status_of alertd .pid) $(status_of executor@CYOPS .pid)"
sed -i 's/limits: {files: 200}/limits: {files: 201}/' "$CONF"
ask reload >/dev/null
more_files() {
	[ "$(limit executor@MAIN 'Max open files')" = '201 201' ]
}
await 'a changed limit restarts its daemon' more_files
is '... the others go on' "$(status_of alertd .pid) $(status_of executor@CYOPS \
    .pid)" "$old"

prlimit --pid "$(status_of summarizer .pid)" \
    --nofile="$(status_of summarizer .usage.files):"
await 'as many files as it may have is an alert' alert files-high summarizer

# A processor: much is little here, for this machine may have others to serve.
sed -i 's/memory_warning: 512M/cpu_warning: 2/' "$CONF"
ask reload >/dev/null
script ghost-bridge burn
old=$(status_of summarizer .pid)
ask restart ghost-bridge >/dev/null
AWAIT=60
await 'one that uses much of a processor is an alert' alert cpu-high ghost-bridge
is '... and is left running' "$(status_of ghost-bridge .state)" ready
fails 'control: one that rests is none' alert cpu-high summarizer
unscript ghost-bridge
ask restart ghost-bridge >/dev/null
await '... with an end' alert cpu-high ghost-bridge true
sed -i 's/cpu_warning: 2/memory_warning: 512M/' "$CONF"
ask reload >/dev/null

# Negative: what cannot be is refused with its line.
cp "$CONF" "$T/bad.yaml"
sed -i 's/umask: "007"/umask: "077"/; s/name: executor@CYOPS/name: executor@X/
    s/nice: 5/nice: 99/' "$T/bad.yaml"
exits 78 'wrong values are refused' watchdog -n -c "$T/bad.yaml"
is '... each with its line' "$(grep -cE '^[^:]*bad.yaml:[0-9]+: ' "$T/out")" 3

group=$(proc alertd cgroup | sed -n 's|.*:\(/.*patchflow-[^/]*\)/.*|\1|p' |
    head -n 1)
stop watchdog
if [ -z "$group" ]; then
	skip 8 'no control group is to be had here'
	done_testing
	exit
fi
groups() {
	find /sys/fs/cgroup -type d -path "*$group*" 2>/dev/null | sort
}
is 'no group is left behind' "$(groups)" ''

# kill -9: nobody takes them away but the next life, each time it begins.
# killed: of a life with limits; what it leaves, as after a patch or two.
killed() {
	rm -f "$FAKE_DIR"/*.alive
	start watchdog watchdog -f -c "$CONF"
	until_true 60 all_ready
	stop watchdog KILL
	until_true 60 nobody
	groups | grep "$group\$" | while read -r home; do
		mkdir -p "$home/old/daemon" "$home/old/patchflow-0123456789ab"
	done
	groups | wc -l
}
nobody() {
	[ -z "$(left_over)" ]
}
next_life() {
	start watchdog watchdog -f -c "$CONF"
	await "$1" all_ready
}
ok 'a killed supervisor leaves its groups' test "$(killed)" -gt 3
next_life 'the next one starts'
is '... without what it has no use for' "$(groups | grep -c /old)" 0
ok '... in the same one' test "$(groups | wc -l)" -gt 0
stop watchdog
killed >/dev/null
# Not ours to kill: whoever went in there meanwhile.
busy=$(groups | grep 'old/patchflow' | head -n 1)
# shellcheck disable=SC2016 # that one expands it
start guest sh -c 'echo $$ >"$0/cgroup.procs"; exec sleep 600' "$busy"
until_true 60 grep -qx "$(pid_of guest)" "$busy/cgroup.procs"
sed -i '/^  daemons:/,$d' "$CONF"
printf '%s\n' '  cgroup: off' >>"$CONF"
next_life 'one that makes none starts'
is '... and takes away what is empty' "$(groups | grep -v "^${busy%/old/*}")" ''
is '... and nothing else' "$(groups | tail -n 1)" "$busy"
stop guest
stop watchdog
rmdir "$busy" "${busy%/*}" "${busy%/old/*}" 2>/dev/null
done_testing
