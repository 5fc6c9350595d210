#!/bin/sh
# SPDX-License-Identifier: ISC
# The summarizer killed, or its call failed, at every nth call that changes
# something. After one undisturbed run each outcome has exactly one summary,
# delivered exactly once to each place, and nothing half is left.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/each_call.sh"

REPLY=$T/reply.md
write_config
sed -i "/name: replies/a\\
    - {name: chat, type: append, path: $REPLY}" "$CONF"

mkdir -p "$T/probe"
need_strace

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

settled() {
	summarizer --once -c "$CONF" >>"$T/log/run" 2>&1
}

sweep_all summarizer 10 4 2
