# shellcheck shell=sh disable=SC2231,SC2086 # queues are globs here
# SPDX-License-Identifier: ISC
# What lies in a spool, behind lib.sh: documents, outcomes, where a patch is,
# summaries, alerts.

# json FILE FILTER: of a checked file (its first line).
json() {
	head -n 1 "$1" | jq -r "$2"
}

# first_lines FILE...: the documents of checked files, for a single jq.
first_lines() {
	head -qn 1 "$@" 2>/dev/null
}

# naming ID FILE...: those in which it is; to start a jq for each of all the
# files would take most of a test's time.
naming() {
	named=$1
	shift
	case $named in
	*[!A-Za-z0-9._-]*) find "$@" -maxdepth 0 2>/dev/null ;;
	*) grep -lsF "\"$named\"" "$@" ;;
	esac
}

# outcome_files ID [QUEUE]: the outcomes of that id, oldest attempt first.
outcome_files() {
	for f in $(naming "$1" "$SPOOL"/${2:-*}/outcomes/new/*.json \
	    "$SPOOL"/${2:-*}/outcomes/cur/*.json \
	    "$SPOOL"/${2:-*}/outcomes/done/*.json); do
		json "$f" "select(.id == \"$1\") | \"\(.attempt) $f\""
	done | sort -n | cut -d' ' -f2-
}

# outcome ID FILTER [QUEUE]: from the outcome of the last attempt.
outcome() {
	last=$(outcome_files "$1" "${3:-*}" | tail -n 1)
	[ -n "$last" ] && json "$last" "$2"
}

# ended ID [QUEUE]: an outcome is there. ended_as ID STATE [QUEUE]
ended() {
	[ -n "$(outcome_files "$1" "${2:-*}")" ]
}

ended_as() {
	[ "$(outcome "$1" .state "${3:-*}")" = "$2" ]
}

# where_is ID [QUEUE]: state directories that hold a file of it, one a line.
where_is() {
	for f in $(naming "$1" "$SPOOL"/${2:-*}/patches/*.json \
	    "$SPOOL"/${2:-*}/patches/.[a-z]*/*.json); do
		case $f in */patches/.tmp/*) continue ;; esac
		json "$f" "select(.id == \"$1\") | \"$(dirname "$f")\""
	done | sed 's|.*/patches$|queued|; s|.*/patches/\.||'
}

# summary_files ID [QUEUE]
summary_files() {
	grep -lE "^id: *[\"']?$1[\"']?\$" /dev/null \
	    "$SPOOL"/${2:-*}/summaries/summary-*.md \
	    "$SPOOL"/${2:-*}/summaries/.completed/summary-*.md \
	    "$SPOOL"/${2:-*}/summaries/.failed/summary-*.md 2>/dev/null
}

# raised TYPE FILTER: of the alerts of that type that nobody has taken, oldest
# first.
raised() {
	first_lines "$SPOOL"/alerts/new/*.json |
	    jq -r "select(.type == \"$1\") | $2"
}

count_files() {
	find "$1" -maxdepth 1 -type f ! -name '.*' 2>/dev/null | wc -l
}
