#!/bin/sh
# SPDX-License-Identifier: ISC
# check-config and the daemons' -n: what they try is what would happen, as the
# user it would happen as, and nothing stays behind.
. "$(dirname "$0")/../harness/lib.sh"
plan 44

cd "$T" || exit 1
chmod 711 "$T"
umask 022
printf 'hook\n' >hook.url
write_config </dev/null
check() { patchflow -c "$CONF" --json check-config >check.json 2>check.err; }
# row SUBJECT CHECK: its result and detail.
row() {
	jq -r --arg s "$1" --arg c "$2" '.checks[] | select(.subject == $s and
	    .check == $c) | "\(.result) \(.detail)"' check.json
}
fix() {
	jq -r --arg s "$1" --arg c "$2" '.checks[] | select(.subject == $s and
	    .check == $c) | .fix' check.json
}
files() { find "$T/ws" "$T/replies" "$SPOOL" -type f ! -name tree.lock; }

ok 'a good configuration' check
for check in put workspace staging isolation durability; do
	is "each queue has one line about $check" "$(row MAIN $check | wc -l)" 1
done
is 'each destination, too' "$(row replies destination)" \
    "ok $T/replies, files can be made there"
is 'and source and channel' "$(row chat source | cut -c1-2)$(row log channel |
    cut -c1-2)" okok
is 'nothing is left' "$(files)" ''
is 'nor a staging place' "$(find "$T" -name txn -o -name '.patchflow*')" ''
isolation=$(row MAIN isolation)
executor --once -c "$CONF" -q MAIN >log/once 2>&1
like 'the executor chooses what was said' \
    "$isolation" "^(ok|warning) $(json "$SPOOL/state/executor@MAIN/queue.json" \
    .isolation)[,:]"

t0=$(now_ms)
exits 2 'an executor without a queue' executor -n -c "$CONF"
like 'says what it lacks' "$(cat "$T/out")" '^executor: -q wants'
exits 0 'executor -n' executor -n -c "$CONF" -q MAIN
ms=$(($(now_ms) - t0))
ok "is fast ($ms ms)" test "$ms" -lt 1000
is 'and prints a JSON line a finding' "$(executor -n -c "$CONF" -q MAIN |
    jq -s 'map(.subject) | unique | .[]')" '"MAIN"'

# --- beside a suite that is at work
start main executor -f -c "$CONF" -q MAIN
await 'an executor runs' test -s "$SPOOL/run/executor@MAIN.lock"
ok 'check-config beside it' check
ok 'does not disturb it' running main
stop main
is 'nor its staging place' "$(find "$SPOOL/state/executor@MAIN/txn" \
    -mindepth 1 ! -name .ballast)" ''

# --- what is wrong
# Kept, so that its inode is not given to the next one.
mv "$T/ws/main" "$T/ws/before"
fails 'a workspace is missing' check
like 'which is temporary' "$(row MAIN workspace)" '^temporary .*No such file'
like 'with its fix' "$(fix MAIN workspace)" '^make it'
exits 111 'and executor -n says so' executor -n -c "$CONF" -q MAIN
mkdir "$T/ws/main" "$T/ws/other"
executor --once -c "$CONF" -q MAIN >log/once 2>&1
is 'nothing is said of an isolation that is not known' \
    "$(json "$SPOOL/state/executor@MAIN/queue.json" .isolation)" ''
exits 111 'an empty one in its place' executor -n -c "$CONF" -q MAIN
like 'may be an unmounted one' "$(cat "$T/out")" 'not the directory of before'
sed "s|workspace: $T/ws/main|workspace: $T/ws/other|" "$CONF" >other.yaml
exits 0 'another one of the configuration is taken' \
    executor -n -c other.yaml -q MAIN

sed "s|directory, path: $T/replies|directory, path: $T/hook.url|" "$CONF" >file.yaml
exits 78 'a destination that is a file' summarizer -n -c file.yaml
like 'is told' "$(cat "$T/out")" '"error".*Not a directory'
sed "s|directory, path: $T/replies|append, path: $T/replies|" "$CONF" >dir.yaml
exits 78 'a reply file that is a directory' summarizer -n -c dir.yaml
sed "s|directory, path: $T/replies|append, path: $T/reply.md|" "$CONF" >new.yaml
exits 0 'a reply file that is still to come' summarizer -n -c new.yaml
is 'is not made' "$(ls "$T/reply.md" 2>/dev/null)" ''
sed "s|directory, path: $T/replies|directory, path: $T/un/mounted|" "$CONF" \
    >un.yaml
exits 111 'a destination whose parent is missing' summarizer -n -c un.yaml
is 'is not made either' "$(ls -d "$T/un" 2>/dev/null)" ''
sed "s|type: transcript, name: chat, path: $CHAT|type: transcript, path: $T/ws|" \
    "$CONF" >source.yaml
exits 78 'a source that is a directory' ghost-bridge -n -c source.yaml
mkdir bin && cp "$(command -v patchflow)" bin/
exits 1 'a suite without its daemons' bin/patchflow -c "$CONF" check-config
like 'is an error with a reason' "$(cat "$T/out")" '^error +executor +start .*(No such file|checks nothing)'

# --- as root: whom commands run as
if [ "$(id -u)" -ne 0 ]; then
	skip 5 'only root runs commands as others'
else
	sed 's|^    aliases: \[BRAUN\]|&\n    run_as: no-such-user|' "$CONF" >as.yaml
	exits 78 'a user that does not exist' executor -n -c as.yaml -q MAIN
	like 'is named, with what to do' "$(cat "$T/out")" \
	    'no user no-such-user .*run_as of queue MAIN in .*as.yaml.*make the account'
	exits 111 'an executor that meets it waits' \
	    executor --once -c as.yaml -q MAIN
	like 'and says so, and nothing of the workspace' \
	    "$(json "$SPOOL/state/executor@MAIN/queue.json" .hold)" \
	    '^run_as: there is no user no-such-user on this machine: make'
	is 'as a queue that is stuck' "$(cat "$SPOOL"/alerts/new/* |
	    jq -r 'select((.text // "") | test("no-such-user")) | .type')" queue-stuck
fi

# --- as root: the daemons' user is asked, not root
user=$(getent passwd "$(plain_uid)" | cut -d: -f1)
if [ "$(id -u)" -ne 0 ] || [ -z "$user" ] ||
    ! as_user test -x "$BUILD_DIR/bin/summarizer"; then
	skip 1 'needs root and an ordinary user who can run the build'
else
	{ cat "$CONF"; echo "user: $user"; } >user.yaml
	CONF=user.yaml
	chmod 700 "$T/replies"
	check
	like 'a destination that only root can write' \
	    "$(row replies destination)" '^error .*Permission denied'
fi
