# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2154 # what the jail's shells expand; executor.sh
# sets ws
# Every patch here is bounded by itself too, so that a limit that does not
# hold is a failed test and not a sick machine.
write_config </dev/null
# Time enough to reach a limit beside thirty others that want the processors.
sed -i 's/command_timeout: 10s/command_timeout: 40s/' "$CONF"

# limited ID LIMITS COMMAND: as a patch of that id.
limited() {
	jq -cn --arg id "$1" --argjson limits "$2" --arg command "$3" \
	    '{id: $id, limits: $limits, mutations: [{path: "x", contents: "x"}],
	    validate: {shell: [$command]}}' | queue_json >/dev/null
	once
}
state() {
	outcome "$1" '"\(.state) \(.stage)"'
}
# reason ID: of its last command
reason() {
	outcome "$1" '.commands[-1].reason'
}
# used ID FIELD
used() {
	outcome "$1" ".usage.$2"
}
hogging() {
	[ "$(where_is hog)" = running ] || ended hog
}
# most SENTENCE NUMBER MOST
most() {
	ok "$1 ($2 of $3)" test "$2" -gt 0 -a "$2" -le "$3"
}

limited free '{}' 'exit 0'
by=$(outcome free .limits)
diag "limits by $by"
case $by in
cgroup?) pass 'a control group holds them' ;;
*)	is 'the outcome says what holds them' "$by" rlimits ;;
esac
groups() {
	find /sys/fs/cgroup -name 'patchflow-*' -user "$(id -u)" -type d \
	    2>/dev/null | while read -r dir; do
		[ "${dir##*/}" != "$1" ] || echo "$dir"
	done
}
group=patchflow-$(printf %s "$SPOOL/executor@MAIN" | sha256sum | cut -c1-12)
is 'no control group is left' "$(groups "$group")" ''

# --- memory: one process, then six that are small each

limited mem '{"memory":"64M"}' \
    "perl -e '\$x = \"a\" x (256 << 20); print length \$x'"
is 'an allocator fails' "$(outcome mem .state)" failed
limited split '{"memory":"64M"}' \
    'for i in 1 2 3 4 5 6; do perl -e '\''$x = "a" x (20 << 20); select undef, undef, undef, 9'\'' & done; wait'
is 'six that share the work are stopped too' "$(state split)" 'failed limit'
case $by in
cgroup?) most 'their peak is within a tenth of the limit' \
	    "$(used split memory_peak_bytes)" $((64 * 1048576 * 11 / 10)) ;;
*)	like 'at the next look at them' "$(outcome split .error)" memory ;;
esac

is 'and the command says so' "$(reason split)" limit:memory

# --- processes: a few first, to see that the limit is there at all

limited few '{"processes":12}' \
    'i=0; while [ $i -lt 30 ]; do perl -e "select undef, undef, undef, 9" & i=$((i + 1)); done; wait'
is 'thirty processes of twelve are a limit' "$(state few)" 'failed limit'
is 'and the command says so' "$(reason few)" limit:processes
most 'and are not reached' "$(used few processes_peak)" 40
if [ "$(state few)" = 'failed limit' ]; then
	# Bounded by itself: 9 generations, 512 at most. Where the kernel refuses
	# the forks it is over at once: it stays, so that it can be looked at.
	limited bomb '{"processes":20,"command_timeout":"8s"}' \
	    'stay() { sleep 1; }; b() { [ "$1" -gt 0 ] || { stay; return; }; b $(($1 - 1)) & b $(($1 - 1)) & wait; }; b 9; stay'
	case $by in
	cgroup?) most 'a bomb gets no further' "$(used bomb processes_peak)" 22
		ok 'its forks are refused' test "$(used bomb refused_forks)" -gt 0 ;;
	# The kernel may refuse the forks before our own look sees too many;
	# then the shell goes on with those it has, within the limit.
	*)	case $(outcome bomb .state) in
		failed)	pass 'a bomb fails too' ;;
		*)	most 'a bomb stays within its limit' \
			    "$(used bomb processes_peak)" 20 ;;
		esac
		# Where the kernel refuses none, of uid 0, it gets as far as
		# the load on the machine lets it before our own look.
		far=100
		[ "$(stat -c %u "$ws")" -ne 0 ] || far=1023
		# A shell that dies of a refusal may do so before any look.
		ok 'and had not got far' \
		    test "$(used bomb processes_peak)" -le $far ;;
	esac
else
	skip 2 'no bomb where the limit does not hold'
fi

# --- disk, processor time, output

limited disk '{"disk":"4M","command_timeout":"10s"}' \
    'i=0; while [ $i -lt 200 ]; do head -c 1000000 /dev/zero >f$i; i=$((i + 1)); done'
