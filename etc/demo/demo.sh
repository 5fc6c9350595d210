#!/bin/sh
# SPDX-License-Identifier: ISC
# demo.sh demo|run: the suite on ./var, with two queues and two workspaces.
# demo feeds it a chat, shows what happens, checks how each patch ended and
# stops everything; run leaves it in the foreground for a person to try.
set -u

mode=${1:-demo}
top=$(cd "$(dirname "$0")/../.." && pwd -P)
: "${BUILD_DIR:=$top/build}"
bin=$BUILD_DIR/bin
slices=$top/etc/demo
var=$PWD/var
spool=$var/spool
conf=$var/patchflow.yaml
chat=$var/chat.md
main=$var/workspaces/main
cyops=$var/workspaces/cyops
watchdog_pid=
wrong=0
LC_ALL=C
TZ=UTC
export LC_ALL TZ

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
	red=$(printf '\033[31m') green=$(printf '\033[32m')
	yellow=$(printf '\033[33m')
else
	bold='' dim='' plain='' red='' green='' yellow=''
fi

die() {
	echo "demo: $*" >&2
	exit 1
}

title() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

now_ms() {
	echo "$(($(date +%s%N) / 1000000))"
}

seconds() {
	awk -v ms="$1" 'BEGIN { printf "%.2f s", ms / 1000 }'
}

# --- the place

check_place() {
	if [ -e "$var" ] && [ "$(stat -c %u "$var")" != "$(id -u)" ]; then
		die "./var belongs to $(stat -c %U "$var"), not to you:" \
		    "remove it or run this as that user"
	fi
	[ -e "$var" ] || mkdir "$var" 2>/dev/null ||
		die "cannot make ./var here: $PWD is not yours to write"
	[ -S "$spool/run/control.sock" ] || return 0
	! "$bin/patchflow" -c "$conf" --json status >/dev/null 2>&1 ||
		die "a suite is running on ./var already; stop it first:" \
		    "$bin/patchflow -c $conf down"
}

in_git() {
	git -C "$main" -c user.name=demo -c user.email=demo@example.invalid "$@"
}

make_workspaces() {
	mkdir -p "$main" "$cyops" "$var/replies" "$var/log"
	git init -q "$main"
	git -C "$main" symbolic-ref HEAD refs/heads/main
	echo 'A small shop.' >"$main/README"
	in_git add README
	in_git commit -q -m 'Open the shop'
	printf 'name = cyops\ndoor = open\n' >"$cyops/service.conf"
	: >"$chat"
}

write_config() {
	cat >"$conf" <<-END
	# Written by the demo. Every key is in patchflow.yaml(5).
	spool: spool
	queues:
	  - {name: MAIN, aliases: [BRAUN], workspace: workspaces/main}
	  - {name: CYOPS, aliases: [DEV], workspace: workspaces/cyops, default: true}
	bridge:
	  poll: 500ms
	  sources:
	    - {type: transcript, name: chat, path: chat.md}
	summaries:
	  destinations:
	    - {name: replies, type: directory, path: replies}
	alerts:
	  channels:
	    - {name: log, type: file, path: alerts.log}
	logs: {directory: log}
	END
}

# --- the suite

