#!/bin/sh
# SPDX-License-Identifier: ISC
# The storm: patches of mixed kinds come from the chat and the inbox while the
# daemons are killed with -9 at random; then the same with the watchdog among
# the victims and a loop here as the boot system that starts it again.
# Afterwards each patch has one terminal state and one summary, each effect
# happened once or not at all, and nothing is left behind.
. "$(dirname "$0")/../harness/lib.sh"

if [ -n "${PATCHFLOW_LONG:-}" ]; then
	patches=500 kills=200 patience=600
else
	patches=50 kills=25 patience=90
fi
jq --version >/dev/null 2>&1 || skip_all "needs jq"

# One document a line: {id, queue, state, doc}. Ten kinds, by the last digit;
# the tens digit says the queue.
generate() {
	jq -nc --argjson from "$1" --argjson n "$2" '
	def body($i): [
	    {mutations: [{path: "c/\($i)", contents: "contents \($i)\n"}]},
	    {mutations: [{path: "m/\($i)", mkdir: true}],
	     postMutationBuild: {shell: ["echo \($i) >>counters/\($i)"]}},
	    {mutations: [{path: "e/\($i)",
	         edits: [{find: "before", replace: "after"}]}]},
	    {mutations: [{path: "f/\($i)", contents: "never\n"}],
	     validate: {shell: ["echo no >>f/x\($i); false"]}},
	    {mutations: [{contents: "no path"}]},
	    {dependencies: ["storm-\($i - 4)"],
	     validate: {shell: ["cat counters/\($i - 4) >dep/\($i)"]}},
	    {postMutationBuild: {shell:
	         ["n=$(cat total); echo $((n + 1)) >total"]}},
	    {mutations: [{path: "r/\($i).old", rename: "r/\($i).new"},
	         {path: "d/\($i)", delete: true}]},
	    {mutations: [{path: "g/\($i)", contents: "\($i)\n"}],
	     postMutationBuild: {shell: ["echo \($i) >>counters/\($i)"]},
	     final: {git: {commit: "storm \($i)"}}},
	    {postMutationBuild: {shell:
	         ["echo half >slow/\($i)", "sleep 0.2",
	          "echo whole >slow/\($i); echo \($i) >>counters/\($i)"]}}
	    ][$i % 10];
	range($from; $from + $n) as $i |
	{id: "storm-\($i)", i: $i,
	 queue: (if ($i / 10 | floor) % 2 == 0 then "MAIN" else "CYOPS" end),
	 state: (if $i % 10 == 3 then "failed" elif $i % 10 == 4 then "rejected"
	     else "completed" end)} |
	. + {doc: ({role: "command_patch", id, target: .queue,
	     priority: ($i % 10)} + body($i))}'
}

workspace() {
	mkdir -p "$1/c" "$1/m" "$1/e" "$1/f" "$1/r" "$1/d" "$1/g" "$1/dep" \
	    "$1/counters" "$1/slow"
	echo 0 >"$1/total"
	i=0
	while [ "$i" -lt $((2 * patches)) ]; do
		case $i in
		*2) echo "before $i" >"$1/e/$i" ;;
		*7) echo "old $i" >"$1/r/$i.old"; echo "gone $i" >"$1/d/$i" ;;
		esac
		i=$((i + 1))
	done
	git init -q "$1"
	git -C "$1" add -A
	git -C "$1" commit -q -m start
}

# What each workspace must hold in the end, with the contents of each file.
expected() {
	jq -r --arg q "$1" 'select(.queue == $q) | .i as $i | (
	    {"0": "c/\($i) contents \($i)", "1": "counters/\($i) \($i)",
	     "2": "e/\($i) after \($i)", "5": "dep/\($i) \($i - 4)",
	     "7": "r/\($i).new old \($i)", "8": "g/\($i) \($i)",
	     "9": "slow/\($i) whole"}["\($i % 10)"] // empty),
	    (if $i % 10 >= 8 then "counters/\($i) \($i)" else empty end)' "$T/all"
	i=0
	while [ "$i" -lt $((2 * patches)) ]; do
		case $((i / 10 % 2)) in
		0) here=MAIN ;;
		*) here=CYOPS ;;
		esac
		if [ "$here" != "$1" ] || [ "$i" -ge "$fed_total" ]; then
			case $i in
			*2) echo "e/$i before $i" ;;
			*7) echo "r/$i.old old $i"; echo "d/$i gone $i" ;;
			esac
		fi
		i=$((i + 1))
	done
	echo "total $(jq -r --arg q "$1" \
	    'select(.queue == $q and .i % 10 == 6) | .id' "$T/all" | wc -l)"
}

