#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 400
# Processes that do not want to die, of sixteen kinds, left by a command that
# runs into its time, by one that fails, and when the executor is killed: when
# the executor has its proof, none is alive. How long that took is told by its
# own clock. Where no namespace can be made, too. With
# PATCHFLOW_LONG=1 each kind alone, ZOO_ROUNDS (100) times; escapees_wild.t
# takes half of them. unkillable.t has the kind that nobody can kill.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
write_config </dev/null
sed -i 's/command_timeout: 10s/command_timeout: 50s/' "$CONF"
cp "$TOP/tests/harness/zoo.pl" "$BUILD_DIR/tests/harness/wild" "$ws"
give_scratch
calm='plain setsid double nohup deaf stopped traced holder'
kinds="$calm disown chain tree bomb vfork storm passed busy"
mark=mark-$$-$(date +%s)

alive() {
	pgrep -cf "zoo $1"
}
running_zoo() {
	[ "$(alive "$1")" -ge "${2:-1}" ]
}

# gone SENTENCE ID: the executor has gone on, so none is alive any more. They
# would live for a minute.
gone() {
	is "$1" "$(alive "$mark-$2")" 0
}
# took ID: what the executor needed for it, in ms.
took() {
	outcome "$1" '[.usage.death_ms, (.commands[]?.death_ms // 0)] | add' \
	    >>"$T/ms"
}

# patch ID TIME LEAVE KIND...: its command keeps that zoo.
patch_zoo() {
	id=$1
	time=$2
	leave=$3
	shift 3
	queue_json >/dev/null <<END
{"id":"$id","limits":{"command_timeout":"$time","processes":300},"mutations":[{"path":"x","mkdir":true}],"validate":{"shell":["${leave}perl zoo.pl $mark-$id $*"]}}
END
}
# In namespaces, or where the machine has none.
wrap=
run_executor() {
	$wrap "$BUILD_DIR/bin/executor" --once -c "$CONF" -q MAIN
}
# There is only something to end where all have come into life: on a machine
# that is slow it gets more time, from then on.
zoo_ms=${ZOO_MS:-1000}
all_there() {
	outcome "$1" '.commands[-1].output_head' | grep -qx 'all there'
}
time_out() {
	timed=$who-time
	patch_zoo "$timed" "${zoo_ms}ms" '' "$@"
	run_executor
	until all_there "$timed" || [ "$zoo_ms" -ge 20000 ]; do
		zoo_ms=$((zoo_ms * 2))
		timed=$who-time-$zoo_ms
		patch_zoo "$timed" "${zoo_ms}ms" '' "$@"
		run_executor
	done
}
# try NAME KIND...: the three ways to end.
try() {
	who=$1
	shift
	time_out "$@"
	gone "$who: none outlives a timeout" "$timed"
	took "$timed"
	ok "$who: they had all been there" all_there "$timed"
	is "$who: which it was" "$(outcome "$timed" .stage)" timeout
	patch_zoo "$who-fail" "${zoo_ms}ms" 'ZOO_LEAVE=1 ' "$@"
	run_executor
	gone "$who: none outlives a failure" "$who-fail"
	took "$who-fail"
	is "$who: which it was" "$(outcome "$who-fail" .state)" failed
	patch_zoo "$who-kill" 40s '' "$@"
	start executor $wrap "$BUILD_DIR/bin/executor" -f -c "$CONF" -q MAIN
	ok "$who: it lives" until_true 30 running_zoo "$mark-$who-kill"
	stop executor KILL
	rm -f "$SPOOL"/MAIN/patches/.running/* "$SPOOL"/MAIN/patches/*.json
	run_executor 2>"$T/next"
	gone "$who: none outlives its executor" "$who-kill"
	sed -n 's/.*: dead, waited for \([0-9]*\) ms$/\1/p' "$T/next" >>"$T/ms"
	is "$who: nothing is left" "$(leftovers "$SPOOL/state/executor@MAIN/txn")" ''
}

# One kind alone, as a part of the long run below.
if [ -n "${ZOO_KIND:-}" ]; then
	round=0
	while [ $round -lt "$ZOO_ROUNDS" ]; do
		round=$((round + 1))
		wrap=
		try "$ZOO_KIND-$round" "$ZOO_KIND"
		[ $((round % 4)) -ne 0 ] || {
			wrap=nonamespace
			try "bare-$ZOO_KIND-$round" "$ZOO_KIND"
		}
		rm -rf "$SPOOL"/MAIN/outcomes/new/* "$SPOOL"/MAIN/patches/.failed/*
	done
	sort -n "$T/ms" | sed 's/^/ms /'
	done_testing
	exit 0
fi

# The control: without a jail their parent's death ends nobody.
control() {
	for kind in $kinds; do
		case $kind in
		chain | bomb | busy) continue ;;
		esac
		(cd "$T" && exec setsid perl "$ws/zoo.pl" "$mark-free-$kind" "$kind") \
		    >/dev/null 2>&1 &
		until_true 10 running_zoo "$mark-free-$kind" 2
		pkill -KILL -xf "zoo $mark-free-$kind" -o
		running_zoo "$mark-free-$kind" || echo "$kind"
		pkill -KILL -f "zoo $mark-free-$kind"
	done >"$T/died"
	is 'without a jail they live on' "$(cat "$T/died")" ''
}
# All of them at once, in either way.
together() {
	all=$(echo "$kinds" | sed 's/busy//')
	# shellcheck disable=SC2086 # a list
	try all $all
	wrap=nonamespace
	# shellcheck disable=SC2086 # a list
	try bare $all
	is 'without namespaces indeed' "$(outcome "$timed" .isolation)" bare-copy
}
if [ -z "${ZOO_KINDS:-}" ]; then
	control
	together
fi

# --- each alone, several kinds at a time: they mostly wait

if [ -n "${PATCHFLOW_LONG:-}" ]; then
	export ZOO_ROUNDS="${ZOO_ROUNDS:-100}"
	kinds=${ZOO_KINDS:-$calm}
	# shellcheck disable=SC2016 # the inner shell expands them
	for kind in $kinds; do
		echo "$kind"
	done | ZOO_MS=${ZOO_MS:-300} xargs -P 8 -I @ sh -c \
	    'ZOO_KIND=@ sh "$0" >"$1/@.tap" 2>"$1/@.err"' "$TEST_FILE" "$T"
	for kind in $kinds; do
		is "$kind: each of $ZOO_ROUNDS rounds" \
		    "$(grep -c '^ok' "$T/$kind.tap") $(grep '^not ok' "$T/$kind.tap")" \
		    "$(((ZOO_ROUNDS + ZOO_ROUNDS / 4) * 8)) "
		grep -A9 '^not ok' "$T/$kind.tap" | head -n 50 | sed 's/^/# /'
		sed -n 's/^ms //p' "$T/$kind.tap" >>"$T/ms"
	done
fi
# As the executors have measured it, from the decision to the proof.
diag "$(sort -n "$T/ms" | awk '{ ms[++n] = $1; late += $1 > 1000 }
    END { print n " deaths, " late " took over 1 s; half of them " \
	ms[int((n + 1) / 2)] " ms at most, the longest " ms[n] " ms" }')"
late=$(awk '$1 > 5000 { n++ } END { print n + 0 }' "$T/ms")
ok "few take long ($late over 5 s)" \
    test "$late" -le $((1 + $(wc -l <"$T/ms") / 20))
done_testing
