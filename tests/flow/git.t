#!/bin/sh
# SPDX-License-Identifier: ISC
# final.git in every kind of repository, and beside people who use it.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
command -v git >/dev/null || skip_all 'git is not installed'
write_config </dev/null
sed -i "s|^    aliases: \[BRAUN\]|&\n    git_name: Patch Flow\n    git_email: pf@example.org|" "$CONF"

g() {
	git -C "$ws" "$@"
}
# A new repository in the workspace, which stays.
fresh() {
	find "$ws" -mindepth 1 -delete
	git init -q -b main "$ws"
	echo a >"$ws/a"
}
start_commit() {
	g add -A && g commit -q -m start
}
# commits ID [FIELD, [PATH]]: a patch that writes PATH, by default ID.txt, and
# commits.
commits() {
	printf '{"id":"%s","mutations":[{"path":"%s","contents":"x\\n"}],"final":{"git":{%s"commit":"by %s"}}}\n' \
	    "$1" "${3:-$1.txt}" "${2:-}" "$1" | run_json 2>"$T/run.err"
}
said() {
	outcome "$1" '"\(.state) \(.stage // "")"'
}

fresh
start_commit
commits plain
is 'a commit is made' "$(g log -1 --format='%s|%an|%ae')" \
    'by plain|Patch Flow|pf@example.org'
is 'and told' "$(outcome plain .git.commit)" "$(g rev-parse HEAD)"
is 'all is clean' "$(g status --porcelain)$(g fsck 2>&1)" ''

fresh
start_commit
g config author.name Joe
g config committer.email joe@example.org
g config i18n.commitEncoding ISO-8859-1
commits named
is "by us, in UTF-8, whatever the repository's configuration says" \
    "$(g log -1 --format='%an|%ae|%cn|%ce|%e')" \
    'Patch Flow|pf@example.org|Patch Flow|pf@example.org|'
echo '*.bin filter=lfs' >"$ws/.gitattributes"
commits large '' x.bin
is 'a file for LFS is not committed whole where nobody has set it up' \
    "$(said large) $(g log -1 --format=%s)" 'failed command by named'
g config filter.lfs.clean 'sed s/.*/pointer/'
commits larger '' x.bin
is 'but where it is' "$(said larger) $(g show HEAD:x.bin)" 'completed  pointer'
g config --unset filter.lfs.clean
touch -d 2001-01-01 "$ws/x.bin"
commits nearby
is 'one that git has to read again is in the way of no other commit' \
    "$(said nearby) $(g show --name-only --format=%s HEAD | tr '\n' ,)" \
    'completed  by nearby,,nearby.txt,'

fresh
start_commit
echo mine >"$ws/a"
echo mine >"$ws/untracked"
echo staged >"$ws/staged"
g add staged
commits dirty
is 'in a dirty work tree only what the patch names is committed' \
    "$(g show --name-only --format= HEAD)" dirty.txt
is "and other people's work stays theirs" "$(g status --porcelain | tr '\n' ,)" \
    ' M a,A  staged,?? untracked,'
echo ignored >"$ws/.git/info/exclude"
printf '{"id":"%s","mutations":[{"path":":!a","contents":"x\\n"},{"path":"*","contents":"x\\n"},{"path":"ignored","contents":"x\\n"},{"path":"gone","contents":"x\\n"},{"path":"gone","delete":true},{"path":"empty","mkdir":true}],"final":{"git":{"commit":"odd"}}}\n' \
    odd | run_json 2>"$T/run.err"
is 'a name is no pattern, and what git does not look at fails nothing' \
    "$(g show --name-only --format= HEAD | tr '\n' ,)" '*,:!a,'
is "so that other people's work still stays theirs" \
    "$(g status --porcelain | tr '\n' ,)" ' M a,A  staged,?? untracked,'
like 'and it is said' "$(outcome odd .warnings)" 'not in the git commit'
g reset -q
echo '{"id":"ran","mutations":[],"postMutationBuild":{"shell":["touch ran"]},"final":{"git":{"commit":"ran"}}}' |
    run_json 2>"$T/run.err"
is 'a command names nothing, so nothing of a dirty tree is committed' \
    "$(said ran) $(g log -1 --format=%s)" 'completed  odd'

