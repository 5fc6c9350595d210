#!/bin/sh
# SPDX-License-Identifier: ISC
# An undo that cannot be completed behind its record: it fails and says so, the
# patch stands as before, the queue goes on. Killed on the way, too. And one
# that is asked for while the workspace is away: it waits.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
write_config </dev/null
place=$SPOOL/state/executor@MAIN/txn

begin() {
	[ ! -e "$ws/dir" ] || chmod 0755 "$ws/dir"
	rm -rf "$ws" "$SPOOL"
	mkdir -p "$ws/dir" "$ws/tree"
	for i in a dir/b tree/t z1 z2 z3; do
		echo "$i" >"$ws/$i"
	done
	image >"$T/before"
	run_json <<'END' 2>/dev/null
{"id":"k","mutations":[{"path":"a","contents":"new\n"},{"path":"dir/b","contents":"new b\n"},{"path":"tree","delete":true},{"path":"z1","contents":"1\n"},{"path":"z2","delete":true},{"path":"z4","contents":"4\n"}]}
END
	summarizer --once -c "$CONF" 2>/dev/null
	image >"$T/after"
}
same_as() {
	image >"$T/now"
	diff "$1" "$T/now"
}
undo() {
	patchflow -c "$CONF" undo k >"$T/undo.out" 2>&1
}
kept() {
	find "$place/.undo" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l
}

# --- the workspace is away

begin
mv "$ws" "$ws.away"
ok 'an undo is asked for without a workspace' undo
once 2>/dev/null
is 'it waits' "$(where_is undo:k)" queued
like 'the answer says so' "$(cat "$SPOOL"/MAIN/requests/done/*.json)" \
    'queued as undo:k; it waits for the workspace'
like 'people are told' "$(cat "$SPOOL"/alerts/new/*)" workspace-missing
mv "$ws.away" "$ws"
ok 'when it is back' once
is 'the patch is undone' "$(outcome undo:k .state) $(outcome k .state)" \
    'completed undone'
is 'the tree is as it was' "$(same_as "$T/before")" ''
like 'with a diff, as of any patch' "$(outcome undo:k .diff)" '^\+dir/b$'
is 'which shows what comes back of each' \
    "$(outcome undo:k '[.changes[] | "\(.path) \(.op)"] | sort | join(",")')" \
    'a modified,dir/b modified,tree directory,tree/t added,z1 modified,z2 added,z4 deleted'

begin
mv "$ws" "$ws.old"
mkdir "$ws"
echo other >"$ws/other"
undo
once 2>/dev/null
is 'in another directory at its place it is refused' \
    "$(outcome undo:k '"\(.stage): \(.error)"')" \
    'conflict: the workspace is another directory than it was'
rm -r "$ws"
mv "$ws.old" "$ws"
undo
once 2>/dev/null
is 'asked for again it is done' "$(outcome k .state)" undone

# --- blocked behind its record

if ! strace -o /dev/null true 2>/dev/null; then
	skip 17 'strace may not trace here'
	done_testing
	exit
fi
# blocked COMMAND...: nothing can be renamed in dir meanwhile.
blocked() {
	if [ "$(id -u)" -ne 0 ]; then
		chmod 0555 "$ws/dir"
		"$@"
		set -- $?
		chmod 0755 "$ws/dir"
		return "$1"
	fi
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m --propagation private sh -c \
	    'mount --bind "$1" "$1" && shift && "$@"' sh "$ws/dir" "$@"
}
if [ "$(id -u)" -eq 0 ] && ! unshare -m true 2>/dev/null; then
	skip 17 'no mount namespaces here'
	done_testing
	exit
