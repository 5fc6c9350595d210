#!/bin/sh
# SPDX-License-Identifier: ISC
# Each verb on a patch in each state, as the tables of patchflow(1) say: those
# are read and every cell of them tried, with the executors down and running.
# Nothing is silent, and what is refused leaves no request behind.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config </dev/null
sed -i "s/aliases: \[BRAUN\]/&\n    rules: [{action: hold, path: deploy}]/
    s/timeout: [16]0s/timeout: 600s/
    s|^bridge:|  - {name: AWAY, workspace: $T/ws/away}\n&|" "$CONF"
page=$TOP/man/patchflow.1
pf() { patchflow "$@"; }

# table HEAD: the rows of the page's table whose head begins so, a cell a field.
table() {
	awk -F ' Ta ' -v OFS='|' -v head="^.It Sy $1" '/^\.El/ { on = 0 }
	    on { sub(/^\.It /, ""); $1 = $1; print } $0 ~ head { on = 1 }' "$page"
}
table 'state Ta Sy show' | tr '|' ' ' >"$T/table"
table 'state Ta Sy verb' >"$T/answers"
table 'verb Ta Sy state' >"$T/words"
verbs=$(sed -n 's/^\.It Sy state Ta Sy show/show/p' "$page" | sed 's/Sy //g; s/ Ta / /g')
ended=$(sed -n '/^completed/,/^undo:undone/s/ .*//p' "$T/table" | tr '\n' ' ')

# keep N: the documents at hand.
keep() {
	mkdir -p "$T/made"
	for f in "$T"/docs/*.json; do
		cp "$f" "$T/made/$1-${f##*/}"
	done
}

# those STATE: its patch, and where several verbs lead out of it one for each.
those() {
	echo "$1"
	[ "$(grep -c "^$1|" "$T/answers")" = 1 ] ||
		sed -n "s/^$1|\([a-z]*\)|.*/\1-$1/p" "$T/answers"
}
# each STATE JSON: their documents, whose ids are @.
each() {
	for id in $(those "$1"); do
		echo "$2" | sed "s/@/$id/"
	done
}

# died ID COUNT UNTIL: the executor's note of it.
died() {
	for f in "$SPOOL"/MAIN/patches/*-"$1"-*.json; do
		key=${f##*/?-}
		note=$(printf '{"format":"patchflow-tries-1","attempt":1,"crashes":%d,"requeues":0,"not_before_us":%d,"hold":false,"last_death":""}' \
		    "$2" "$3")
		printf '%s\n{"bytes":%d,"sha256":"%s"}\n' "$note" ${#note} \
		    "$(printf %s "$note" | sha256sum | cut -d' ' -f1)" \
		    >"$SPOOL/state/executor@MAIN/${key%,*}.json"
	done
}

