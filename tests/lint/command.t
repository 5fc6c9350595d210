#!/bin/sh
# SPDX-License-Identifier: ISC
# The table of verbs, --help and patchflow(1) tell the same: commands, their
# options, exit statuses.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1
plan 5

page=man/patchflow.1
verbs=$(patchflow --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' | sort)
documented=$(sed -n 's/^\.It Ic \([a-z-]*\).*/\1/p' $page | sort)
is 'each command is documented, and back' "$documented" "$verbs"

is 'and stands in the README' "$(for v in $verbs; do
	[ "$v" = help ] || grep -q "^|.*\`${v}[\` ].*|" README.md || echo "$v"
done)" ''

# "verb option" for each option that help and the page give.
for v in $verbs; do
	patchflow help "$v" | sed -n 's/^  \(-.*\)/\1/p' | sed 's/  .*//' |
		grep -oE -- '-{1,2}[a-z]+(-[a-z]+)*' | sed "s/^/$v /"
done | sort >"$T/help"
awk '
/^\.It Ic / { verb = $3 }
/^\.(Sh|Ss) / { verb = "" }
verb != "" { for (i = 1; i < NF; i++) if ($i ~ /^[.]?Fl$/) {
	o = $(i + 1); if (o != "-" && length(o) > 0) print verb " -" o } }
' $page | sort -u >"$T/page"
is 'each option of a command is documented, and back' \
    "$(sort -u "$T/help" | diff - "$T/page")" ''

statuses=$(sed -n '/^enum ctl_status/,/};/s/.*= \([0-9]*\).*/\1/p' ctl/ctl.h |
	sort)
is 'each exit status is documented, and back' \
    "$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EX/s/^\.It \([0-9]*\)$/\1/p' $page |
	sort)" "$statuses"

bad=$(for v in $verbs; do
	patchflow help "$v" | head -n 1 | grep -q "^usage: .* $v" || echo "$v"
	patchflow "$v" --help | cmp -s - "$T/none" && echo "$v: no help"
	patchflow "$v" --no-such-option >"$T/o" 2>&1
	[ $? -eq 2 ] || echo "$v: takes any option"
done)
is 'each command explains itself and refuses other options' "$bad" ''
