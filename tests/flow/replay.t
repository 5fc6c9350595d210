#!/bin/sh
# SPDX-License-Identifier: ISC
# A git history replayed as patches: after each of them the workspace is the
# commit's tree, to the byte and the mode. Files come, go, move, turn into
# links and back, are binary and empty. PATCHFLOW_LONG=1: 1,000 commits.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config </dev/null

commits=20
[ -z "${PATCHFLOW_LONG:-}" ] || commits=1000
echo "# seed $seed"

GIT_DIR=$T/repo
GIT_INDEX_FILE=$T/index
export GIT_DIR GIT_INDEX_FILE
git init -q --bare "$GIT_DIR"
perl "$TOP/tests/harness/history.pl" "$commits" "$seed" all |
    git fast-import --quiet
git symbolic-ref HEAD refs/heads/main
mkdir "$T/patches"
perl "$TOP/tests/harness/replay.pl" "$GIT_DIR" "$T/patches" >"$T/commits"
least=$((commits * 9 / 10)) # the others are empty
ok 'the history has its commits' test "$(wc -l <"$T/commits")" -ge "$least"

# as_commit COMMIT: the workspace is its tree.
as_commit() {
	(cd "$ws" && GIT_WORK_TREE=$ws git add -A . &&
	    [ "$(git write-tree)" = "$(git rev-parse "$1^{tree}")" ])
}

# attempt FILE: queues it and executes it; is it completed?
attempt() {
	key=$(mkjob "$SPOOL" MAIN "$1")
	once >>"$T/executor.log" 2>&1 &&
	    [ -e "$SPOOL/MAIN/patches/.completed/5-$key,1.json" ]
}

# One that was refused, as an ambiguous edit is, is sent again in full.
refused=0
wrong=
n=0
while read -r commit; do
	n=$((n + 1))
	name=$T/patches/$(printf %06d "$n")
	if ! attempt "$name.json"; then
		refused=$((refused + 1))
		attempt "$name.plain" || wrong="$wrong $n:failed"
	fi
	as_commit "$commit" || wrong="$wrong $n:differs"
	[ -z "$wrong" ] || break
done <"$T/commits"
is 'after each patch the workspace is the commit' "$wrong" ''
ok 'for all of them' test "$n" -ge "$least"
echo "# $refused of $n were sent again in full"
ok 'and hardly any had to be sent in full' test $((refused * 10)) -le "$n"
ok 'nothing of a transaction is left' tidy
echo x >>"$ws/$(git ls-tree --name-only HEAD | head -n 1)/stray" 2>/dev/null ||
    echo x >>"$ws/stray"
fails 'a file too much would be seen' as_commit HEAD
done_testing
