#!/bin/sh
# SPDX-License-Identifier: ISC
# The bridge killed with -9 at random over a thousand blocks in one transcript,
# a thousand transcripts of one block and an inbox; then at chosen system
# calls. Each document is found, each once.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/bridge.sh"

diag "seed $seed"

# ids: of all queue files and outcomes, one a line.
ids() {
	find "$SPOOL" \( -path '*/patches/*.json' -o -path \
	    '*/outcomes/new/*.json' \) ! -path '*/.tmp/*' -exec head -qn 1 {} + |
	    jq -r .id
}

# storm: runs the bridge, killed after ever longer times so that a slow machine
# gets to the end too, until a run ends by itself; sets kills.
storm() {
	kills=0
	while [ "$kills" -lt 400 ]; do
		seed=$(((seed * 1103515245 + 12345) % 2147483648))
		ms=$((20 + seed / 65536 % (150 + kills * 4)))
		timeout -s KILL "$((ms / 1000)).$(printf %03d $((ms % 1000)))" \
		    ghost-bridge --once -c "$CONF" 2>>"$T/log/once"
		rc=$?
		[ "$rc" -ne 0 ] || return 0
		[ "$rc" -eq 137 ] || [ "$rc" -eq 124 ] || break
		kills=$((kills + 1))
	done
	echo "exit status $rc after $kills kills"
	tail -n 3 "$T/log/once"
	return 1
}

# once_each SENTENCE WANTED_IDS: no id missing, none twice, nothing left.
once_each() {
	ids | sort >"$T/got"
	echo "$2" | sort >"$T/want"
	is "$1" "$(diff "$T/want" "$T/got" | head -n 5)" ''
	is 'nothing is half done' "$(find "$SPOOL/ids/pending" \
	    "$SPOOL"/*/patches/.tmp "$SPOOL"/*/outcomes/tmp \
	    "$SPOOL/inbox/new" "$SPOOL/inbox/cur" -mindepth 1)" ''
}

numbered() {
	awk -v n="$1" -v what="$2" 'BEGIN { for (i = 1; i <= n; i++)
	    print what "-" i }'
}

write_config </dev/null
awk 'BEGIN { for (i = 1; i <= 1000; i++) {
	print "Some prose in between, number " i ".\n"
	print "```json\n{\"role\": \"command_patch\", \"id\": \"block-" i "\","
	print " \"target\": \"" (i % 3 ? "MAIN" : "CYOPS") "\","
	print " \"mutations\": [{\"path\": \"f" i "\", \"contents\": \"x\"}]}"
	print "```\n"
} }' >"$CHAT"
mkdir -p "$SPOOL/inbox/new"
numbered 200 drop | while read -r id; do
	patch "$id" MAIN >"$SPOOL/inbox/new/$id.json"
done
ok 'a transcript of 1000 blocks and 200 dropped files' storm
ok "were read over $kills kills" [ "$kills" -ge 5 ]
once_each 'each was found once' "$(numbered 1000 block; numbered 200 drop)"
is 'none is a duplicate in the end' "$(find "$SPOOL"/*/patches -name \
    '*,2.json')" ''

rm -rf "$SPOOL"
mkdir "$T/chats"
{
	sed '/^  sources:/q' "$CONF"
	numbered 1000 chat | while read -r id; do
		block "$id" MAIN >"$T/chats/$id.md"
		echo "    - {type: transcript, path: $T/chats/$id.md}"
	done
} >"$T/many.yaml"
mv "$T/many.yaml" "$CONF"
ok 'a thousand transcripts of one block' storm
ok "were read over $kills kills" [ "$kills" -ge 5 ]
once_each 'each was found once' "$(numbered 1000 chat)"
for f in "$T"/chats/*.md; do
	echo 'more prose' >>"$f"
done
ok 'and with few descriptors' prlimit --nofile=256 \
    ghost-bridge --once -c "$CONF"
once_each 'still each once' "$(numbered 1000 chat)"

# At chosen calls: every place where a crash leaves something behind.
strace -o /dev/null true 2>/dev/null || {
	skip 2 'no strace here'
	done_testing
	exit
}
prepare() {
	chmod -R u+rwX "$T/spool" 2>/dev/null
	rm -rf "$SPOOL"
	mkdir -p "$SPOOL/inbox/new"
	: >"$CHAT"
	write_config </dev/null
	{
		block first MAIN
		block first MAIN other
		block both BOTH
		block broken MAIN | sed 's/"target"/target/'
		echo '```json'
		echo '{"role": "command_patch", "id": "empty"}'
		echo '```'
	} >>"$CHAT"
	patch dropped CYOPS >"$SPOOL/inbox/new/dropped.json"
	mkfifo "$SPOOL/inbox/new/fifo"
}
# What must be there after a clean run: ids without their hashes, names of
# the boxes, kinds of alerts.
picture() {
	ids | sed 's/\([~-]\)[0-9a-f]\{12\}$/\1HASH/' | sort
	first_lines "$SPOOL"/bad/*.json | jq -r '"bad \(.reason)"' | sort
	first_lines "$SPOOL"/alerts/new/*.json | jq -r '"alert \(.type)"' | sort -u
	for d in inbox/new inbox/cur inbox/done ids/pending bad corrupt; do
		echo "$d $(find "$SPOOL/$d" -mindepth 1 | wc -l)"
	done
	json "$SPOOL"/state/ghost-bridge/source-*.json .offset
}
prepare
once
once
picture >"$T/want"
prepare
calls=openat,write,fsync,renameat2,symlinkat,unlinkat,mkdirat,pread64,close
strace -f -qq -o "$T/calls" -e trace="$calls" ghost-bridge --once \
    -c "$CONF" 2>>"$T/log/once"
awk '{ sub(/\(.*/, "", $2); n[$2]++ } END { for (c in n)
    for (i = 1; i <= n[c]; i++) print c, i }' "$T/calls" |
    grep -E '^(openat|write|fsync|renameat2|symlinkat|unlinkat|mkdirat|pread64|close) ' |
    sort >"$T/points"
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	cp "$T/points" "$T/chosen"
else
	# Those that move something, and a few others, another lot each day.
	awk -v seed="$seed" 'BEGIN { srand(seed) }
	    { p = $1 ~ /renameat2|symlinkat/ ? 0.1 : $1 == "fsync" ? 0.05 : 0.01 }
	    rand() < p' "$T/points" >"$T/chosen"
fi
wrong=
killed=0
while read -r call n; do
	prepare
	strace -f -qq -o "$T/calls" -e trace="$call" -e \
	    inject="$call":signal=KILL:when="$n" ghost-bridge --once \
	    -c "$CONF" 2>>"$T/log/once"
	[ $? -ne 137 ] || killed=$((killed + 1))
	once || wrong="$wrong $call:$n:run"
	once
	picture >"$T/got"
	cmp -s "$T/want" "$T/got" || {
		wrong="$wrong $call:$n"
		diff "$T/want" "$T/got" | sed "s/^/# $call $n: /"
	}
done <"$T/chosen"
is "killed at $killed of $(wc -l <"$T/points") calls, all is as without" \
    "$wrong" ''
ok 'most of them hit' [ "$((killed * 10))" -ge "$(($(wc -l <"$T/chosen") * 8))" ]
done_testing
