#!/bin/sh
# SPDX-License-Identifier: ISC
# final.git in repositories of other forms: how the index is written, what
# else lies in the workspace, what was begun in it. PATCHFLOW_LONG=1 for most.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
command -v git >/dev/null || skip_all 'git is not installed'
write_config </dev/null
g() {
	git -C "$ws" "$@"
}
# fresh [OPTION...]: a new repository with one commit.
fresh() {
	find "$ws" -mindepth 1 -delete
	git init -q -b main "$@" "$ws"
	mkdir "$ws/sub"
	echo a >"$ws/a"
	echo b >"$ws/sub/b"
	g add -A && g commit -q -m start
}
# commits ID [PATH]: a patch that writes PATH and commits.
commits() {
	printf '{"id":"%s","mutations":[{"path":"%s","contents":"%s\\n"}],"final":{"git":{"commit":"by %s"}}}\n' \
	    "$1" "${2:-$1.txt}" "$1" "$1" | run_json 2>"$T/run.err"
}
said() {
	outcome "$1" '"\(.state) \(.stage // "")"'
}
pause=397.$$
# ended_woken ID: it has ended, or one that waits again is woken.
ended_woken() {
	ended_as "$1" completed && return
	for pid in $(pgrep -fx "sleep $pause"); do
		kill "$pid"
	done
	return 1
}
# looked ID: a patch that commits while somebody's git looks at all files.
looked() {
	printf '{"id":"%s","mutations":[{"path":"%s","contents":"x\\n"}],"validate":{"shell":["sleep %s; true"]},"final":{"git":{"commit":"by %s"}}}\n' \
	    "$1" "$1" "$pause" "$1" | queue_json >/dev/null
	: >"$T/log/executor"
	start executor executor -f -c "$CONF" -q MAIN
	await "$1 is staged" pgrep -fx "sleep $pause"
	before=$(sha256sum <"$ws/.git/index")
	touch -d '2003-03-03' "$ws/a"
	g status >/dev/null
	[ "$before" != "$(sha256sum <"$ws/.git/index")" ] ||
		diag 'git status has written no index'
	await "$1 ends" ended_woken "$1"
	stop executor
}
again() {
	grep -c 'run again' "$T/log/executor"
}
whole() {
	printf '%s' "$(g status --porcelain)$(g fsck --no-progress 2>&1)"
}

# --- forms of the index

fresh
g update-index --index-version 4
looked four
is 'a look at an index of version 4 is no conflict' "$(again)$(whole)" 0
if git init -q --object-format=sha256 "$T/sha256" 2>/dev/null; then
	fresh --object-format=sha256
	looked sha
	is 'nor one at a repository of SHA-256' "$(again)$(whole)" 0
	is 'which has the commit' "$(g log -1 --format=%s) $(g rev-parse HEAD |
	    wc -c)" 'by sha 65'
else
	skip 4 'this git has no SHA-256'
fi
fresh
printf '#!/bin/sh\nprintf "all\\0"\n' >"$ws/.git/watch"
chmod +x "$ws/.git/watch"
g config core.fsmonitor .git/watch
g status >/dev/null
commits watched a
is 'a monitor that sees the workspace, and not the patch, is not asked' \
    "$(said watched) $(g show --name-only --format=) $(g -c core.fsmonitor= \
    status --porcelain)" 'completed  a '
if [ -z "${PATCHFLOW_LONG:-}" ]; then
	skip 18 'long: PATCHFLOW_LONG=1'
	done_testing
	exit
fi
fresh
g update-index --untracked-cache 2>/dev/null
g status >/dev/null
looked cache
is 'nor with a cache of untracked files' "$(again)$(whole)" 0
fresh
printf '#!/bin/sh\nexit 1\n' >"$ws/.git/watch"
chmod +x "$ws/.git/watch"
g config core.fsmonitor .git/watch
commits monitor
is 'a monitor of files is asked, or does not matter' "$(said monitor)$(whole)" \
    'completed '
fresh
g update-index --split-index
commits split
is 'a split index' "$(said split)$(whole)" 'completed '
looked apart
is 'is whole, too, where somebody looks at it' "$(whole)" ''
ok 'which may be a change' test "$(again)" -le 1

# --- what a repository leaves out, and what lies in it

fresh
mkdir "$ws/other"
echo o >"$ws/other/o"
g add -A && g commit -q -m other
g sparse-checkout set sub
commits inside sub/new
is 'in a sparse checkout what is in it is committed' \
    "$(said inside) $(g show --name-only --format=)" 'completed  sub/new'
is 'and what is not is kept' "$(g ls-tree --name-only HEAD other/)" other/o
commits outside other/new
is 'a path outside of it fails the patch' "$(said outside)" 'failed command'
like 'as git says' "$(outcome outside '[.commands[] | .output_head] | join(" ")')" \
    sparse-checkout
fresh
git clone -q "$ws" "$T/module" 2>/dev/null
g -c protocol.file.allow=always submodule --quiet add "$T/module" mod
g commit -q -m module
commits module mod/new
is 'a file of a submodule is written, and left out of the commit' \
    "$(said module) $(cat "$ws/mod/new") $(g log -1 --format=%s)" \
    'completed  module module'
like 'which is said' "$(outcome module '.warnings[]')" 'no git commit was made'
commits beside
is 'one beside it is committed alone' \
    "$(said beside) $(g show --name-only --format=)" 'completed  beside.txt'
mkdir "$ws/.githooks"
printf '#!/bin/sh\necho "hooked" >hooked; git add hooked\n' >"$ws/.githooks/pre-commit"
chmod +x "$ws/.githooks/pre-commit"
g add -A && g commit -q -m hooks
g config core.hooksPath .githooks
commits hooks
is 'core.hooksPath is followed' "$(g show --name-only --format= | tr '\n' ,)" \
    'hooked,hooks.txt,'

# --- places

fresh
git clone -q "$ws" "$T/main" 2>&1
git -C "$T/main" worktree add -q "$T/linked" -b linked
find "$ws" -mindepth 1 -delete
cp -a "$T/linked/." "$ws"
commits linked
is 'a linked work tree is refused' "$(said linked)" 'failed prepare'
like 'with the place of its repository' "$(outcome linked .error)" \
    'outside the workspace, in .*/main/.git/worktrees/linked'

# --- what was begun

fresh
g checkout -q -b side
echo s >"$ws/a" && g commit -q -am side
g checkout -q main
echo m >"$ws/a" && g commit -q -am main
g rebase side >/dev/null 2>&1
commits rebasing
is 'a rebase is not disturbed' "$(said rebasing)" 'failed prepare'
g rebase --abort
done_testing
