#!/bin/sh
# SPDX-License-Identifier: ISC
# Who decides beside root and the spool's owner: users and groups that approvers
# names, as the accounts are when the executor looks. Nobody speaks for another
# one, root included, through the directory that is open to them. In a mount
# namespace, for the accounts must exist and the machine is not ours.
. "$(dirname "$0")/../harness/lib.sh"
need_root
as_user test -x "$BUILD_DIR/bin/patchflow" ||
	skip_all 'an ordinary user cannot run the build'
own_mounts
. "$TOP/tests/flow/executor.sh"

# accounts OPS...: everybody, and who is in group ops.
accounts() {
	{
		cat "$T/passwd.old"
		for a in patchflow:990 alice:2001 bob:2002 carol:2003 dave:2004 eve:2005; do
			echo "${a%:*}:x:${a#*:}:${a#*:}::/nonexistent:/bin/sh"
		done
	} >"$T/passwd"
	{
		cat "$T/group.old"
		for a in alice:2001 bob:2002 carol:2003 dave:2004 eve:2005; do
			echo "${a%:*}:x:${a#*:}:"
		done
		echo 'patchflow:x:990:alice,bob,carol,dave'
		echo 'patchflow-submit:x:991:patchflow,alice,bob,carol,dave,eve'
		echo "ops:x:992:$1"
	} >"$T/group"
}
grep -v '^patchflow' /etc/passwd >"$T/passwd.old"
grep -v '^patchflow' /etc/group >"$T/group.old"
accounts alice,dave
if ! mount --bind "$T/passwd" /etc/passwd ||
    ! mount --bind "$T/group" /etc/group; then
	skip_all 'no bind mounts to be had'
fi
as() {
	who=$1
	shift
	setpriv --reuid "$who" --regid "$who" --init-groups -- "$@"
}
pf() { patchflow -c "$CONF" "$@"; }
as_pf() { as "$1" patchflow -c "$CONF" "$2" ${3:+"$3"} ${4:+"$4"} ${5:+"$5"}; }

write_config </dev/null
chown 65534:65534 "$ws" "$T/ws/cyops"
sed -i "s/^queues:/approvers: bob\nqueues:/
    s/^    aliases: .*/&\n    approve: always/
    s/^    aliases: .BRAUN.*/&\n    approvers: ['@ops']/" "$CONF"
