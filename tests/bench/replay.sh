#!/bin/sh
# SPDX-License-Identifier: ISC
# A git history as patches against `git am` on the same commits, every fsync
# that git knows of switched on, on the same disk. $BENCH_COMMITS (300) commits,
# $BENCH_ROUNDS (5) rounds in which the three take turns, so that whatever else
# the machine does meets all of them: the best of each, and the median of the
# rounds' ratios. Goals: twice as fast without commands, as fast with one in
# each patch. A diff that fits twice, within a few lines, is refused on purpose;
# a run before the first round finds those, and they are sent in full.
[ -n "${BENCH_DISK:-}" ] || exec sh "$(dirname "$0")/disk.sh" "$0"
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"

commits=${BENCH_COMMITS:-300}
rounds=${BENCH_ROUNDS:-5}
SPOOL=$T/spool
CONF=$T/patchflow.yaml
CHAT=$T/chat.md
ws=$T/ws/main
mkdir -p "$T/series"

git init -q --bare "$T/repo"
perl "$TOP/tests/harness/history.pl" "$commits" 1 all |
    git -C "$T/repo" fast-import --quiet
git -C "$T/repo" symbolic-ref HEAD refs/heads/main
git -C "$T/repo" format-patch -q --root --binary --no-signature -o "$T/mail" main
find "$T/mail" -empty -delete # of commits that change nothing
mkdir "$T/plain" "$T/command"
perl "$TOP/tests/harness/replay.pl" "$T/repo" "$T/plain" >/dev/null
perl "$TOP/tests/harness/replay.pl" "$T/repo" "$T/command" true >/dev/null

now() {
	date +%s%N
}

# Milliseconds of a command, the disk quiet before it.
timed() {
	sync -f "$T"
	began=$(now)
	"$@" >"$T/said" 2>&1 || {
		echo "$1 failed: $(tail -n 3 "$T/said")" >&2
		exit 1
	}
	ms=$((($(now) - began) / 1000000))
}

by_git() {
	git -C "$T/am" -c core.fsync=all am -q --keep-cr "$T"/mail/*.patch
}

run_git() {
	rm -rf "$T/am"
	git init -q "$T/am"
	timed by_git
	[ "$(git -C "$T/am" rev-parse 'HEAD^{tree}')" = "$tree" ] ||
	    echo 'git am made another tree' >&2
}

# queue_all DIRECTORY: its documents in an empty spool for an empty workspace.
queue_all() {
	rm -rf "$SPOOL" "$ws"
	write_config </dev/null
	mkjob "$SPOOL" MAIN "$T/$1"/*.json >/dev/null
}

run_ours() {
	queue_all "$1"
	timed once
	done=$(find "$SPOOL/MAIN/patches/.completed" -name '*.json' | wc -l)
	all=$(find "$T/$1" -name '*.json' | wc -l) # without empty ones
	[ "$done" -eq "$all" ] || echo "$done of $all completed" >&2
	made=$(GIT_DIR=$T/repo GIT_INDEX_FILE=$T/index GIT_WORK_TREE=$ws \
	    sh -c 'cd "$0" && rm -f "$GIT_INDEX_FILE" && git add -A . &&
		git write-tree' "$ws")
	[ "$made" = "$tree" ] || echo 'patches made another tree' >&2
}

# The name of each patch that was refused.
refused() {
	find "$SPOOL/MAIN/patches/.failed" -name '*.json' |
	sed 's/.*-c\([0-9]*\)-[^-]*$/\1/'
}

# Until one run has them all: what comes behind a refused one may need it.
send_in_full() {
	for _ in 1 2 3 4 5; do
		queue_all plain
		timed once
		again=$(refused)
		[ -n "$again" ] || break
		for name in $again; do
			cp "$T/plain/$name.plain" "$T/plain/$name.json"
			cp "$T/command/$name.plain" "$T/command/$name.json"
			full=$((full + 1))
		done
	done
}

# rate NAME COLUMN: of the rounds' milliseconds, git's the first.
rate() {
	awk -v col="$2" '{ print $1 / $col, $col }' "$T/rounds" | sort -n |
	awk -v name="$1" -v n="$commits" '
	    { ratio[NR] = $1; if (NR == 1 || $2 < ms) ms = $2 }
	    END { printf "%-30s %7.1f /s %7.2f ms each %5.2f times git am\n",
		name, n * 1000 / ms, ms / n, ratio[int((NR + 1) / 2)] }'
}

tree=$(git -C "$T/repo" rev-parse 'main^{tree}')
echo "replay: $commits commits on $BENCH_WHERE, best of $rounds"
full=0
send_in_full
echo "$full of them sent in full, their diffs being ambiguous"
for _ in $(seq "$rounds"); do
	run_git
	git=$ms
	run_ours plain
	plain=$ms
	run_ours command
	echo "$git $plain $ms" >>"$T/rounds"
done

# syncs COMMAND...: how often it calls fsync for each commit.
syncs() {
	strace -f -qq -e trace=fsync,fdatasync,syncfs -o "$T/calls" "$@" \
	    >/dev/null 2>&1
	awk -v name="$what" -v n="$commits" '/sync/ { s++ }
	    END { printf "%-30s %7.1f fsyncs each\n", name, s / n }' "$T/calls"
}

rate 'git -c core.fsync=all am' 1
rate 'patches without commands' 2
rate 'patches with a command each' 3
if command -v strace >/dev/null; then
	rm -rf "$T/am"
	git init -q "$T/am"
	what='git am'
	syncs git -C "$T/am" -c core.fsync=all am -q --keep-cr "$T"/mail/*.patch
	queue_all plain
	what='patches without commands'
	syncs executor --once -c "$CONF" -q MAIN
fi