deep=$(printf '%0200d/' 1 2 3 4 5 6 7 8 9 10)
jq -nc --arg deep "$deep" '{id: "wide", mutations: [range(1200) |
    {path: "\($deep)\(.)", contents: "x"}], final: {git: {commit: "wide"}}}' |
    run_json 2>"$T/run.err"
like 'more paths than a command line takes fail, and say so' \
    "$(said wide) $(outcome wide .error)" \
    'failed limit .*git add: Argument list too long'

fresh
ln -s a "$ws/.gitignore"
start_commit 2>"$T/git.err"
echo seen >"$ws/.git/info/exclude"
echo mine >"$ws/seen"
echo '{"id":"blind","mutations":[{"path":"b","contents":"b"}],"postMutationBuild":{"shell":["touch made"]},"final":{"git":{"commit":"blind"}}}' |
    run_json 2>"$T/run.err"
is 'where git cannot look everywhere only what the patch names is committed' \
    "$(g show --name-only --format= HEAD)" b
like 'and it is said' "$(outcome blind .warnings)" 'could not look everywhere'
like 'and shown' "$(patchflow -c "$CONF" show blind)" \
    '^  warnings +.*could not look everywhere'

commits tagged '"tag":"v1",'
is 'a tag is made' "$(g rev-parse v1)" "$(g rev-parse HEAD)"
like 'and shown' "$(patchflow -c "$CONF" show tagged)" \
    "^  git +commit $(g rev-parse --short=12 HEAD), tag v1\$"
head=$(g rev-parse HEAD)
commits taken '"tag":"v1",'
is 'one that is taken fails the patch' "$(said taken)" 'failed command'
like 'for what git says' "$(outcome taken .error)" "git tag: .*'v1' already exists"
is 'as a whole' "$(g rev-parse HEAD)$(ls "$ws"/taken* 2>/dev/null)" "$head"

# --- what is checked before

g tag main
printf '{"id":"branch","branch":"main","mutations":[{"path":"%s","contents":"x"}],"final":{"git":{"commit":"%s"}}}\n' \
    branch branch | run_json 2>"$T/run.err"
is 'a tag that is named like the branch does not hide it' \
    "$(said branch) $(g log -1 --format=%s)" 'completed  branch'
g tag -d main >/dev/null
g checkout -q -b side
for n in 1 2; do
	echo $n >"$ws/a"
	g commit -q -am side$n
done
g checkout -q main
echo b >"$ws/a"
g commit -q -am theirs
g cherry-pick main..side >/dev/null 2>&1
echo c >"$ws/a"
g commit -q -am resolved
commits between
is 'nothing comes between two commits that somebody picks' \
    "$(said between) $(g log -1 --format=%s)" 'failed prepare resolved'
like 'which is said' "$(outcome between .error)" 'middle of something .*sequencer'
fresh
start_commit
mv "$ws/.git" "$ws/real"
ln -s real "$ws/.git"
commits link
is 'a repository behind a link, which has no locks of ours, is refused' \
    "$(said link)" 'failed prepare'
fresh
start_commit
mkdir "$ws/below"
g config core.worktree ../below
commits below
like 'and one whose work tree is another one' "$(said below) $(outcome below .error)" \
    "failed prepare .*core.worktree.* $ws/below"

# --- what git cannot look at

fresh
start_commit
g config status.showUntrackedFiles no
echo mine >"$ws/mine"
commits hidden
is "what the configuration hides of other people's work stays theirs" \
    "$(g show --name-only --format= HEAD)" hidden.txt
fresh
git init -q -b main "$ws/mod"
git -C "$ws/mod" commit -q --allow-empty -m 0
printf '[submodule "mod"]\n\tpath = mod\n\turl = ./x\n\tignore = all\n' \
    >"$ws/.gitmodules"
start_commit 2>"$T/git.err"
git -C "$ws/mod" commit -q --allow-empty -m theirs
commits moved
is 'so does a submodule that was moved and is ignored' \
    "$(g show --ignore-submodules=none --name-only --format= HEAD)" moved.txt
