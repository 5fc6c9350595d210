#!/bin/sh
# SPDX-License-Identifier: ISC
# What commands leave of repositories: new ones, as build tools make them, and
# nothing that makes a later git of anybody run a program or stop for ever.
# PATCHFLOW_LONG=1: in a clone of the workspace, where it is told otherwise.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
command -v git >/dev/null || skip_all 'git is not installed'
write_config </dev/null
[ -z "${PATCHFLOW_LONG:-}" ] ||
    sed -i 's|^    aliases: \[BRAUN\]|&\n    isolation: copy|' "$CONF"
# By URLs, as from elsewhere: there is no network.
clone="git -c protocol.file.allow=always clone -q --recurse-submodules file://$ws/src/lib"
narrow="git -C build/lib sparse-checkout set --no-cone '/*' '!/lib'"
mirror="git clone -q --mirror file://$ws/src/lib build/mirror"
update='git -c protocol.file.allow=always submodule --quiet update --init'

g() {
	git -C "$ws" "$@"
}
# runs ID COMMAND: a patch that does nothing else.
runs() {
	jq -nc --arg id "$1" --arg command "$2" \
	    '{id: $id, mutations: [], postMutationBuild: {shell: [$command]}}'
}
said() {
	outcome "$1" '"\(.state) \(.error // "")"'
}

# A library with a submodule, and a repository that somebody works in.
for name in sub lib; do
	git init -q -b main "$ws/src/$name"
	echo $name >"$ws/src/$name/$name"
	[ $name = sub ] || git -C "$ws/src/lib" -c protocol.file.allow=always \
	    submodule --quiet add "file://$ws/src/sub" sub
	git -C "$ws/src/$name" add -A
	git -C "$ws/src/$name" commit -q -m $name
done
git init -q -b main "$ws"
echo a >"$ws/a"
printf 'src/\nbuild/\n' >"$ws/.gitignore"
g add a .gitignore && g commit -q -m start
git init -q --bare "$ws/bare"
program="$T/program"
printf '#!/bin/sh\ntouch %s/ran\n' "$T" >"$program"
chmod +x "$program"

# --- what builds do

{
	runs cloned "$clone build/lib && $narrow && git init -q made && $mirror"
	runs again "cd build/lib && $update && git fetch -q && git -C ../mirror fetch -q"
	runs anew "rm -rf build && $clone build/lib && $narrow && $mirror"
} >"$T/builds"
ok 'commands clone' run_json <"$T/builds"
is 'a clone with its submodules, and a new repository, stay' \
    "$(said cloned) $(cat "$ws/build/lib/sub/sub")" 'completed  sub'
is 'which are whole' "$(git -C "$ws/build/lib" fsck 2>&1)$(git \
    -C "$ws/build/mirror" fsck 2>&1)$(git \
    -C "$ws/build/lib" submodule status | grep -c '^ ')$(git -C "$ws/made" \
    status --porcelain)$(git -C "$ws/build/lib" status --porcelain)" 1
ok 'without what was not asked for' test ! -e "$ws/build/lib/lib"
is 'a second build finds them and changes nothing of theirs' \
    "$(said again)" 'completed '
is 'a third one makes them anew' "$(said anew)" 'completed '
runs away 'rm -rf build made' >"$T/away"
ok 'they are removed' run_json <"$T/away"
is 'as a whole' "$(said away)$(ls -d "$ws/build" "$ws/made" 2>/dev/null)" \
    'completed '

# --- what runs programs later