# One patch of each state, named after it.
{
	{
		each dependent '{"id":"@","dependencies":["never"],"mutations":[{"path":"e","contents":"x"}]}'
		each unapproved '{"id":"@","mutations":[{"path":"deploy/x","contents":"x"}]}'
		cat <<'END'
{"id":"completed","mutations":[{"path":"a","contents":"x"}]}
{"id":"undone","mutations":[{"path":"b","contents":"x"}]}
{"id":"failed","mutations":[{"path":"c","contents":"x"}],"validate":{"shell":["false"]}}
{"id":"expired","expires":"2020-01-01T00:00:00Z","mutations":[{"path":"d","contents":"x"}]}
{"id":"rejected","mutations":[{"path":"deploy/k","contents":"x"}]}
{"id":"conflict","base":{"a":"sha256:0000000000000000000000000000000000000000000000000000000000000000"},"mutations":[{"path":"a","contents":"y"}]}
{"id":"forbidden","mutations":[{"path":".git/hooks/x","contents":"x"}]}
END
	} | run_json
	keep 1
	# An undo comes behind the summary of what it takes back.
	summarizer --once -c "$CONF"
	pf undo undone
	pf reject rejected
	once
	each held '{"id":"@","mutations":[{"path":"f","contents":"x"}]}' | queue_json
	# shellcheck disable=SC2046 # words
	pf hold $(those held)
	once
	keep 2
	# Those that the executor died with: once less than is too often, and,
	# in the end, once more.
	each backoff '{"id":"@","mutations":[{"path":"j","contents":"x"}]}' | queue_json
	keep 3
	died backoff 2 "$(date -d '+50 minutes' +%s)000000"
	mv "$SPOOL"/MAIN/patches/*backoff-* "$SPOOL/MAIN/patches/.held"
	once
	queue_json <<'END'
{"id":"crashed","mutations":[{"path":"i","contents":"x"}],"validate":{"shell":["test -e go || sleep 600"]}}
END
	keep 4
	died crashed 2 0
} >"$T/log/made" 2>&1
is_running() {
	[ "$(where_is "$1")" = running ]
}
start executor executor -f -c "$CONF" -q MAIN
await 'one runs' is_running crashed
stop executor KILL
{
	once
	queue_json <<'END'
{"id":"running","mutations":[{"path":"g","contents":"x"}],"validate":{"shell":["sleep 600"]}}
END
	keep 5
} >>"$T/log/made" 2>&1
start executor executor -f -c "$CONF" -q MAIN
await 'and another one' is_running running
stop executor KILL
{
	each queued '{"id":"@","mutations":[{"path":"h","contents":"x"}]}' | queue_json
	keep 6
	mkdir "$T/more"
	each away '{"id":"@","mutations":[{"path":"h","contents":"x"}]}' |
	    (cd "$T/more" && split -l 1)
	mkjob "$SPOOL" AWAY "$T"/more/*
	each committing '{"id":"@","mutations":[{"path":"h","contents":"x"}]}' >"$T/more/one"
	mkjob "$SPOOL" CYOPS "$T/more/one"
} >>"$T/log/made" 2>&1
ok 'the summaries are there' summarizer --once -c "$CONF"
# One that nobody has handed in: it is only tried.
echo '{"id":"tried","mutations":[{"path":"x","contents":"x"}],"validate":{"shell":["sleep 600"]}}' \
    >"$T/more/tried"
start tried patchflow dry-run -q MAIN "$T/more/tried"

requests() {
	find "$SPOOL"/*/requests/new -type f | wc -l
}
places() {
	find "$SPOOL"/*/patches -type f | sort
}
# words VERB STATE: how the page says that it is refused.
words() {
	awk -F '|' -v verb="$1" -v state=" $2 " -v ended="$ended" '{
	    sub(/ended/, ended, $2)
	    if (($1 == verb || $1 == "any") && index(" " $2 " ", state)) {
		print $3
		exit
	    } }' "$T/words"
}
# cell STATE VERB WANT
cell() {
	set -- "$1" "$2" "$3" "$(requests)"
	case $2 in
	wait) pf wait --timeout 200ms "$1" >"$T/out" 2>&1 ;;
	*) pf "$2" "$1" >"$T/out" 2>&1 ;;
	esac
	got=$?
	[ "$got" = "$3" ] || echo "$2 $1: $got instead of $3: $(cat "$T/out")"
	[ -s "$T/out" ] || echo "$2 $1: not a word"
	asked=$(($(requests) - $4))
	case $2$got in
	show* | wait* | log* | *1) [ "$asked" = 0 ] || echo "$2 $1: asks" ;;
	*0) [ "$asked" = 1 ] || echo "$2 $1: asks nothing" ;;
	esac
	words=$(words "$2" "$1")
	case $got${words:+words} in
	1words) grep -qF "$words" "$T/out" || echo "$2 $1: $(cat "$T/out"), not $words" ;;
	*words) echo "$2 $1: is not refused by: $words" ;;
	1) [ "$2" = wait ] || echo "$2 $1: no words for: $(cat "$T/out")" ;;
	esac
}
# row STATE WHICH CELL...: all of them, or without those that ask something.
row() {
	of=$1 which=$2
	shift 2
	for verb in $verbs; do
		case $which-$verb-$1 in
		all-* | *-show-* | *-wait-* | *-log-* | *-1) cell "$of" "$verb" "$1" ;;
		esac
		shift
	done
}
# rows WHICH SENTENCE STATE...
rows() {
	which=$1 said=$2
	shift 2
	for state; do
		# shellcheck disable=SC2046 # words
		is "$state, $said" "$(row "$state" "$which" \
		    $(sed -n "s/^$state //p" "$T/table"))" ''
	done
}
states=$(cut -d' ' -f1 "$T/table")
is 'the table has all states' "$(echo "$states" | sort | tr '\n' ' ')" \
    'away backoff committing completed conflict crashed dependent expired failed forbidden held queued rejected running tried unapproved undo:undone undone unknown '
# accepted: the cells that take a request.
accepted() {
	while read -r state cells; do
		for verb in $verbs; do
			case $verb-${cells%% *} in
			show-* | wait-* | log-* | *-1) ;;
			*) echo "$state|$verb" ;;
			esac
			cells=${cells#* }
		done
	done <"$T/table" | sort
}
is 'and each request that is taken an answer' \
    "$(cut -d'|' -f1,2 "$T/answers" | sort)" "$(accepted)"

# --- one that is just being committed

record() {
	[ -n "$(find "$SPOOL/state/executor@CYOPS/txn" -name COMMIT)" ]
}
if strace -e trace=none true 2>/dev/null; then
	start committing strace -f -o "$T/trace" -e trace=renameat2 \
	    -e inject=renameat2:signal=STOP:when=1 -P COMMIT \
	    executor -f -c "$CONF" -q CYOPS
	await 'its executor has stopped behind the record' record
	rows all 'meanwhile' committing
	pkill -KILL -P "$(pid_of committing)"
	stop committing KILL
else
	skip 2 'nothing can be traced here'
	states=$(echo "$states" | grep -v committing)
fi

# --- with the executors down

before=$(places)
# shellcheck disable=SC2086 # words
rows all 'executor down' $states
is 'nothing has moved' "$(places)" "$before"
rm "$SPOOL"/[AM]*/requests/new/*.json

# What is the same in each state: a document's meaning, a dry run that changes
# nothing, and that a document which is known is not run again.
for id in queued completed conflict; do
	printf '{"id":"%s","target":"MAIN","mutations":[{"path":"dry","contents":"x"}]}' \
	    "$id" >"$T/again.json"
	exits 0 "check of one that is $id" pf check "$T/again.json"
	exits 0 'and a dry run' pf dry-run "$T/again.json"
done
is 'have changed nothing' "$(places)" "$before"
ok 'nor made a file' test ! -e "$ws/dry"
ok 'all documents again' pf submit -q MAIN "$T"/made/*.json
ghost-bridge --once -c "$CONF" >"$T/log/bridge" 2>&1
is 'are duplicates' "$(places)" "$before"
is 'each of them' "$(grep -c '"duplicate"' "$SPOOL/journal/ghost-bridge.log")" \
    "$(find "$T/made" -type f | wc -l)"

# And why nothing goes on, whatever the patch is like.
like 'show says that no executor runs' "$(pf show queued)" \
    'waits +its executor is not running'
like 'and what was interrupted' "$(pf show running)" 'waits +was interrupted'
like 'queue as well' "$(pf queue)" 'queued .*its executor is not running'
like 'with -a how the others ended' "$(pf queue -a)" \
    'rejected .* expired +rejected \(expired\)'

# --- with the executors running, in queues where all stands still

start MAIN executor -f -c "$CONF" -q MAIN
await 'one runs again' is_running running
rows looks 'executor at it' running
paused() {
	pf show queued | grep -q 'waits *MAIN is paused until .patchflow resume MAIN'
}
ok 'while its queue is paused' pf pause MAIN
await 'which is said' paused
for queue in AWAY CYOPS; do
	start "$queue" executor -f -c "$CONF" -q "$queue"
done
away() {
	pf show away | grep -q 'waits *AWAY is held: workspace .*ws/away'
}
await 'as is another one held, for its workspace is away' away
all_taken() {
	[ "$(requests)" = 0 ]
}
await 'what was asked for while they were down is taken' all_taken
# shellcheck disable=SC2046 # words
rows looks 'executor up' $(echo "$states" | grep -vx 'running\|committing')

# asked: of each answer the id, the verb, and more from the page.
asked() {
	while IFS='|' read -r state verb answer after; do
		id=$verb-$state
		[ "$(those "$state" | wc -l)" != 1 ] || id=$state
		echo "$states" | grep -qx "$state" && echo "$id|$verb|$answer|$after"
	done <"$T/answers"
}
asked >"$T/asked"
grep -v '^committing' "$T/asked" | while IFS='|' read -r id verb more; do
	pf "$verb" "$id" 2>&1 || echo "$id $verb: refused, not $more"
done >"$T/log/said"
is 'each of them takes what is asked for' "$(grep refused "$T/log/said")" ''
is_answered() {
	cat "$SPOOL"/*/requests/done/*.json | grep -v '"bytes"' | jq -r --slurp \
	    '.[] | select(.id) | "\(.id)|\(.verb)|\(.answer)"' | sort -u >"$T/got"
	cut -d'|' -f1-3 "$T/asked" | sort | comm -23 - "$T/got" >"$T/missing"
	cat "$T/missing" "$T/got"
	[ ! -s "$T/missing" ]
}
await 'each has the answer that the page says' is_answered
have_moved() {
	pf --json queue -a | jq -r '.[] | "\(.id)|\(.state)"' | sort >"$T/got"
	cut -d'|' -f1,4 "$T/asked" | sort | comm -23 - "$T/got" >"$T/missing"
	cat "$T/missing" "$T/got"
	[ ! -s "$T/missing" ]
}
await 'and each patch is where it says' have_moved

# --- and they go on to their ends

: >"$ws/go"
ok 'the queue goes on' pf resume MAIN
cat >"$T/ends" <<'END'
approve-unapproved completed 1
backoff held 1
cancel-backoff rejected 1
cancel-dependent rejected 1
cancel-held rejected 1
cancel-queued rejected 1
cancel-unapproved rejected 1
completed undone 1
conflict failed 2
crashed completed 2
dependent held 1
expired rejected 2
failed failed 2
forbidden rejected 2
held held 1
hold-backoff held 1
hold-dependent held 1
hold-held held 1
hold-queued held 1
hold-unapproved held 1
queued completed 1
reject-unapproved rejected 1
rejected held 2
retry-backoff completed 1
retry-held completed 1
running rejected 1
unapproved held 1
undo:completed completed 1
undo:undone completed 1
undone undone 1
END
have_ended() {
	pf --json queue -a MAIN | jq -r '.[] | "\(.id) \(.state) \(.attempt)"' |
	    sort | diff "$T/ends" -
}
await 'and each of them to its end' have_ended
done_testing