fresh
git init -q -b main "$ws/mod"
git -C "$ws/mod" commit -q --allow-empty -m 0
start_commit 2>"$T/git.err"
g config diff.ignoreSubmodules all
echo '{"id":"mover","mutations":[],"postMutationBuild":{"shell":["git -C mod -c user.name=x -c user.email=x commit -q --allow-empty -m 1"]},"final":{"git":{"commit":"mover"}}}' |
    run_json 2>"$T/run.err"
is "but the patch's own move of one is committed" \
    "$(said mover) $(g log -1 --format=%s) $(g status --porcelain --ignore-submodules=none)" \
    'completed  mover '

fresh
for name in assumed skipped; do
	echo 0 >"$ws/$name"
done
start_commit
g update-index --assume-unchanged assumed
g update-index --skip-worktree skipped
marked='{"path":"assumed","contents":"x"},{"path":"skipped","contents":"x"}'
for tree in clean dirty; do
	[ $tree = clean ] || echo mine >"$ws/a"
	printf '{"id":"%s","mutations":[{"path":"%s","contents":"x"},%s],"final":{"git":{"commit":"%s"}}}\n' \
	    "of_$tree" "$tree" "$marked" "$tree" | run_json 2>"$T/run.err"
	is "what is marked as not to be looked at is left out of a $tree one" \
	    "$(said of_$tree) $(g show --name-only --format=%s | tr '\n' ,)" \
	    "completed  $tree,,$tree,"
	like 'as is said' "$(outcome of_$tree .warnings)" 'assume-unchanged'
done

# Each git that is asked leaves its lines there.
if [ "$(way_here)" != bare-copy ]; then
	fresh
	start_commit
	echo 'trace*' >"$ws/.git/info/exclude"
	cp "$CONF" "$T/untraced.yaml"
	sed -i "s|^    git_name: .*|&\n    env: [GIT_TRACE]|" "$CONF"
	jq -nc '{id: "ignoring", mutations: [range(199), "trace_too" |
	    {path: "\(.)", contents: "x"}], final: {git: {commit: "most"}}}' |
	    GIT_TRACE=$ws/trace run_json 2>"$T/run.err"
	cp "$T/untraced.yaml" "$CONF"
	is 'of many paths one is ignored' "$(said ignoring) $(g show \
	    --name-only --format=%s HEAD | wc -l)" 'completed  201'
	asked=$(grep -c 'built-in: git ls-files' "$ws/trace")
	ok 'and not each is asked for' test "$asked" -gt 2 -a "$asked" -lt 40
else
	skip 2 'no git leaves anything in the workspace'
fi