todo=.git/rebase-merge/git-rebase-todo
{
	runs fsmonitor "git init -q n && git -C n config core.fsmonitor $program"
	runs hook "git init -q n && echo true >n/.git/hooks/post-checkout"
	runs linked "mkdir n && echo 'gitdir: ../a' >n/.git"
	runs moduled 'mkdir m n && ln -s ../m .git/modules && echo "gitdir: ../.git/modules/x" >n/.git'
	runs within "mkdir -p n .git/worktrees/w/.git/modules && git init -q m && git -C m config core.fsmonitor $program && mv m/.git .git/worktrees/w/.git/modules/m && echo 'gitdir: ../.git/worktrees/w/.git/modules/m' >n/.git"
	runs overlaid "git init -q n && git -C n config extensions.worktreeConfig true && git -C n config --worktree core.fsmonitor $program"
	runs later 'echo >src/lib/.git/config.worktree'
	runs ours 'echo >.git/config.worktree'
	runs changed 'git -C src/lib config user.name x'
	runs bare "git init -q --bare n && git -C n config core.fsmonitor $program"
	runs beside "git -C bare config core.fsmonitor $program"
	runs hooked "echo true >bare/hooks/update"
	runs remote "mkdir bare/remotes; echo URL: /tmp >bare/remotes/origin"
	runs shared "mkdir n && echo ref: refs/heads/x >n/HEAD && echo ../bare >n/commondir"
	runs headed 'mkdir d/objects d/refs && echo ref: refs/heads/x >d/HEAD'
	cat <<'END'
{"id":"mutated","mutations":[{"path":"n/config","contents":"[core]\n\tpager = x\n"},{"path":"n/HEAD","contents":"ref: refs/heads/x\n"}]}
END
	runs own 'rm -rf .git'
	runs remade 'mv .git old && git init -q'
	runs begun "mkdir .git/rebase-merge && echo exec $program >$todo"
	runs fetched 'mkdir .git/remotes && echo URL: /tmp >.git/remotes/origin'
} >"$T/evils"
# Neither is a repository, and the first one does not become one below.
ok 'a directory may have a config, or a HEAD of its own' run_json <<'END'
{"id":"common","mutations":[{"path":"d/config","contents":"[core]\n\tpager = x\n"},{"path":"e/HEAD","contents":"head\n"},{"path":"e/config","contents":"x"}]}
END
is 'as any file' "$(said common)" 'completed '
ok 'others leave programs for later' run_json <"$T/evils"
for row in 'fsmonitor n/.git/config' 'hook n/.git/hooks/post-checkout' \
    'linked n/.git' 'moduled .git/modules' \
    'within .git/worktrees/w/.git/modules/m/config' 'changed src/lib/.git/config' \
    'overlaid n/.git/config.worktree' 'later src/lib/.git/config.worktree' \
    'ours .git/config.worktree' \
    'bare n/config' 'beside bare/config' 'hooked bare/hooks/update' \
    'remote bare/remotes/origin' \
    'shared n/commondir' 'headed d/HEAD' 'mutated n/config' 'own .git/config' \
    'remade .git/config' "begun .git/rebase-merge" 'fetched .git/remotes/origin'; do
	like "${row%% *} fails and names ${row##* }" "$(said "${row%% *}")" \
	    "^failed .*${row##* }(,| is)"
done
like 'a setting is named' "$(said fsmonitor)" 'it sets core.fsmonitor'
rm -r "$ws/d" "$ws/e"
is 'nothing of them is there' "$(ls -d "$ws/n" "$ws/m" "$ws/.git/rebase-merge" \
    "$ws/.git/modules" "$ws/.git/worktrees" "$ws/.git/remotes" 2>/dev/null)" ''
# The controls: these are what would run.
git -C "$ws/bare" config core.bare false
git -C "$ws/bare" config core.worktree "$ws"
git -C "$ws/bare" config core.fsmonitor "$program"
git -C "$ws/bare" status >/dev/null 2>&1
ok 'by hand a directory with a HEAD has its program run' test -e "$T/ran"
rm -rf "$ws/bare" "$T/ran"
git -C "$ws/src/sub" config extensions.worktreeConfig true
git -C "$ws/src/sub" config --worktree core.fsmonitor "$program"
git -C "$ws/src/sub" status >/dev/null 2>&1
ok 'so does a work tree that has a configuration of its own' test -e "$T/ran"
rm "$ws/src/sub/.git/config.worktree" "$T/ran"
mkdir "$ws/.git/rebase-merge"
g rev-parse HEAD | tee "$ws/.git/rebase-merge/onto" >"$ws/.git/rebase-merge/orig-head"
echo refs/heads/main >"$ws/.git/rebase-merge/head-name"
: >"$ws/.git/rebase-merge/interactive"
echo "exec $program" >"$ws/$todo"
g rebase --continue >/dev/null 2>&1
ok 'by hand such a list does run it' test -e "$T/ran"
rm -rf "$ws/.git/rebase-merge" "$T/ran"

# --- locks that nobody holds

runs locks 'touch .git/HEAD.lock .git/refs/heads/x.lock && git init -q n && touch n/.git/index.lock' >"$T/locks"
ok 'a command leaves locks' run_json <"$T/locks"
is 'they are left out' "$(said locks) $(cd "$ws" && find .git n -name '*.lock')" \
    'completed  '
like 'which is said' "$(outcome locks '.warnings[]')" \
    'a lock that git had left was left out: .git/HEAD.lock'
ok 'so that git goes on' g commit -q --allow-empty -m on

# --- what git add cannot take

git -C "$ws/n" commit -q --allow-empty -m n
g add n 2>/dev/null && g commit -q -m linked
cat >"$T/left" <<'END'
{"id":"left","mutations":[{"path":"b","contents":"b"}],"postMutationBuild":{"shell":["echo x >n/x && git -C n add x && mkdir many && cd many && seq -f a-name-that-fills-a-row-%g 1000 | xargs touch"]},"final":{"git":{"commit":"left"}}}
END
ok 'a patch changes files of a submodule, too' run_json <"$T/left"
is 'which the commit lacks' "$(said left) $(g show --name-only --format= HEAD -- b n)" \
    'completed  b'
like 'as the outcome says, behind whatever git status says besides' \
    "$(outcome left '.warnings[]')" 'git add did not take all that the patch changed'
done_testing