# Not by jq -e, which is content with no input at all.
ready() {
	[ "$("$bin/patchflow" -c "$conf" --json status 2>/dev/null | jq '
	    .daemons | length >= 5 and all(.[]; .state == "ready")')" = true ]
}

start_suite() {
	begun=$(now_ms)
	"$bin/watchdog" -f -c "$conf" >"$var/log/suite.log" 2>&1 &
	watchdog_pid=$!
	until ready; do
		if ! kill -0 "$watchdog_pid" 2>/dev/null ||
		    [ $(($(now_ms) - begun)) -gt 10000 ]; then
			tail -n 20 "$var/log/suite.log" >&2
			die "the suite did not start; see var/log/suite.log"
		fi
		sleep 0.05
	done
	printf '  ready after %s:' "$(seconds $(($(now_ms) - begun)))"
	"$bin/patchflow" -c "$conf" --json status |
		jq -r '[.daemons[].name] | " " + join(", ")'
}

# Where the kernel gives this user no namespaces, every patch with a command
# would be refused: say that once, and no more.
check_isolation() {
	why=$("$bin/patchflow" -c "$conf" --json status | jq -r '.queues[] |
	    select(.isolation == "mutations-only") | .why' | head -n 1)
	[ -z "$why" ] || die "no isolation for commands here ($why):" \
	    "run it as root, or let users make user namespaces"
}

stop_suite() {
	[ -n "$watchdog_pid" ] || return 0
	kill -TERM "$watchdog_pid" 2>/dev/null
	wait "$watchdog_pid" 2>/dev/null
	stopped=$?
	watchdog_pid=
	return "$stopped"
}

# --- what happens, live

# One line each of: QUEUE STATE KEY,ATTEMPT
places() {
	for queue in MAIN CYOPS; do
		for place in .held .running; do
			for f in "$spool/$queue/patches/$place"/*.json; do
				[ -e "$f" ] || continue
				f=${f##*/}
				echo "$queue ${place#.} ${f#?-}"
			done
		done
		for f in "$spool/$queue"/outcomes/*/*.json; do
			case $f in
			*/outcomes/tmp/* | *'*'*) ;;
			*) echo "$queue ended ${f##*/}" ;;
			esac
		done
	done | sort -u
}

colour_of() {
	case $1 in
	completed*) echo "$green" ;;
	failed*) echo "$red" ;;
	rejected*) echo "$yellow" ;;
	*) echo "$dim" ;;
	esac
}

outcome_path() {
	for box in new cur 'done'; do
		f=$spool/$1/outcomes/$box/$2
		[ ! -e "$f" ] || { echo "$f"; return; }
	done
}

words='if .state == "failed" then "failed (\(.stage))"
    elif .state == "rejected" then "rejected (\(.reason))" else .state end'

