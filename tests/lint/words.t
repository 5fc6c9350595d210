#!/bin/sh
# SPDX-License-Identifier: ISC
# What must not stand in the source: other loggers, shells, unbounded string
# calls, promises to finish later, banners, machine paths, waiting by the
# clock in tests.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1

code=$(find common bridge executor summarizer alertd watchdog ctl \
    -name '*.[ch]' 2>/dev/null | sort)
tests=$(find tests -name '*.[ch]' | sort)
shells=$(find tests etc .ci -type f \( -name '*.t' -o -name '*.sh' \
    -o -name run \) ! -path 'tests/lint/*' | sort)
text=$(find README.md DESIGN.md man etc -type f 2>/dev/null)

# Without comments and strings, so that only calls are found.
bare() {
	perl -0777 -ne 's{(/\*.*?\*/|"(?:\\.|[^"\\\n])*")}
	    {my $s = $1; $s =~ s/[^\n]/ /g; $s}gse;
	    my $n = 0; print map { $n++; "$ARGV:$n:$_\n" } split /\n/' "$@"
}

# found PATTERN FILE...
found() {
	pattern=$1
	shift
	bare "$@" | grep -E "$pattern"
}
call='(^|[^a-zA-Z0-9_>.])'
plan 10

# shellcheck disable=SC2046,SC2086 # lists of files
{
is 'only the log, the command and usage write to the terminal' "$(
    found "$call(v?f?printf|v?dprintf|perror|v?syslog|f?puts|putchar)\\(" \
    $(echo "$code" | grep -Ev '^(common/(log|daemon)\.c|ctl/)'))" ''
is 'and nobody by err.h' "$(grep -l '^#include <err.h>' $code)" ''
is 'no shell is run behind our back' "$(
    found "$call(system|popen)\\(" $code)" ''
is 'no call without a bound' "$(
    found "$call(v?sprintf|strcpy|strcat|gets|atoi|atol|strtok|mktemp|tmpnam|alloca)\\(" \
    $code $tests)" ''
is 'durable state is written through sys_*() only' "$(
    found "$call(renameat2?|rename|unlink|unlinkat|fsync|fdatasync|symlinkat|linkat)\\(" \
    $(echo "$code" | grep -Ev '^(common/sys\.c|executor/|ctl/init)') |
    grep -v 'unlinkat([a-z>-]*->run,')" ''
is 'nothing is left for later' "$(
    grep -nEw 'TODO|FIXME|XXX|HACK' $code $tests $shells)" ''
is 'no banners' "$(grep -nE '(/\*|//|#) *([-=*#])\2{4,}|@(brief|param|return)' \
    $code $tests $shells)" ''
is 'no machine paths' "$(grep -nE '(^|[^a-zA-Z0-9_.])/(work|root|home/[a-z]+)/' \
    $code $text | grep -v '^[^:]*:[^:]*:.*/home/me/')" ''
is 'tests wait for something, not for the clock' "$(
    grep -nE '(^|; *|&& *|do )sleep +[0-9.$]' \
    $(echo "$shells" | grep -v '^tests/harness/lib.sh') |
    grep -v '"mutations":')" ''
is 'every source says its licence' "$(
    for f in $code $tests $shells; do
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: ISC' || echo "$f"
    done)" ''
}
