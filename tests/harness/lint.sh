#!/bin/sh
# SPDX-License-Identifier: ISC
# lint.sh CFLAG... runs every static check; all of them, even when one failed.
set -u

: "${BUILD_DIR:?}"
here=$(cd "$(dirname "$0")" && pwd)
worst=0
sources=$(find common bridge executor summarizer watchdog alertd ctl tests \
    -name '*.c' 2>/dev/null | sort)
headers=$(find common bridge executor summarizer watchdog alertd ctl tests \
    -name '*.h' 2>/dev/null | sort)
scripts=$(find tests etc .ci -type f \( -name '*.sh' -o -name '*.t' \
    -o -name run -o -name 'runit-*' \) | sort)

step() {
	title=$1
	shift
	if "$@" >"$BUILD_DIR/lint.log" 2>&1; then
		echo "ok      $title"
	else
		worst=1
		echo "FAILED  $title"
		grep -Ev '^[0-9]+ warnings? generated|^Suppressed|^Use -header' \
		    "$BUILD_DIR/lint.log" | head -n 200 | sed 's/^/        /'
	fi
}

# shellcheck disable=SC2317 # called by step
tidy() {
	echo "$sources" | xargs -P "$(nproc)" -I '{}' \
	    clang-tidy --quiet '{}' -- "$@"
}

# shellcheck disable=SC2086 # lists of names, on purpose
{
	step clang-format clang-format --dry-run -Werror $sources $headers
	step shellcheck shellcheck -x -P SCRIPTDIR $scripts
	step mandoc mandoc -Tlint -Wwarning man/*.[1578]
	step cppcheck cppcheck -q --std=c11 --error-exitcode=1 -j "$(nproc)" \
	    --enable=warning,performance,portability --inline-suppr \
	    --suppress=variableScope --suppress=constParameter \
	    --suppress=missingIncludeSystem -D_GNU_SOURCE -I. \
	    --include=/usr/include/bsd/sys/queue.h \
	    --include=/usr/include/bsd/sys/tree.h $sources
	step clang-tidy tidy "$@"
}
sh "$here/run.sh" tests/lint/*.t || worst=1
exit "$worst"