fi
# nth PATTERN: which renameat2 of the executor fits.
nth() {
	awk -v pattern="$1" 'NR == 1 { pid = $1 }
	    $1 == pid && / renameat2\(/ { n++; if ($0 ~ pattern) print n }' \
	    "$T/trace" | head -n 1
}
# decided: an undo whose record is there, and nothing done of it yet.
decided() {
	begin
	undo
	traced -e trace=renameat2 -e \
	    inject=renameat2:signal=SIGKILL:when=$((record + 1))
}
# both: in the workspace, and what came to the staging place instead.
both() {
	cat "$ws/$1" 2>/dev/null
	find "$place" -path '*/.kept-*' -type f -exec cat {} + | grep -c mine
}
begin
undo
traced -e trace=renameat2
record=$(nth '"UNDO"')
ok 'an undo writes its record' test "${record:-0}" -gt 0

# --- written to behind it

decided
echo mine >>"$ws/a"
once 2>/dev/null
is 'what somebody writes to behind the record stays' "$(both a)" 'new
mine
0'
is 'the rest is as it was' "$(outcome undo:k .state) $(cat "$ws/dir/b" "$ws/z1" \
    "$ws/z2" "$ws/tree/t" | tr '\n' ' ')" 'completed dir/b z1 z2 tree/t '
is 'that is told' "$(outcome undo:k '.displaced_foreign | join(",")')" a
like 'and alerted' "$(cat "$SPOOL"/alerts/new/*)" displaced-changed

begin
undo
start executor strace -D -I2 -f -qq -o "$T/trace" -e trace=renameat2 -e \
    inject=renameat2:delay_enter=60000000:when=$((record + 1)) \
    "$BUILD_DIR/bin/executor" --once -c "$CONF" -q MAIN
status=/proc/$(pid_of executor)/status
# shellcheck disable=SC2317 # await runs it
is_decided() {
	[ -n "$(find "$place" -name UNDO)" ] || return 1
	was=$(cat "$status")
	pause
	[ "$(cat "$status")" = "$was" ] && echo "$was" | grep -q '^State:.t'
}
await 'again, the executor is at its first rename' is_decided
echo mine >>"$ws/z4"
kill "$(sed -n 's/^TracerPid:[[:space:]]*//p' "$status")"
await 'it goes on' stopped executor
is 'in between it is kept and told of' "$(both z4) $(
    outcome undo:k '.displaced_foreign | join(",")')" '1 z4'

# --- blocked for good

decided
is 'killed behind it, it is decided' "$(find "$place" -name UNDO | wc -l)" 1
blocked executor --once -c "$CONF" -q MAIN 2>"$T/run.out"
is 'where it cannot be completed it fails' \
    "$(outcome undo:k '"\(.state) \(.stage)"')" 'failed conflict'
like 'and says where, and what stands' "$(outcome undo:k .error)" \
    'completed at dir/b .*; the patch stands as before'
is 'the tree is as the patch had left it' "$(same_as "$T/after")" ''
is 'the patch is completed, and kept' "$(outcome k .state) $(kept)" \
    'completed 1'
run_json <<'END' 2>/dev/null
{"id":"next","mutations":[{"path":"next","contents":"x"}]}
END
is 'the queue goes on' "$(outcome next .state)" completed
rm "$ws/next"
undo
once 2>/dev/null
is 'asked for again it is done' \
    "$(outcome k .state)$(same_as "$T/before")" undone

decided
blocked executor --once -c "$CONF" -q MAIN 2>"$T/run.out"
head -c 1200000 /dev/zero >"$ws/z3"
printf 'retention:\n  transactions_bytes: 1M\n' >>"$CONF"
run_json <<'END' 2>/dev/null
{"id":"next","mutations":[{"path":"z3","contents":"x"}]}
END
is 'when it is not kept any longer, nobody has written to it' \
    "$(kept) $(find "$place" -name '.kept-*')" '0 '
sed -i '/^retention/,$d' "$CONF"

# Killed on the way forward again.
at_point() {
	decided
	blocked timeout 60 strace -f -qq -o "$T/trace" -e trace=renameat2 \
	    -e inject="renameat2:signal=SIGKILL:when=$1" \
	    executor --once -c "$CONF" -q MAIN >"$T/run.out" 2>&1
	blocked executor --once -c "$CONF" -q MAIN >"$T/again.out" 2>&1
	[ "$(outcome undo:k '"\(.state) \(.stage)"') $(outcome k .state)" = \
	    'failed conflict completed' ] || echo "$1: $(outcome undo:k .state)"
	[ "$(outcome_files undo:k | wc -l)" -eq 1 ] || echo "$1: outcomes"
	same_as "$T/after"
	tidy || echo "$1: something is left"
}
decided
blocked strace -f -qq -o "$T/trace" -e trace=renameat2 \
    executor --once -c "$CONF" -q MAIN >"$T/run.out" 2>&1
all=$(grep -c renameat2 "$T/trace")
step=1
[ -n "${PATCHFLOW_LONG:-}" ] || step=$((all / 2))
first=$((step > 1 ? $(date +%s) / 60 % step + 1 : 1))
is "killed at each $step of $all renames it ends so, too" \
    "$(for n in $(seq "$first" "$step" "$all"); do at_point "$n"; done)" ''
done_testing