fresh
printf 'made\nsecret\n' >"$ws/.gitignore"
start_commit
g tag start
echo mine >"$ws/secret"
# ignorant: the nth time git opens .gitignore fails, of each git that comes so
# far; on until one takes what is ignored.
ignorant() {
	n=0
	wrong=
	while :; do
		n=$((n + 1))
		g reset -q --hard start && g clean -qfd
		printf '{"id":"ignorant%d","mutations":[{"path":"new","contents":"x"}],"postMutationBuild":{"shell":["touch made"]},"final":{"git":{"commit":"ignorant"}}}\n' \
		    $n | queue_json >/dev/null
		strace -f -qq -o "$T/trace" -e signal=none -P .gitignore \
		    -e trace='?open,openat' \
		    -e inject='?open,openat':error=EIO:when=$n \
		    executor --once -c "$CONF" -q MAIN >"$T/run.err" 2>&1
		grep -q INJECTED "$T/trace" || break
		rm -f "$SPOOL"/MAIN/patches/.held/*
		case $(g show --name-only --format= start..HEAD) in
		'' | new) ;;
		*) wrong="$wrong $n" ;;
		esac
	done
}
if strace -qq -o /dev/null -e trace='?open,openat' true 2>/dev/null; then
	ignorant
	is 'what is ignored is not committed where git cannot read that for a moment' \
	    "$wrong" ''
	ok 'which has failed' test "$n" -gt 1
else
	skip 2 'strace may not trace here'
fi

fresh
mkdir "$ws/looked"
echo 0 >"$ws/looked/at"
echo g >"$ws/gone"
start_commit
g tag start
# stands ID STATUS: a patch is in its commit, or nothing has happened. What
# others did, which is STATUS, stays theirs.
stands() {
	want='A looked/new,D gone,M looked/at,'
	case $(said "$1") in
	'completed ') ;;
	'failed command') want='' ;;
	*) return 1 ;;
	esac
	[ "$(g diff --no-renames --name-status start HEAD | sort |
	    tr '\t\n' ' ,')" = "$want" ] &&
		[ "$(g status --porcelain)" = "$2" ]
}
# blinded: the nth look at the files fails, of each git that comes so far.
blinded() {
	n=0
	lacks=0
	wrong=
	while :; do
		n=$((n + 1))
		g reset -q --hard start && g clean -qfd
		echo mine >"$ws/a"
		printf '{"id":"%s","mutations":[{"path":"looked/at","contents":"x\\n"},{"path":"looked/new","contents":"x\\n"},{"path":"gone","delete":true}],"final":{"git":{"commit":"blind"}}}\n' \
		    blind$n | queue_json >/dev/null
		strace -f -qq -o "$T/trace" -e signal=none \
		    -P looked/at -P looked/new -e trace="$looks" \
		    -e inject="$looks":error=EIO:when=$n \
		    executor --once -c "$CONF" -q MAIN >"$T/run.err" 2>&1
		grep -q INJECTED "$T/trace" || break
		stands blind$n ' M a' ||
			wrong="$wrong $n: $(said blind$n), $(g status --porcelain)"
		case $(outcome blind$n .error) in
		*'the git commit lacks a file'*) lacks=$n ;;
		esac
	done
}
looks='?newfstatat,?lstat,?statx,?fstatat64'
if strace -qq -o /dev/null -e trace="$looks" true 2>/dev/null; then
	blinded
	is 'a file that git cannot look at is committed, or the patch fails' \
	    "$wrong" ''
	ok 'more than two such looks failed' test "$n" -gt 3
	if [ "$lacks" -gt 0 ]; then
		pass "of the commit itself, too: look $lacks"
	else
		skip 1 'this git loses no file that it cannot look at'
	fi
else
	skip 3 'strace may not trace here'
fi
# hooked ID HOOK: a patch beside other people's changes, with that hook.
hooked() {
	g reset -q --hard start && g clean -qfd
	echo mine >"$ws/a"
	printf '#!/bin/sh\n%s\n' "$2" >"$ws/.git/hooks/pre-commit"
	chmod +x "$ws/.git/hooks/pre-commit"
	printf '{"id":"%s","mutations":[{"path":"looked/at","contents":"x\\n"},{"path":"gone","delete":true}],"final":{"git":{"commit":"hooked"}}}\n' \
	    "$1" | run_json 2>"$T/run.err"
}
hooked changed 'echo h >looked/at && git add looked/at'
is 'a hook may change what is committed' "$(said changed) $(g show HEAD:looked/at)" \
    'completed  h'
is 'of which the index is not another' "$(g status --porcelain)" ' M a'
hooked taken_out 'git rm -q --cached looked/at'
is 'but a file that it takes out is a failure' \
    "$(said taken_out) $(g log -1 --format=%s) $(cat "$ws/looked/at")" \
    'failed command start 0'
like 'and told' "$(outcome taken_out .error)" 'lacks a file'
g reset -q --hard start && g clean -qfd
printf '#!/bin/sh\ngit rm -q --cached out.txt; git rm -q a\n' \
    >"$ws/.git/hooks/pre-commit"
commits out
is 'in a clean work tree, too' "$(said out) $(g log -1 --format=%s)" \
    'failed command start'
rm "$ws/.git/hooks/pre-commit"

# --- others at work

fresh
start_commit
: >"$ws/.git/index.lock"
(sleep 1 && rm "$ws/.git/index.lock") &
commits waited
is "another git's lock is waited for" "$(said waited)" 'completed '
# during ID COMMAND: the patch commits, and COMMAND runs in the repository while
# it is staged, until woken_and comes.
nap="sleep 307.$$"
during() {
	printf '{"id":"%s","mutations":[{"path":"%s","contents":"x\\n"}],"validate":{"shell":["%s || true"]},"final":{"git":{"commit":"%s"}}}\n' \
	    "$1" "$1" "$nap" "$1" | queue_json >/dev/null
	start executor executor -f -c "$CONF" -q MAIN
	await "$1 is staged" pgrep -fx "$nap"
	shift
	"$@"
}
touch "$ws/a"
during looked g status
await 'a git status of somebody' woken_and ended_as looked completed
is 'is no conflict' "$(grep -c 'run again' "$T/log/executor")" 0
is 'and both are whole' "$(g status --porcelain)$(g fsck 2>&1)" ''
stop executor
echo theirs >"$ws/theirs"
during staged g add theirs
await 'a git add of somebody' woken_and ended_as staged completed
like 'is one' "$(cat "$T/log/executor")" 'staged.*run again'
is 'which loses nothing' "$(g status --porcelain)" 'A  theirs'
stop executor
during beside sh -c ": >'$ws/.git/index.lock'"
await 'a git that is at work when the patch commits' \
    woken_and grep -q 'beside.*run again' "$T/log/executor"
rm "$ws/.git/index.lock"
await 'is waited for' woken_and ended_as beside completed
stop executor
fresh
start_commit
g config core.logAllRefUpdates false
rm -r "$ws/.git/logs"
during switched g checkout -q -b side
await 'a new branch of somebody' woken_and ended_as switched completed
like 'is one' "$(cat "$T/log/executor")" 'switched.*run again: .git/HEAD'
is 'to which the commit goes' \
    "$(g log -1 --format=%s side) $(g log -1 --format=%s main)" 'switched start'
is 'so that all is clean' "$(g status --porcelain)" ''
stop executor

# --- every other kind of repository
if [ -z "${PATCHFLOW_LONG:-}" ]; then
	skip 12 'long: PATCHFLOW_LONG=1'
	done_testing
	exit
fi
: >"$ws/.git/index.lock"
commits locked
is 'but not for ever' "$(where_is locked)" held
like 'and said' "$(cat "$T/run.err")" 'holds .git/index.lock'
rm "$ws/.git/index.lock"
rm -f "$SPOOL"/MAIN/patches/.held/*

fresh
start_commit
g checkout -q --detach
commits detached
is 'a detached HEAD moves' "$(said detached) $(g log -1 --format=%s)" \
    'completed  by detached'
is 'the branch does not' "$(g log -1 --format=%s main)" start

fresh
commits empty
is 'the first commit of a repository' "$(said empty) $(g log --format=%s)" \
    'completed  by empty'

fresh
start_commit
printf '#!/bin/sh\necho hooked >hooked\ngit add hooked\n' >"$ws/.git/hooks/pre-commit"
chmod +x "$ws/.git/hooks/pre-commit"
commits hook
is 'a hook runs' "$(said hook) $(g show --name-only --format= | tr '\n' ,)" \
    'completed  hook.txt,hooked,'
printf '#!/bin/sh\nexit 1\n' >"$ws/.git/hooks/pre-commit"
commits veto
is 'and may refuse' "$(said veto) $(g log -1 --format=%s)" \
    'failed command by hook'
rm "$ws/.git/hooks/pre-commit"
g config commit.gpgSign true
commits unsigned
is 'nothing is signed' "$(said unsigned)" 'completed '

g checkout -q -b side
echo b >"$ws/a"
g commit -q --no-gpg-sign -am side
g checkout -q main
echo c >"$ws/a"
g commit -q --no-gpg-sign -am main
g merge side >/dev/null 2>&1
commits merging
is 'an unfinished merge is not concluded' "$(said merging)" 'failed prepare'
g merge --abort

# Elsewhere: a linked work tree, a shallow clone, no repository at all.
mv "$ws/.git" "$T/elsewhere"
git -C "$T/elsewhere" config core.worktree "$ws"
echo "gitdir: $T/elsewhere" >"$ws/.git"
commits linked
is 'a repository outside the workspace is refused' "$(said linked)" \
    'failed prepare'
rm "$ws/.git"
commits none
is 'and so is none' "$(said none)" 'failed prepare'
fresh
start_commit
g commit -q --allow-empty -m two
git clone -q --depth 1 "file://$ws" "$T/shallow"
find "$ws" -mindepth 1 -delete
cp -a "$T/shallow/." "$ws"
commits shallow
is 'a shallow one is as good' "$(said shallow) $(g log --format=%s | wc -l)" \
    'completed  2'
done_testing