actual() {
	(cd "$1" && find . -type f ! -path './.git/*' | sed 's|^\./||' |
	while read -r f; do
		printf '%s %s\n' "$f" "$(tr '\n' ' ' <"$f" | sed 's/ $//')"
	done)
}

random() {
	echo $(($(od -An -N2 -tu2 /dev/urandom) % $1))
}

hits() {
	wc -l <"$T/hits"
}

# Kills one daemon of those that hold a lock; counts it when it was there.
kill_one() {
	# shellcheck disable=SC2046 # a list of files
	set -- $(find "$SPOOL/run" -name '*.lock' ! -name "$spare.lock")
	[ $# -gt 0 ] || return
	shift "$(random $#)"
	victim=$(tr -cd 0-9 <"$1")
	[ -n "$victim" ] && grep -qF "$CONF" "/proc/$victim/cmdline" || return
	kill -KILL "$victim" 2>/dev/null && echo "${1##*/}" >>"$T/hits"
}

killer() {
	until [ "$(hits)" -ge "$1" ] || [ -e "$T/calm" ]; do
		kill_one
		pause
		[ "$(random 3)" -ne 0 ] || pause
	done
}

# Documents in the order of the file, some twice, paced so that kills and
# patches end together.
feeder() {
	count=0
	while read -r line; do
		count=$((count + 1))
		until [ $((($(hits) - $2) * patches)) -ge \
		    $(((count - patches / 8) * kills)) ] || [ -e "$T/calm" ]
		do pause; done
		printf '%s\n' "$line" | jq -c .doc >"$T/doc"
		# The command itself refuses what is invalid.
		if [ $((count % 3)) -eq 0 ] && [ $((count % 10)) -ne 5 ]; then
			patchflow -c "$CONF" submit - <"$T/doc" >>"$T/ids" ||
				echo "submit failed: $?" >>"$T/troubles"
		else
			in_pieces
		fi
		[ $((count % 7)) -ne 0 ] || in_pieces
	done <"$1"
}

in_pieces() {
	{
		printf 'Here is the next one:\n\n```json\n'
		head -c 40 "$T/doc"
		tail -c +41 "$T/doc"
		printf '```\n'
	} >>"$CHAT"
}

all_ended() {
	[ "$(find "$SPOOL"/*/outcomes/done -name '*.json' | wc -l)" -ge "$1" ] &&
	[ "$(find "$SPOOL"/*/patches/.held "$SPOOL"/*/patches/.running \
	    "$SPOOL"/*/outcomes/new "$SPOOL"/*/outcomes/cur \
	    "$SPOOL"/inbox/new "$SPOOL"/inbox/cur -type f | wc -l)" -eq 0 ] &&
	[ "$(find "$SPOOL"/*/patches -maxdepth 1 -name '*.json' | wc -l)" -eq 0 ]
}

# "ID@QUEUE STATE" of every outcome there is.
outcomes() {
	first_lines "$SPOOL"/*/outcomes/new/*.json "$SPOOL"/*/outcomes/cur/*.json \
	    "$SPOOL"/*/outcomes/done/*.json |
	    jq -r '"\(.id)@\(.queue) \(.state)"' | sort
}

# "ID@QUEUE" of every summary: its front matter says it.
summaries() {
	find "$SPOOL"/*/summaries "$SPOOL"/*/summaries/.completed \
	    "$SPOOL"/*/summaries/.failed -maxdepth 1 -name 'summary-*.md' \
	    -exec awk 'FNR == 1 { id = queue = "" }
		/^id:/ && id == "" { id = $2 } /^queue:/ && queue == "" {
		queue = $2; gsub(/["'\'']/, "", id); gsub(/["'\'']/, "", queue)
		print id "@" queue; nextfile }' '{}' + | sort
}

difference() {
	diff "$1" "$2" | head -n 20
}

left_in_spool() {
	(cd "$SPOOL" && find . \( -path '*/tmp/*' -o -path '*/.tmp/*' \
	    -o -path './ids/pending/*' \
	    -o \( -path '*/txn/*' ! -name .ballast ! -path '*/.undo*' \) \
	    -o -path './corrupt/*' \) ! -type d)
	find "$T/ws" -name '.patchflow*'
}

held_locks() {
	for lock in "$SPOOL"/run/*.lock; do
		flock -n "$lock" true || echo "$lock"
	done
}

# The names are listed before the programs that look start.
left_running() {
	{
		find /proc/[0-9]*/cwd -maxdepth 0 -lname "$T/ws/*"
		grep -lF "$T" /proc/[0-9]*/mountinfo
		grep -laF -- "$CONF" /proc/[0-9]*/cmdline
	} 2>/dev/null
}

