#!/bin/sh
# SPDX-License-Identifier: ISC
# Edits, diffs and patterns made from a git history are byte-exact or refused,
# on the files that they were made for and on files that changed meanwhile;
# what is refused is said so that a robot can repair it. A few hundred changes
# of a history that is another one each day; PATCHFLOW_LONG=1: 20,000;
# PATCHFLOW_GITREPO=DIR: of that repository, too.
. "$(dirname "$0")/../harness/lib.sh"

commits=260
least=300
if [ -n "${PATCHFLOW_LONG:-}" ]; then
	commits=14000
	least=20000
fi
harness=$TOP/tests/harness
echo "# seed $seed"

# history DIRECTORY COMMITS: a repository with a made-up history.
history() {
	git init -q --bare "$1" &&
	    perl "$harness/history.pl" "$2" "$seed" |
	    git -C "$1" fast-import --quiet &&
	    git -C "$1" symbolic-ref HEAD refs/heads/main
}

# judge PROGRAM FILE: its report as comments, its exit status.
judge() {
	"$1" "$seed" <"$2" >"$T/report"
	rc=$?
	cat "$T/report"
	return "$rc"
}

ok 'makes a history' history "$T/repo" "$commits"
perl "$harness/triples.pl" "$T/repo" >"$T/changes"
ok 'nothing wrong is called a success' judge triples "$T/changes"
ok 'in enough changes' test \
    "$(awk '/^# [0-9]+ changes/ { print $2 }' "$T/report")" -ge "$least"
ok 'what is refused can be repaired by its record' judge bot "$T/changes"
perl "$harness/triples.pl" "$T/repo" 300 >"$T/some"
fails 'a matcher that guesses is found out' judge triples_loose "$T/some"
ok 'by wrong results' grep -Eq ' [1-9][0-9]* wrong' "$T/report"

if [ -n "${PATCHFLOW_GITREPO:-}" ]; then
	perl "$harness/triples.pl" "$PATCHFLOW_GITREPO" "$least" >"$T/real"
	ok "nothing wrong in $PATCHFLOW_GITREPO" judge triples "$T/real"
	ok 'and repairable there' judge bot "$T/real"
fi
done_testing
