#!/bin/sh
# SPDX-License-Identifier: ISC
# Killed while a repository is put into place: git's locks are ours until
# recovery, which takes them away, and takes nobody else's.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
command -v git >/dev/null || skip_all 'git is not installed'
command -v strace >/dev/null || skip_all 'strace is not installed'
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'
write_config </dev/null
place=$SPOOL/state/executor@MAIN/txn

g() {
	git -C "$ws" "$@"
}
begin() {
	rm -rf "$ws" "$SPOOL"
	mkdir -p "$ws"
	git init -q -b main "$ws"
	echo a >"$ws/a"
	g add a && g commit -q -m start
	cat <<-'END' | queue_json >/dev/null
	{"id":"c","mutations":[{"path":"b","contents":"b\n"}],"final":{"git":{"commit":"made","tag":"v1"}}}
	END
}
# nth CALL PATTERN: which of the executor's calls of that kind is the last
# that fits.
nth() {
	awk -v call="$1(" -v pattern="$2" 'NR == 1 { pid = $1 }
	    $1 == pid && index($0, call) { n++; if ($0 ~ pattern) last = n }
	    END { print last + 0 }' "$T/trace"
}
# killed_at CALL N: a new world, and the executor killed in it there.
killed_at() {
	begin
	# The executor alone: its jail makes links of its own.
	timeout 60 strace -qq -o "$T/trace" -e trace="$1" \
	    -e inject="$1:signal=SIGKILL:when=$2" \
	    executor --once -c "$CONF" -q MAIN >"$T/run.out" 2>&1
}
locks() {
	(cd "$ws/.git" && find . -name '*.lock' | sort | tr '\n' ' ')
}
repository() {
	printf '%s %s %s%s' "$(outcome c .state)" "$(g log -1 --format=%s)" \
	    "$(g status --porcelain | tr '\n' ,)" \
	    "$(g fsck --no-progress 2>&1 | grep -v '^notice')"
}

begin
traced -e trace=renameat2,symlinkat
is 'a patch with a commit' "$(repository)" 'completed made '
is 'leaves no lock' "$(locks)" ''
put=$(nth renameat2 '"index"')
lock=$(nth symlinkat 'lock"$|lock"[,)]')
ok 'it locks, and puts the index into place' test "$put" -gt 0 -a "$lock" -gt 0

killed_at renameat2 "$put"
is 'killed before the index is put into place it holds the locks' "$(locks)" \
    './HEAD.lock ./index.lock ./refs/heads/main.lock ./refs/tags/v1.lock '
like 'which say whose they are' "$(readlink "$ws/.git/index.lock")" \
    'patchflow .*-c-.*,1 \.git/index\.lock'
echo mine >"$ws/mine"
fails 'a git add of somebody is refused' g add mine
once 2>"$T/again"
is 'recovery ends the commit' "$(repository)" 'completed made ?? mine,'
is 'and takes the locks away' "$(locks)" ''
ok 'then the git add goes' g add mine
ok 'nothing is left over' tidy

killed_at symlinkat "$lock"
ok 'killed among the locks there are some' test -n "$(locks)"
is 'and no record' "$(find "$place" -maxdepth 2 -name COMMIT)" ''
once 2>"$T/again"
is 'it is run again' "$(repository)" 'completed made '
is 'and no lock is left' "$(locks)" ''

killed_at renameat2 "$put"
rm "$ws/.git/index.lock"
: >"$ws/.git/index.lock"
once 2>"$T/again"
is "somebody else's lock stays" "$(locks)" './index.lock '
rm "$ws/.git/index.lock"
is 'and the commit is whole' "$(repository)" 'completed made '

# Control: what recovery goes by is the note in the transaction.
killed_at renameat2 "$put"
rm -r "$place"/*/locks
once 2>"$T/again"
is 'without the notes the locks would stay' "$(locks)" \
    './HEAD.lock ./index.lock ./refs/heads/main.lock ./refs/tags/v1.lock '

# --- an undo

undo_world() {
	begin
	once 2>"$T/run.out"
	summarizer --once -c "$CONF" 2>/dev/null
	patchflow -c "$CONF" undo c >/dev/null
}
undo_world
traced -e trace=renameat2
is 'an undo takes the commit back' "$(g log -1 --format=%s) $(g tag)$(locks)" \
    'start '
put=$(nth renameat2 '"index"')
undo_world
traced -e trace=renameat2 -e inject="renameat2:signal=SIGKILL:when=$put"
like 'killed in the middle it holds the lock' "$(locks)" 'index\.lock'
once 2>"$T/again"
is 'recovery completes it' \
    "$(outcome undo:c .state) $(g log -1 --format=%s) $(g tag)$(locks)" \
    'completed start '
undo_world
: >"$ws/.git/index.lock"
once 2>"$T/again"
is "an undo waits for somebody's lock, and is run again" \
    "$(where_is undo:c) $(g log -1 --format=%s)" 'held made'
rm "$ws/.git/index.lock"
begin
g config core.logAllRefUpdates false
rm -r "$ws/.git/logs"
once 2>"$T/run.out"
summarizer --once -c "$CONF" 2>/dev/null
patchflow -c "$CONF" undo c >/dev/null
g checkout -q -b side
once 2>"$T/again"
is 'a branch that somebody made since is not left behind' \
    "$(outcome undo:c .state) $(g log -1 --format=%s main)$(g status \
    --porcelain)$(locks)" 'failed made'
like 'and told' "$(outcome undo:c '[.. | strings] | join(" ")')" '\.git/HEAD'
done_testing
