#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 300
# The summarizer killed, or its call failed, at every nth call that changes
# something. After one undisturbed run each outcome has exactly one summary,
# delivered exactly once to each place, and nothing half is left.
. "$(dirname "$0")/../harness/lib.sh"

REPLY=$T/reply.md
write_config
sed -i "/name: replies/a\\
    - {name: chat, type: append, path: $REPLY}" "$CONF"

mkdir -p "$T/probe"
strace -f -qq -o /dev/null -e trace=fsync true 2>/dev/null ||
	skip_all 'strace may not trace here'

for id in one two; do
	putoutcome "$SPOOL" MAIN "$id" 1 1760000000000000 >/dev/null <<-'END'
	{"state":"failed","stage":"command","error":"broke",
	 "final":{"summaryFile":"notes/copy.md"},
	 "commands":[{"phase":"build","command":"make","exit_code":1,
	 "output_head":"boom","duration_ms":3}]}
	END
done
printf 'a chat\n' >"$T/reply.start"
cp -a "$SPOOL" "$T/spool.start"

fresh() {
	rm -rf "$SPOOL" "$T/replies" "$T/ws/main/notes"
	cp -a "$T/spool.start" "$SPOOL"
	cp "$T/reply.start" "$REPLY"
}

# whole: everything is where it belongs, once; says what is not.
whole() {
	[ "$(count_files "$SPOOL/MAIN/outcomes/done")" -eq 2 ] ||
		echo "outcomes: $(ls "$SPOOL"/MAIN/outcomes/*)"
	[ "$(count_files "$SPOOL/MAIN/summaries/.completed")" -eq 2 ] ||
		echo "summaries: $(find "$SPOOL/MAIN/summaries" -type f)"
	[ "$(count_files "$T/replies")" -eq 2 ] ||
		echo "replies: $(ls -a "$T/replies")"
	for id in one two; do
		[ "$(grep -c "^<!-- patchflow:summary $id@MAIN,1 -->$" \
		    "$REPLY")" -eq 1 ] || echo "begin of $id"
		[ "$(grep -c "^<!-- patchflow:end $id@MAIN,1 -->$" \
		    "$REPLY")" -eq 1 ] || echo "end of $id"
		f=$(ls "$SPOOL"/MAIN/summaries/.completed/summary-$id-*.md)
		cmp "$f" "$T/replies/${f##*/}"
		cmp "$f" "$SPOOL/MAIN/summaries/.backup/${f##*/}"
		sed -n "/summary $id@MAIN,1 -->/,/end $id@MAIN,1 -->/p" \
		    "$REPLY" | sed '1d; $d' | cmp - "$f"
	done
	head -n 3 "$T/ws/main/notes/copy.md" | grep -q '^format: patchflow' ||
		echo "no copy"
	find "$SPOOL/MAIN" "$T/replies" "$T/ws" -name '*.part' \
	    ! -newermt '1 hour ago'
	[ "$(count_files "$SPOOL/corrupt")" -eq 0 ] || echo "corrupt/"
}

# sweep SENTENCE INJECTION CALL STEP: at each STEPth such call (each one with
# PATCHFLOW_LONG) until none is left.
sweep() {
	n=1
	hits=0
	wrong=
	step=$4
	[ -z "${PATCHFLOW_LONG:-}" ] || step=1
	while :; do
		fresh
		strace -f -qq -o "$T/trace" -e trace="$3" \
		    -e inject="$3:$2:when=$n" \
		    summarizer --once -c "$CONF" >"$T/log/run" 2>&1
		grep -Eq 'INJECTED|killed by SIGKILL' "$T/trace" || break
		hits=$((hits + 1))
		summarizer --once -c "$CONF" >>"$T/log/run" 2>&1 ||
			wrong="$wrong exit of the second run at $n;"
		said=$(whole 2>&1)
		[ -z "$said" ] || wrong="$wrong at $n: $said;"
		n=$((n + step))
	done
	if [ "$hits" -ge 5 ]; then
		is "$1 ($hits times)" "$wrong" ''
	else
		fail "$1" "only $hits calls were hit"
	fi
}

plan 6
sweep 'killed at a sync' signal=KILL fsync 5
sweep 'killed at a write' signal=KILL write 3
sweep 'killed at a rename' signal=KILL renameat2 2
sweep 'a sync fails' error=EIO fsync 5
sweep 'the disk is full at a write' error=ENOSPC write 3
sweep 'a rename fails' error=EIO renameat2 2
