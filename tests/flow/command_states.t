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

# One patch of each state, named after it.
{
	run_json <<'END'
{"id":"completed","mutations":[{"path":"a","contents":"x"}]}
{"id":"undone","mutations":[{"path":"b","contents":"x"}]}
{"id":"failed","mutations":[{"path":"c","contents":"x"}],"validate":{"shell":["false"]}}
{"id":"rejected","expires":"2020-01-01T00:00:00Z","mutations":[{"path":"d","contents":"x"}]}
{"id":"dependent","dependencies":["never"],"mutations":[{"path":"e","contents":"x"}]}
{"id":"unapproved","mutations":[{"path":"deploy/x","contents":"x"}]}
END
	# An undo comes behind the summary of what it takes back.
	summarizer --once -c "$CONF"
	pf undo undone
	once
	queue_json <<'END'
{"id":"held","mutations":[{"path":"f","contents":"x"}]}
END
	pf hold held
	once
	queue_json <<'END'
{"id":"running","mutations":[{"path":"g","contents":"x"}],"validate":{"shell":["sleep 600"]}}
END
} >"$T/log/made" 2>&1
runs() {
	[ "$(where_is running)" = running ]
}
start executor executor -f -c "$CONF" -q MAIN
await 'one runs' runs
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
	show* | wait* | *1) [ "$asked" = 0 ] || echo "$2 $1: asks" ;;
	*0) [ "$asked" = 1 ] || echo "$2 $1: asks nothing" ;;
	esac
}

sed -n 's/^\.It \([a-z]* Ta [0-9].*\)/\1/p' "$page" | sed 's/ Ta / /g' >"$T/table"
verbs=$(sed -n 's/^\.It Sy state Ta //p' "$page" | sed 's/Sy //g; s/ Ta / /g')
is 'the table has all states' "$(cut -d' ' -f1 "$T/table" | sort | tr '\n' ' ')" \
    'completed dependent failed held queued rejected running unapproved undone unknown '
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
done_testing
