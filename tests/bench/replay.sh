#!/bin/sh
# SPDX-License-Identifier: ISC
# A git history as patches against `git am` on the same commits, every fsync
# that git knows of switched on; on the same loop-mounted ext4 where root may
# mount one. $BENCH_COMMITS (300) commits, $BENCH_ROUNDS (3) rounds, of which
# the best counts. Goals: twice as fast without commands, as fast with one in
# each patch.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"

# The mount goes with its namespace, what lies there with the outer one.
if [ -z "${BENCH_INSIDE:-}" ]; then
	in=
	! unshare -m true 2>/dev/null || in='unshare -m'
	# shellcheck disable=SC2086 # nothing, or two words
	BENCH_INSIDE=1 TMPDIR=$T $in sh "$TEST_FILE"
	exit
fi
commits=${BENCH_COMMITS:-300}
rounds=${BENCH_ROUNDS:-3}
where='the directory of temporary files'
mkdir "$T/disk"
if truncate -s 1G "$T/image" && mkfs.ext4 -q -F "$T/image" 2>/dev/null &&
    mount -o loop "$T/image" "$T/disk" 2>/dev/null; then
	where='a loop-mounted ext4'
fi
T=$T/disk
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

run_ours() {
	rm -rf "$SPOOL" "$ws"
	write_config </dev/null
	mkjob "$SPOOL" MAIN "$T/$1"/*.json >/dev/null
	timed once
	done=$(find "$SPOOL/MAIN/patches/.completed" -name '*.json' | wc -l)
	commits=$(find "$T/$1" -name '*.json' | wc -l) # without empty ones
	[ "$done" -eq "$commits" ] || echo "$done of $commits completed" >&2
}

best() {
	least=
	for _ in $(seq "$rounds"); do
		"$@"
		if [ -z "$least" ] || [ "$ms" -lt "$least" ]; then least=$ms; fi
	done
}

# rate NAME MILLISECONDS
rate() {
	awk -v name="$1" -v ms="$2" -v n="$commits" -v git="$git" 'BEGIN {
		printf "%-34s %8.1f /s %8.2f ms each %6.2f times git am\n",
		    name, n * 1000 / ms, ms / n, git / ms }'
}

tree=$(git -C "$T/repo" rev-parse 'main^{tree}')
echo "replay: $commits commits on $where, best of $rounds"
best run_git
git=$least
best run_ours plain
plain=$least
best run_ours command
command=$least

# syncs COMMAND...: how often it calls fsync for each commit.
syncs() {
	strace -f -qq -e trace=fsync,fdatasync,syncfs -o "$T/calls" "$@" \
	    >/dev/null 2>&1
	awk -v name="$what" -v n="$commits" '/sync/ { s++ }
	    END { printf "%-34s %8.1f fsyncs each\n", name, s / n }' "$T/calls"
}

rate 'git -c core.fsync=all am' "$git"
rate 'patches without commands' "$plain"
rate 'patches with a command each' "$command"
if command -v strace >/dev/null; then
	rm -rf "$T/am"
	git init -q "$T/am"
	what='git am'
	syncs git -C "$T/am" -c core.fsync=all am -q --keep-cr "$T"/mail/*.patch
	rm -rf "$SPOOL" "$ws"
	write_config </dev/null
	mkjob "$SPOOL" MAIN "$T/plain"/*.json >/dev/null
	what='patches without commands'
	syncs executor --once -c "$CONF" -q MAIN
fi
cd / || exit 1
umount "$T" 2>/dev/null || :
