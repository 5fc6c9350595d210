#!/bin/sh
# SPDX-License-Identifier: ISC
# Each program's page and its --help name the same options, and each page the
# exit statuses that there are; every page is clean mdoc and linked.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1

[ -x "$BUILD_DIR/bin/patchflow" ] || skip_all "the programs are not built"
plan 21

# With those of its commands, where it has some.
help_options() {
	{
		"$1" --help
		"$1" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' |
		while read -r command; do
			"$1" help "$command"
		done
	} | grep -oE -- '(^|[ ,[])--?[a-zA-Z][a-z-]*' | sed 's/^[ ,[]*//' |
		grep -E -- '^(-[a-zA-Z]|--[a-z-]+)$' | sort -u
}

# -fnv is -f, -n and -v.
page_options() {
	awk '/^\./ { for (i = 1; i < NF; i++) if ($i ~ /^\.?Fl$/) {
	    o = $(i + 1); gsub(/[,|]$/, "", o)
	    if (o ~ /^-/) print "-" o
	    else for (j = 1; j <= length(o); j++) print "-" substr(o, j, 1)
	    } }' "$1" | sort -u
}

page_statuses() {
	awk '/^\.Sh/ { in_it = /EXIT STATUS/ } in_it && /^\.It/ {
	    for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+$/) print $i }' "$1" |
		sort -nu | tr '\n' ' '
}

program() {
	help_options "$1" >"$T/help"
	page_options "$2" >"$T/page"
	fails "$1 --help names options" test ! -s "$T/help"
	is "$2 has the options of $1 --help, and no others" \
	    "$(diff "$T/help" "$T/page")" ''
	is "$2 has the exit statuses" "$(page_statuses "$2")" "$3 "
}

program ghost-bridge man/ghost-bridge.8 '0 1 2 78 111'
program executor man/patchflow-executor.8 '0 1 2 78 111'
program summarizer man/patchflow-summarizer.8 '0 1 2 78 111'
program alertd man/patchflow-alertd.8 '0 1 2 78 111'
program watchdog man/patchflow-watchdog.8 '0 1 2 78 111'
program patchflow man/patchflow.1 '0 1 2 65 69 75 78'

ok 'mandoc finds nothing in any page' mandoc -Tlint -Wwarning man/*.[1578]
is 'no page refers to one of ours that is missing' "$(
    sed -n 's/^\.Xr \([^ ]*\) \([0-9]\).*/\1.\2/p' man/*.[1578] | sort -u |
    grep -E '^(patchflow|ghost-bridge)' | while read -r page; do
	[ -e "man/$page" ] || echo "$page"
    done)" ''
is 'every page says its licence' "$(grep -L SPDX man/*.[1578])" ''