check_all() {
	# What the last kills left is cleared by the next start.
	ok "$1: everything starts again and has nothing to do" drain
	jq -r '"\(.id)@\(.queue) \(.state)"' "$T/all" | sort >"$T/want"
	outcomes >"$T/got"
	is "$1: every patch has the one outcome it should have" \
	    "$(difference "$T/want" "$T/got")" ''
	cut -d' ' -f1 "$T/want" >"$T/want.ids"
	summaries >"$T/got"
	is "$1: and exactly one summary" "$(difference "$T/want.ids" "$T/got")" ''
	find "$SPOOL"/*/patches/.completed "$SPOOL"/*/patches/.failed \
	    -name '*.json' -exec head -qn 1 '{}' + |
	    jq -r '"\(.id)@\(.queue)"' | sort >"$T/got"
	jq -r 'select(.state != "rejected") | "\(.id)@\(.queue)"' "$T/all" |
		sort >"$T/want"
	is "$1: and is in one state directory" \
	    "$(difference "$T/want" "$T/got")" ''
	for q in MAIN CYOPS; do
		ws=$T/ws/$(echo "$q" | tr '[:upper:]' '[:lower:]')
		expected "$q" | sort >"$T/want"
		actual "$ws" | sort >"$T/got"
		is "$1: each effect happened once or not at all in $q" \
		    "$(difference "$T/want" "$T/got")" ''
		git -C "$ws" log --format=%s | grep '^storm' | sort >"$T/got"
		jq -r --arg q "$q" 'select(.queue == $q and .i % 10 == 8) |
		    "storm \(.i)"' "$T/all" | sort >"$T/want"
		is "$1: and each commit of $q is there once" \
		    "$(difference "$T/want" "$T/got")" ''
	done
	is "$1: no temporary file, pending id or transaction is left" \
	    "$(left_in_spool)" ''
	is "$1: no process and no mount is left" "$(left_running)" ''
	is "$1: no lock is held" "$(held_locks)" ''
	ok "$1: fsck finds nothing" patchflow -c "$CONF" fsck
	is "$1: every submission was taken" "$(cat "$T/troubles")" ''
}

# storm NAME FIRST SPARED
storm() {
	spare=$3
	storm_began=$(now_ms)
	before=$(hits)
	generate "$2" "$patches" >"$T/part"
	cat "$T/part" >>"$T/all"
	fed_total=$(($2 + patches))
	rm -f "$T/calm"
	(until_true "$patience" test -e "$T/calm" || : >"$T/calm") &
	killer $((before + kills)) 2>/dev/null &
	killer_pid=$!
	feeder "$T/part" "$before"
	wait "$killer_pid"
	: >"$T/calm"
	diag "$1: kills that hit: $(($(hits) - before))," \
	    "$(($(now_ms) - storm_began)) ms"
	if until_true "$patience" all_ended "$fed_total"; then
		pass "$1: everything ended"
	else
		fail "$1: everything ended" "not within $patience s"
		diag "$(find "$SPOOL"/*/patches "$SPOOL"/*/outcomes/new \
		    "$SPOOL"/*/outcomes/cur "$SPOOL"/inbox/new -name '*.json' \
		    ! -path '*/.completed/*' ! -path '*/.failed/*' | head -n 20)"
	fi
	is "$1: kills that hit" "$(($(hits) - before))" "$kills"
}

# The boot system of the second part.
keep_watchdog() {
	while [ -e "$T/keep" ]; do
		watchdog -f -c "$CONF" >>"$T/log/watchdog" 2>&1 </dev/null &
		echo $! >"$T/pids/watchdog"
		wait $!
		pause
	done
}

plan 30
AWAIT=30
write_config </dev/null
sed -i 's/^    timeout: 60s/&\n    attempts: 100/' "$CONF"
workspace "$T/ws/main"
workspace "$T/ws/cyops"
: >"$T/hits"
: >"$T/all"
: >"$T/troubles"

suite_start || exit 1
storm 'daemons killed' 0 watchdog
suite_stop
diag "kills: $(sort "$T/hits" | uniq -c | tr -s ' \n' ' ')"
check_all 'daemons killed'

: >"$T/keep"
keep_watchdog &
keeper=$!
until_true "$AWAIT" suite_ready || exit 1
storm 'watchdog killed too' "$patches" none
rm "$T/keep"
kill -TERM "$(cat "$T/pids/watchdog")"
wait "$keeper"
diag "kills: $(sort "$T/hits" | uniq -c | tr -s ' \n' ' ')"
check_all 'watchdog killed too'
