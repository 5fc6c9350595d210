#!/bin/sh
# SPDX-License-Identifier: ISC
# Who includes whom: daemons never each other, common never upward and never
# in a circle, and common holds only what at least two folders use.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1

folders=$(for d in bridge executor summarizer alertd watchdog ctl; do
	[ -d "$d" ] && echo "$d"; done)
plan 7

# "FILE INCLUDED" for each quoted include of the suite.
# shellcheck disable=SC2086 # a list
grep -rHo --include='*.[ch]' '^#include "[^"]*"' common $folders |
	sed 's/^\([^:]*\):#include "\(.*\)"$/\1 \2/' >"$T/edges"

foreign=$(awk '{ split($1, a, "/"); split($2, b, "/") }
    a[1] != b[1] && b[1] != "common" { print $1 " includes " $2 }' "$T/edges")
is 'a folder includes itself and common only' "$foreign" ''

bare=$(awk '$2 !~ /\// { print $1 " includes " $2 }' "$T/edges")
is 'includes name their folder' "$bare" ''

# Modules of common: X.c and X.h are X, and so is X_part.c where X.h exists; a
# .c without a header implements a part of one that it includes. The rungs
# may call one another: their edges are in all only.
rung='daemon|beat|loop|hint|sandbox'
# modules PATTERN: pairs of modules, edges that match left out.
modules() {
	grep '^common/' "$T/edges" | grep -Ev "$1" | while read -r from to; do
		from=$(basename "${from%.[ch]}") to=$(basename "${to%.h}")
		[ -e "common/$from.h" ] || [ -e "common/${from%%_*}.h" ] ||
			continue
		[ ! -e "common/${from%%_*}.h" ] || from=${from%%_*}
		[ ! -e "common/${to%%_*}.h" ] || to=${to%%_*}
		[ "$from" = "$to" ] || echo "$from $to"
	done | sort -u
}
modules "^common/($rung)\.c" >"$T/modules"
modules '^$' >"$T/all"
is 'the modules of common include each other in no circle' \
    "$(tsort "$T/modules" 2>&1 >/dev/null)" ''

# The rungs stand on the libraries; a library that logs decides for its user.
upward=$(grep -E "^common/" "$T/edges" |
    grep -Ev "^common/($rung)[._]" | grep -E " common/($rung)\.h")
is 'no library of common includes a rung' "$upward" ''
loud=$(grep -nE '(^|[^a-z_])log_(debug|info|warn|warnx)\(' common/*.c |
    grep -Ev "^common/($rung|log)[._]")
is 'no library of common logs' "$loud" ''

# is_inner MODULE: the header is a half of another module, whose stem (up to
# the first _) has a header in common and whose .c files alone include it. Its
# users are that module's.
is_inner() {
	stem=${1%%_*}
	[ "$stem" != "$1" ] && [ -e "common/$stem.h" ] || return 1
	! awk -v h="common/$1.h" -v own="^common/($stem(_.*)?|$1)\\\\.[ch]$" \
	    '$2 == h && $1 !~ own { found = 1 } END { exit !found }' "$T/edges"
}

# Folders that use a module, themselves or through common.
awk 'FILENAME == ARGV[1] { up[$1] = up[$1] " " $2; next }
    $1 !~ /^common\// && $2 ~ /^common\// {
	split($1, a, "/"); m = $2; gsub(/^common\/|\.h$/, "", m)
	reach(a[1], m)
    }
    function reach(f, m,    n, i, next_ones) {
	if ((f, m) in seen) return
	seen[f, m] = 1; users[m]++
	n = split(up[m], next_ones, " ")
	for (i = 1; i <= n; i++) reach(f, next_ones[i])
    }
    END { for (m in users) print m, users[m] }' \
    "$T/all" "$T/edges" >"$T/users"
if [ "$(echo "$folders" | wc -l)" -eq 6 ]; then
	lonely=$(for h in common/*.h; do
		m=$(basename "$h" .h)
		! is_inner "$m" || continue
		n=$(awk -v m="$m" '$1 == m { print $2 }' "$T/users")
		[ "${n:-0}" -ge 2 ] || echo "$m: ${n:-0}"
	done)
	is 'each file in common has users in two folders' "$lonely" ''
else
	skip 1 'not all folders are here'
fi

# shellcheck disable=SC2086 # a list
vague=$(find common $folders -name '*.[ch]' | grep -E \
    '(^|/|_)(util|utils|helper|helpers|misc|manager|handler|info)(_|\.)')
is 'no file is named util, helper or misc' "$vague" ''