is 'a disk filler is stopped' "$(state disk)" 'failed limit'
like 'with the numbers' "$(outcome disk .error)" 'its 4.0 MiB of disk, it had'
is 'and what it wrote is gone' \
    "$(leftovers "$SPOOL/state/executor@MAIN/txn")$(find "$ws" -name 'f[0-9]*')" ''
limited parts '{}' \
    "perl -e 'for (1 .. 60) { open my \$f, q(>), qq(part\$_); print \$f q(x) x 100000 }'"
is 'who stays below it is through' "$(outcome parts .state)" completed
ok 'what he wrote was measured before it was taken over' \
    test "$(used parts disk_peak_bytes)" -ge 6000000
limited size '{"file_size":"1M"}' 'exec head -c 3000000 /dev/zero >big'
is 'so is one that writes a single file' "$(state size) $(reason size)" \
    'failed limit limit:file_size'
limited spin '{"cpu_time":"1s"}' \
    'i=0; while [ $i -lt 16 ]; do (while :; do :; done) & i=$((i + 1)); done; wait'
is 'sixteen spinners are stopped' "$(state spin) $(reason spin)" \
    'failed limit limit:cpu_time'
# A look comes each quarter of a second, late where all are busy; until then
# they use every processor. Nobody stops them: forty seconds of each.
most 'near their processor time' "$(used spin cpu_ms)" \
    $((1000 + 2000 * $(nproc)))

# --- the other queue goes on beside spinners, forks and an allocator

other() {
	echo "{\"id\":\"$1\",\"mutations\":[{\"path\":\"o\",\"contents\":\"$1\"}],\"validate\":{\"shell\":[\"true\"]}}" >"$T/other.json"
	mkjob "$SPOOL" CYOPS "$T/other.json" >/dev/null
	until_true 60 ended "$1" CYOPS
	outcome "$1" .state CYOPS
}
took() {
	outcome "$1" .duration_ms CYOPS
}
start other executor -f -c "$CONF" -q CYOPS
is 'the other queue works' "$(other alone)" completed
# The slower the machine, the longer.
sed "s/SPAN/$((3 + $(took alone) / 50))s/" <<'END' | queue_json >/dev/null
{"id":"hog","limits":{"memory":"64M","processes":40,"cpu_time":"SPAN"},"mutations":[{"path":"x","contents":"h"}],"validate":{"shell":["i=0; while [ $i -lt 12 ]; do (while :; do :; done) & i=$((i + 1)); done; while :; do perl -e '$x = \"a\" x (30 << 20)'; done"]}}
END
start hog executor --once -c "$CONF" -q MAIN
await 'a patch takes all it can get' hogging
is 'the other queue still works' "$(other beside)" completed
diag "its patch took $(took alone) ms alone, $(took beside) ms beside"
wait "$(pid_of hog)"
# On a busy machine its time is over first.
like 'until a limit of its own ends it' "$(state hog)" '^failed (limit|timeout)$'
stop other

limited flood '{}' "yes | head -c ${FLOOD:-8000000}; echo END"
is 'a flood is kept by head and tail' "$(outcome flood \
    '.commands[0] | "\(.dropped_bytes > 1000000) \(.output_tail[-4:-1])"')" \
    'true END'
ok 'in little memory' test "$(outcome flood \
    '.commands[0] | (.output_head + .output_tail) | length')" -le 40000

# --- only lower, never higher; and life goes on

limited greedy '{"memory":"900G","processes":100000,"disk":"900G"}' 'ulimit -d'
is 'a patch cannot raise them' "$(outcome greedy \
    '.commands[0].output_head | rtrimstr("\n")')" 2097152
like 'the next patch has its numbers' "$(outcome greedy \
    '"\(.state) \(.usage.cpu_ms >= 0) \(.commands[0].max_rss_kb > 0)"')" \
    'completed true true'
is 'no control group is left after all' "$(groups "$group")" ''

# --- kill -9: the group goes at the next start

queue_json >/dev/null <<'END'
{"id":"killed","mutations":[{"path":"k","contents":"x"}],"validate":{"shell":["sleep 4714"]}}
END
start executor executor -f -c "$CONF" -q MAIN
await 'a patch runs' pgrep -f 'sleep 4714'
case $by in
cgroup?) ok 'in its group' test -n "$(groups "$group")" ;;
*)	pass 'without a group' ;;
esac
stop executor KILL
start executor executor -f -c "$CONF" -q MAIN
await 'the next executor runs it again' grep -q 'attempt 1, id killed' \
    "$T/log/executor"
stop executor KILL
rm -f "$SPOOL"/MAIN/patches/.running/* "$SPOOL"/MAIN/patches/*.json
once
is 'and leaves no group' "$(groups "$group")" ''
done_testing
