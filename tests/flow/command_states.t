#!/bin/sh
# SPDX-License-Identifier: ISC
# Each verb on a patch in each state, as the table of patchflow(1) says: that
# table is read and every cell of it tried. Nothing is silent, and what is
# refused leaves no request behind.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config </dev/null
sed -i 's/aliases: \[BRAUN\]/&\n    rules: [{action: hold, path: deploy}]/' "$CONF"
page=$TOP/man/patchflow.1
pf() { patchflow "$@"; }

# keep N: the documents at hand.
keep() {
	mkdir -p "$T/made"
	for f in "$T"/docs/*.json; do
		cp "$f" "$T/made/$1-${f##*/}"
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
	run_json <<'END'
{"id":"completed","mutations":[{"path":"a","contents":"x"}]}
{"id":"undone","mutations":[{"path":"b","contents":"x"}]}
{"id":"failed","mutations":[{"path":"c","contents":"x"}],"validate":{"shell":["false"]}}
{"id":"expired","expires":"2020-01-01T00:00:00Z","mutations":[{"path":"d","contents":"x"}]}
{"id":"dependent","dependencies":["never"],"mutations":[{"path":"e","contents":"x"}]}
{"id":"unapproved","mutations":[{"path":"deploy/x","contents":"x"}]}
{"id":"rejected","mutations":[{"path":"deploy/k","contents":"x"}]}
{"id":"conflict","base":{"a":"sha256:0000000000000000000000000000000000000000000000000000000000000000"},"mutations":[{"path":"a","contents":"y"}]}
{"id":"forbidden","mutations":[{"path":".git/hooks/x","contents":"x"}]}
END
	keep 1
	# An undo comes behind the summary of what it takes back.
	summarizer --once -c "$CONF"
	pf undo undone
	pf reject rejected
	once
	queue_json <<'END'
{"id":"held","mutations":[{"path":"f","contents":"x"}]}
END
	pf hold held
	once
	keep 2
	# Two that the executor died with: once less than is too often, and,
	# in the end, once more.
	queue_json <<'END'
{"id":"backoff","mutations":[{"path":"j","contents":"x"}]}
END
	keep 3
	died backoff 2 "$(date -d '+50 minutes' +%s)000000"
	mv "$SPOOL"/MAIN/patches/*-backoff-* "$SPOOL/MAIN/patches/.held"
	once
	queue_json <<'END'
{"id":"crashed","mutations":[{"path":"i","contents":"x"}],"validate":{"shell":["sleep 600"]}}
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
queue_json >/dev/null <<'END'
{"id":"queued","mutations":[{"path":"h","contents":"x"}]}
END
ok 'the summaries are there' summarizer --once -c "$CONF"

requests() {
	count_files "$SPOOL/MAIN/requests/new"
}
places() {
	find "$SPOOL/MAIN/patches" -type f | sort
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
}

sed -n 's/^\.It \([a-z]* Ta [0-9].*\)/\1/p' "$page" | sed 's/ Ta / /g' >"$T/table"
verbs=$(sed -n 's/^\.It Sy state Ta //p' "$page" | sed 's/Sy //g; s/ Ta / /g')
is 'the table has all states' "$(cut -d' ' -f1 "$T/table" | sort | tr '\n' ' ')" \
    'backoff completed conflict crashed dependent expired failed forbidden held queued rejected running unapproved undone unknown '
before=$(places)
while read -r state cells; do
	# shellcheck disable=SC2086 # words
	set -- $cells
	bad=$(for verb in $verbs; do
		cell "$state" "$verb" "$1"
		shift
	done)
	is "$state" "$bad" ''
done <"$T/table"
is 'with the executor down nothing has moved' "$(places)" "$before"

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
rm "$SPOOL"/MAIN/requests/new/*.json
pf pause MAIN >"$T/log/pause"
start executor executor -f -c "$CONF" -q MAIN
paused() {
	pf show queued | grep -q 'waits *MAIN is paused until .patchflow resume MAIN'
}
await 'where it runs, that the queue is paused' paused
mv "$ws" "$ws.away"
pf resume MAIN >"$T/log/pause"
away() {
	pf show queued | grep -q 'waits *MAIN is held: workspace .*ws/main'
}
await 'or held, for its workspace is away' away
done_testing