ask=$SPOOL/MAIN/requests/ask
for q in MAIN CYOPS; do
	for id in one two three four five six; do
		echo "{\"id\":\"$id$q\",\"mutations\":[{\"path\":\"$id\",\"contents\":\"x\"}]}" \
		    >"$T/$id$q.json"
	done
	ok "what waits in $q" mkjob "$SPOOL" "$q" "$T"/*"$q.json"
	ok 'is held' executor --once -c "$CONF" -q "$q"
done
answers() {
	cat "$ask"/done/*.json 2>/dev/null | grep -v '"bytes"' |
	    jq -r "select(.id == \"$1\" and .verb == \"$2\") | .answer"
}
state() {
	pf --json show "$1" | jq -r '.[0].state'
}
approval() {
	pf --json show "$1" | jq -r '.[0].outcome.approval | "\(.by) \(.uid) \(.as)"'
}

# --- members
like 'show says who may decide' "$(pf show oneMAIN)" \
    'approvers +root, patchflow, @ops$'
exits 0 'a member of the group asks' as_pf alice approve -m 'looks fine' oneMAIN
like 'and is told so' "$(cat "$T/out")" 'approve accepted'
file=$(ls "$ask/new")
is 'the request is hers' "$(stat -c %U "$ask/new/$file")" alice
fails 'which nobody else takes back' as carol rm -f "$ask/new/$file"
fails 'nor moves' as carol mv "$ask/new/$file" "$ask/tmp/x.json"
line=$(head -n 1 "$ask/new/$file" | sed 's/oneMAIN/twoMAIN/; s/"digest"[^,]*,//; s/,"attempt": *[0-9]*//')
printf '%s\n{"bytes":%d,"sha256":"%s"}\n' "$line" ${#line} \
    "$(printf %s "$line" | sha256sum | cut -d' ' -f1)" >"$T/repeated"
ok 'what she says another one repeats' as carol cp "$T/repeated" "$ask/new/0-carol.json"
ok 'the executor takes both' once
is 'the one is approved' "$(state oneMAIN)" completed
is 'by her, as a member' "$(approval oneMAIN)" 'alice 2001 @ops'
like 'as show says' "$(pf show oneMAIN)" 'approved +by alice, as @ops: looks fine'
is 'the other one is not' "$(state twoMAIN)" held
is 'for it was not hers' "$(answers twoMAIN approve)" 'carol is no approver of MAIN'

# --- others
exits 1 'who is no member is refused at once' as_pf carol approve twoMAIN
like 'in words' "$(cat "$T/out")" 'twoMAIN@MAIN: carol is no approver of MAIN'
exits 1 'so is an approver of other queues' as_pf bob approve twoMAIN
exits 0 'in a queue that names none the common ones decide' as_pf bob approve oneCYOPS
ok 'its executor takes it' executor --once -c "$CONF" -q CYOPS
is 'as that user' "$(approval oneCYOPS)" 'bob 2002 bob'
exits 1 'a submitter that may not look' as_pf eve approve twoMAIN
like 'is told what is missing' "$(cat "$T/out")" 'members of group patchflow may look'
is 'nothing of all that is left' "$(ls "$ask/new" "$ask/cur")" "$ask/cur:

$ask/new:"

# --- nobody speaks for root
pf approve twoMAIN >"$T/log/said"
mv "$SPOOL"/MAIN/requests/new/*.json "$ask/new/"
ok "a file of root's among theirs" once
is 'is no request of root' "$(answers twoMAIN approve | tail -n 1)" \
    'root is no approver of MAIN'
is 'and lets nothing run' "$(state twoMAIN)" held
echo 'no request' | as alice tee "$ask/new/alice.json" >"$T/log/said"
as alice ln -s /etc/passwd "$ask/new/link.json"
ok 'what is no request' once
is 'is set aside' "$(find "$SPOOL/corrupt" -mindepth 1 | wc -l)" 2

# --- each verb
exits 0 'they hold' as_pf alice hold threeMAIN
exits 0 'reject' as_pf alice reject -m 'not now' fourMAIN
exits 0 'and cancel' as_pf alice cancel fiveMAIN
for verb in pause resume undo; do
	id=MAIN
	[ $verb != undo ] || id=oneMAIN
	exits 1 "they do not $verb" as_pf alice $verb $id
	like 'which is said' "$(cat "$T/out")" "$verb is left to root and the spool's owner"
done
ok 'it is all done' once
is 'held' "$(pf --json show threeMAIN | jq -r '.[0].held.reason')" operator
like 'rejected' "$(outcome fourMAIN .error)" 'not approved by alice: not now'
like 'cancelled' "$(outcome fiveMAIN .error)" 'cancelled by alice'
start executor executor -f -c "$CONF" -q MAIN
exits 0 'with the executor up, they let go' as_pf dave retry threeMAIN
waits_again() {
	[ "$(pf --json show threeMAIN | jq -r '.[0].held.reason')" = approval ]
}
await 'what then waits for approval' waits_again
exits 0 'and approve' as_pf dave approve threeMAIN
await 'which lets it run' ended_as threeMAIN completed
stop executor

# --- who was a member until just now
exits 0 'a member asks' as_pf dave approve sixMAIN
exits 0 'twice' as_pf dave approve twoMAIN
sleeping=$(ls "$ask/new")
accounts alice
ok 'and is none when the executor looks' once
is 'which counts' "$(answers twoMAIN approve | tail -n 1)" 'dave is no approver of MAIN'
is 'for each of them' "$(state sixMAIN) $(state twoMAIN) $(echo "$sleeping" |
    wc -l)" 'held held 2'
exits 1 'the rights of his old shell are none' setpriv --reuid dave \
    --regid dave --groups 990,991,992 -- patchflow -c "$CONF" approve sixMAIN
exits 0 'while hers go on' as_pf alice approve sixMAIN
ok 'to be' once
is 'done' "$(state sixMAIN)" completed
like 'the log says who asked for what' "$(pf --json log sixMAIN)" \
    '"verb": ?"approve".*"as": ?"@ops"'

# --- what check-config says
told() {
	pf --json check-config | jq -r '.checks[] | select(.subject == "MAIN" and
	    .check == "approvers") | "\(.result) \(.detail)"'
}
is 'check-config finds them well' "$(told)" \
    "ok 1 beside root and the spool's owner"
sed -i "s/approvers: .'@ops'.*/approvers: ['@ops', '@gone', nobody-here]/" "$CONF"
is 'and names who is missing' "$(told | grep -c 'error .*: there is no such account')" 2
sed -i "s/approvers: .'@ops'.*/approvers: [alice]/" "$CONF"
chown alice "$ws"
like 'and whose patches would approve of themselves' "$(told)" 'warning patches run as alice'
sed -i 's/approvers: .alice.*/approvers: [a b, "@", "@ops", "@ops", "7"]/' "$CONF"
exits 78 'entries that are none' pf check-config
line=$(grep -n 'a b' "$CONF" | cut -d: -f1)
is 'are named with their line' "$(grep -c ":$line: queues\[0\].approvers\[[0134]\]: " "$T/out")" 4
done_testing