show_change() {
	queue=$1 place=$2 file=$3
	if [ "$place" = ended ]; then
		head -n 1 "$(outcome_path "$queue" "$file")" 2>/dev/null |
		    jq -r "[.id, ($words), (.attempt // 1), (.duration_ms // 0),
		    (.error // \"\")] | @tsv" |
		    while IFS='	' read -r id state attempt ms error; do
			[ "$attempt" = 1 ] || id="$id (attempt $attempt)"
			printf '    %-6s %-28s %s%-22s%s %7s ms  %s%.80s%s\n' \
			    "$queue" "$id" "$(colour_of "$state")" "$state" \
			    "$plain" "$ms" "$dim" "$error" "$plain"
		    done
	else
		id=${file#*-}
		printf '    %-6s %s%-28s %s%s\n' "$queue" "$dim" \
		    "${id%-????????,*}" "$place" "$plain"
	fi
}

look() {
	places >"$var/log/places.now"
	[ -e "$var/log/places.old" ] || : >"$var/log/places.old"
	comm -13 "$var/log/places.old" "$var/log/places.now" |
		while read -r queue place file; do
			show_change "$queue" "$place" "$file"
		done
	sort -u "$var/log/places.old" "$var/log/places.now" \
	    >"$var/log/places.both"
	mv "$var/log/places.both" "$var/log/places.old"
}

# outcome QUEUE ID ATTEMPT FILTER; ID may be a pattern.
outcome() {
	head -qn 1 "$spool/$1"/outcomes/new/*.json \
	    "$spool/$1"/outcomes/cur/*.json \
	    "$spool/$1"/outcomes/done/*.json 2>/dev/null |
	jq -r --arg id "^$2\$" --argjson n "$3" \
	    "select((.id | test(\$id)) and .attempt == \$n) | $4" | head -n 1
}

summarised() {
	[ "$(find "$spool"/*/summaries "$spool"/*/summaries/.completed \
	    "$spool"/*/summaries/.failed -maxdepth 1 -name 'summary-*.md' \
	    2>/dev/null | wc -l)" -ge "$1" ]
}

# feed FILE SENTENCE: as a model writes, in pieces that end anywhere.
feed() {
	title "The chat: $2"
	size=$(wc -c <"$slices/$1")
	piece=$((size / 3 + 1))
	at=0
	while [ "$at" -lt "$size" ]; do
		tail -c "+$((at + 1))" "$slices/$1" | head -c "$piece" >>"$chat"
		at=$((at + piece))
		look
		sleep 0.1
	done
	echo >>"$chat"
}

# until_ended QUEUE ID ATTEMPT: shows what happens until that one has ended.
until_ended() {
	deadline=$(($(now_ms) + 15000))
	until [ -n "$(outcome "$1" "$2" "$3" .state)" ]; do
		look
		if [ "$(now_ms)" -gt "$deadline" ]; then
			echo "    $red$2 has not ended within 15 s$plain"
			wrong=$((wrong + 1))
			return
		fi
		sleep 0.1
	done
	look
}

# --- what should be

check() {
	said=$1
	shift
	if "$@" >/dev/null 2>&1; then
		printf '  %sok%s      %s\n' "$green" "$plain" "$said"
	else
		printf '  %sWRONG%s   %s\n' "$red" "$plain" "$said"
		wrong=$((wrong + 1))
	fi
}

expect() {
	got=$(outcome "$1" "$2" "$3" "$words")
	check "$2@$1, attempt $3: $4" test "$got" = "$4" ||
		echo "          it is: $got"
}

earlier() {
	{ outcome "$1" "$2" 1 "$3" && outcome "$4" "$5" 1 "$6"; } | sort -uC
}

absent() {
	for f in "$@"; do
		[ ! -e "$f" ] || return 1
	done
}

clean_git() {
	[ -z "$(git -C "$main" status --porcelain)" ] &&
	[ "$(git -C "$main" rev-list --count HEAD)" -eq 5 ] &&
	git -C "$main" fsck --no-progress
}

nothing_runs() {
	for p in /proc/[0-9]*/cmdline; do
		! tr '\0' ' ' <"$p" 2>/dev/null | grep -qF -- "-c $conf" ||
			return 1
	done
}

table() {
	title 'How every patch ended'
	printf '  %-6s %-20s %-7s %-22s %9s %9s\n' queue patch attempt state \
	    'in queue' ran
	for f in "$spool"/*/outcomes/*/*.json; do
		case $f in */outcomes/tmp/*) continue ;; esac
		head -n 1 "$f"
	done | jq -r -s "sort_by(.detected_at)[] |
	    def t: if . == null or . == \"\" then null
	        else (.[0:19] + \"Z\" | fromdate) * 1000
	            + ((capture(\"\\\\.(?<f>[0-9]{3})\") // {f: \"0\"}).f | tonumber)
	        end;
	    [.queue, .id, .attempt, ($words),
	    ((.started_at | t) as \$s | (.queued_at | t) as \$q |
	        if \$s == null or \$q == null then \"-\" else \"\(\$s - \$q) ms\" end),
	    (if .duration_ms == null then \"-\" else \"\(.duration_ms) ms\" end)]
	    | @tsv" |
	while IFS='	' read -r queue id attempt state waited ran; do
		printf '  %-6s %-20s %-7s %s%-22s%s %9s %9s\n' "$queue" "$id" \
		    "$attempt" "$(colour_of "$state")" "$state" "$plain" \
		    "$waited" "$ran"
	done
}

show_results() {
	table
	title 'One summary, as it was delivered to var/replies'
	reply=$(find "$var/replies" -name 'summary-better-comment-*.md' \
	    ! -name '*.[0-9].md' | head -n 1)
	sed 's/^/  | /' "${reply:-/dev/null}" | cut -c 1-110 | head -n 60
	title 'The alerts, as the log channel got them (var/alerts.log)'
	cut -c 1-140 "$var/alerts.log" 2>/dev/null | sed 's/^/  /'
}

check_results() {
	title 'Is that what should have happened?'
	expect MAIN bill-script 1 completed
	expect CYOPS collect-numbers 1 completed
	expect CYOPS close-door 1 completed
	expect CYOPS write-notes 1 completed
	expect MAIN currency 1 completed
	expect MAIN receipt 1 completed
	expect MAIN dearer-bread 1 'failed (validation)'
	expect MAIN better-comment 1 'failed (mutation)'
	expect CYOPS wait-for-ever 1 'failed (timeout)'
	expect MAIN better-comment 2 completed
	expect CYOPS 'bad-[0-9a-f]*' 1 'rejected (malformed)'
	expect CYOPS farewell 1 completed
	check 'the critical patch went before the one that was written first' \
	    earlier CYOPS close-door .started_at CYOPS write-notes .started_at
	check 'the dependent patch waited for the other' \
	    earlier MAIN currency .started_at MAIN receipt .started_at
	check 'the duplicate was not run again' \
	    test -z "$(outcome MAIN currency 2 .id)"
	check 'the near-miss was not run' test -z "$(outcome CYOPS no-role 1 .id)"
	check 'the near-miss and the malformed block were alerted' \
	    sh -c "grep -q near-miss '$var/alerts.log' &&
	    grep -q patch-rejected '$var/alerts.log'"
	check 'failing patches left no file behind' absent \
	    "$main/must-not-stay.txt" "$cyops/half-done.txt" \
	    "$cyops/lost.txt" "$cyops/no-role.txt"
	check 'MAIN is a clean git repository with the four commits' clean_git
	check 'every attempt has its summary' summarised 12
	check 'fsck finds the spool as it should be' \
	    sh -c "'$bin/patchflow' -c '$conf' fsck >/dev/null"
	check 'everything was stopped' test "$stop_status" -eq 0
	check 'no process is left' nothing_runs
}

# --- the two ways to run

demo() {
	rm -rf "$var"
	mkdir "$var"
	make_workspaces
	write_config
	trap 'stop_suite; exit 130' INT TERM HUP PIPE
	trap 'stop_suite' EXIT
	began=$(now_ms)
	title 'patchflow: starting the suite on ./var'
	start_suite
	check_isolation
	feed 01-first-files.md 'a patch as JSON, with a check and a git commit'
	until_ended MAIN bill-script 1
	feed 02-order.md 'three for CYOPS; the critical one overtakes'
	until_ended CYOPS write-notes 1
	feed 03-dependency.md 'a patch that depends on the one after it'
	until_ended MAIN receipt 1
	feed 04-failures.md 'a failing check, an edit that does not match, a hang'
	until_ended CYOPS wait-for-ever 1
	until_ended MAIN better-comment 1
	feed 05-repair.md 'the corrected edit, sent again'
	until_ended MAIN better-comment 2
	feed 06-unclean.md 'a broken block, a duplicate, one without a role'
	until_ended CYOPS farewell 1
	until_ended CYOPS 'bad-[0-9a-f]*' 1
	wait_quiet
	show_results
	stop_suite
	stop_status=$?
	check_results
	conclude
}

# Summaries and alerts come a moment after the outcome.
wait_quiet() {
	deadline=$(($(now_ms) + 5000))
	until summarised 12 && grep -qs near-miss "$var/alerts.log" &&
	    grep -qs patch-rejected "$var/alerts.log"; do
		[ "$(now_ms)" -lt "$deadline" ] || return
		sleep 0.1
	done
}

conclude() {
	took=$(seconds $(($(now_ms) - began)))
	if [ "$wrong" -eq 0 ]; then
		title "${green}All as it should be, in $took.$plain"
		echo '  Look around in ./var; try it yourself with: make run'
	else
		title "${red}$wrong of these are wrong$plain (after $took);" \
		    'see var/log/suite.log'
		exit 1
	fi
}

run() {
	[ -e "$conf" ] || { make_workspaces; write_config; }
	p="$bin/patchflow -c $conf"
	cat <<-END
	${bold}patchflow runs on ./var; Ctrl-C stops it.$plain In another terminal:

	    alias p='$p'
	    p status --watch                   what every daemon and queue does
	    p submit --wait $slices/try.yaml
	    cat $slices/01-first-files.md >>$chat
	    p queue; p show try-me; p log -f; p alerts
	    ls $var/replies                    summaries, as delivered
	    kill -9 \$(p --json status | jq '.daemons[0].pid')   it is back at once

	END
	exec "$bin/watchdog" -f -c "$conf"
}

for tool in jq git; do
	command -v $tool >/dev/null || die "$tool is missing: run 'make deps'"
done
for program in watchdog ghost-bridge executor summarizer alertd patchflow; do
	[ -x "$bin/$program" ] || die "$bin/$program is missing: run 'make'"
done
check_place
case $mode in
demo) demo ;;
run) run ;;
*) die "usage: demo.sh demo|run" ;;
esac
