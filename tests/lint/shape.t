#!/bin/sh
# SPDX-License-Identifier: ISC
# Sizes: files, functions, parameters, the ladder in main; each header alone.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1

code=$(find common bridge executor summarizer alertd watchdog ctl tests \
    -name '*.[ch]' 2>/dev/null | sort)
plan 5

# shellcheck disable=SC2044,SC2046,SC2086 # lists of files without blanks
{
is 'no file has more than 500 lines, no test more than 600' "$(
    wc -l $code | awk '$2 != "total" && $1 > ($2 ~ /^tests/ ? 600 : 500)')" ''
is 'no main.c has more than 40 lines of code' "$(
    for f in */main.c; do
	[ -e "$f" ] || continue
	n=$(grep -cEv '^[[:space:]]*((/\*|\*).*)?$' "$f")
	[ "$n" -le 40 ] || echo "$f: $n"
    done)" ''
is 'no function has more than 60 lines' "$(
    awk 'FNR == 1 { start = 0 }
	/^\{/ { start = FNR }
	/^\}/ && start { if (FNR - start - 1 > 60)
	    print FILENAME ":" start ": " FNR - start - 1; start = 0 }' \
	$code)" ''
is 'no public header has more than 180 lines' "$(
    wc -l common/*.h | awk '$2 != "total" && $1 > 180')" ''
is 'each header compiles alone' "$(
    for h in $(find common bridge executor summarizer alertd watchdog ctl \
	-name '*.h' 2>/dev/null); do
	printf '#include "%s"\n' "$h" | ${CC:-cc} -std=c17 -D_GNU_SOURCE \
	    -fsyntax-only -Wall -Wextra -I. $(pkg-config --cflags \
	    libbsd-overlay jansson yaml-0.1 libcurl) -x c - 2>&1 ||
	    echo "$h"
    done)" ''
}
