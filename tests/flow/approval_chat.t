#!/bin/sh
# SPDX-License-Identifier: ISC
# The gates of a queue from the chat to the summary: what the chat's author and
# the operator are told at each step, for each `approve', each kind of rule, and
# each decision; and who may decide.
. "$(dirname "$0")/../harness/lib.sh"
write_config </dev/null
cd "$T" || exit 1
cp "$CONF" "$CONF.plain"
pf() { patchflow "$@"; }
# gate WORD [LINE...]: MAIN's approve, and rules.
gate() {
	{
		echo "    approve: $1"
		shift
		[ $# -eq 0 ] || echo '    rules:'
		[ $# -eq 0 ] || printf '      - %s\n' "$@"
	} >rules
	sed '/aliases: \[BRAUN\]/r rules' "$CONF.plain" >"$CONF"
}
# block ID MEMBERS: a patch in the chat.
block() {
	chat <<END

~~~json
{"role":"command_patch","target":"MAIN","id":"$1",$2}
~~~
END
}
once() {
	ghost-bridge --once -c "$CONF" && executor --once -c "$CONF" -q MAIN &&
	    summarizer --once -c "$CONF"
}
# told ID: state and reason of the one summary that came into the chat's
# replies; of a success whether it was validated.
told() {
	for f in "$T/replies/summary-$1"-*.md; do
		[ -e "$f" ] || echo nothing
		[ ! -e "$f" ] || sed -n '/^state: /s///p; /^reason: /s///p
		    s/^unvalidated: //p' "$f" | tr '\n' ' ' |
		    sed 's/^\(rejected [a-z-]*\) .*/\1/; s/ $//'
	done
}
summary() {
	cat "$T/replies/summary-$1"-*.md
}
reason_held() {
	pf --json show "$1" | jq -r '.[0] | "\(.state) \(.held.reason)"'
}
file='"mutations":[{"path":"F","contents":"x\n"}]'
with() {
	printf '%s' "$file" | sed "s/F/$1/"
}
check='"validate":{"shell":["true"]}'

# --- never: runs without asking; without a validation that is said
gate never
block free "$(with free),$check"
block bare "$(with bare)"
ok 'nothing is asked for where approve is never' once
is 'a validated patch is completed' "$(told free)" 'completed false'
is 'one without validation is completed, unvalidated' "$(told bare)" \
    'completed true'
like 'which its summary says in words' "$(summary bare)" '[Uu]nvalidated|not validated'
like 'and show' "$(pf show bare)" 'unvalidated'

# --- shell: only what runs commands waits
gate shell
block quiet "$(with quiet)"
block loud "$(with loud),$check"
ok 'where it is shell' once
is 'a patch without commands is completed' "$(told quiet)" 'completed true'
is 'one with commands is told of nowhere yet' "$(told loud)" nothing
is 'but waits for approval' "$(reason_held loud)" 'held approval'
like 'as the queue says' "$(pf queue MAIN)" 'loud .*needs approval since'
like 'and show, with the command' "$(pf show loud)" 'approve is shell'
ok 'nothing of it is there' test ! -e "$T/ws/main/loud"
exits 0 'it is approved' pf approve -m 'seen' loud
like 'which is taken down' "$(cat "$T/out")" 'approve accepted'
ok 'and done' once
is 'it is completed' "$(told loud)" 'completed false'
like 'its summary says who approved' "$(summary loud)" 'seen'

# --- always: everything waits
gate always
block one "$(with one)"
block two "$(with two)"
ok 'where it is always' once
is 'a patch without commands waits too' "$(reason_held one)" 'held approval'
exits 0 'one is rejected' pf reject -m 'not this way' two
exits 0 'the other approved' pf approve one
ok 'and both are dealt with' once
is 'the approved one is completed' "$(told one)" 'completed true'
is 'the rejected one is' "$(told two)" 'rejected by-operator'
like 'with the words, in the summary' "$(summary two)" 'not this way'
like 'and in show' "$(pf show two)" 'not this way'
ok 'nothing of it is there' test ! -e "$T/ws/main/two"
exits 1 'what was rejected cannot be approved' pf approve two

# --- rules: command patterns, protected paths, sizes
gate shell "{action: allow, command: 'test -e [a-z]*'}" \
    "{action: deny, command: 'curl.*'}" "{action: deny, path: 'keys/*'}" \
    '{action: hold, path: deploy}' '{action: deny, bytes: 1K}'
sed -i 's/^    approve: shell/&\n    protected: [fixed]/' "$CONF"
block may "$(with may),\"validate\":{\"shell\":[\"test -e may\"]}"
block fetch "$(with fetch),\"validate\":{\"shell\":[\"curl x\"]}"
block key "$(with 'keys\/a')"
block fixed "$(with 'fixed\/a')"
block depl "$(with deploy)"
block big "\"mutations\":[{\"path\":\"big\",\"contents\":\"$(printf '%2000s' x)\"}]"
ok 'with rules' once
is 'an allowed command is run' "$(told may)" 'completed false'
for id in fetch key fixed big; do
	is "$id is forbidden" "$(told $id)" 'rejected forbidden'
done
like 'by the rule of that line' "$(summary fetch)" \
    "patchflow.yaml:$(grep -n 'curl' "$CONF" | cut -d: -f1): deny"
like 'a protected path by its name' "$(summary fixed)" 'fixed/a'
is 'a held path waits' "$(reason_held depl)" 'held approval'
ok 'nothing of them is there' test ! -e "$T/ws/main/keys" -a \
    ! -e "$T/ws/main/big" -a ! -e "$T/ws/main/deploy"
exits 0 'cancel ends the waiting' pf cancel depl
ok 'at the next look' once
is 'as rejected' "$(told depl)" 'rejected by-operator'

# --- who may decide: the owner of the request's file says who
if [ "$(id -u)" -ne 0 ] || ! as_user test -x "$BUILD_DIR/bin/patchflow"; then
	skip 9 'needs root, to be two users'
	done_testing
	exit 0
fi
gate always
block mine "$(with mine)"
block theirs "$(with theirs)"
ok 'two more wait' once
new=$SPOOL/MAIN/requests/new
exits 1 'another user cannot approve' as_user patchflow -c "$CONF" approve mine
like 'and is told why' "$(cat "$T/out")" 'belongs to user|Permission denied'
fails 'nor put a request there by hand' as_user sh -c "echo x >'$new/x.json'"
# A request that is right in every word, but whose file is another user's.
pf approve mine >/dev/null
forged=$(ls "$new"/*.json)
chown "$(as_user id -u)" "$forged"
ok 'one that came there nevertheless' once
is 'decides nothing' "$(told mine)/$(reason_held mine)" 'nothing/held approval'
ok 'and lies in corrupt' test "$(find "$SPOOL/corrupt" -type f | wc -l)" -eq 1
exits 0 'the same words from who may' pf approve mine
is 'let it run' "$(once >/dev/null 2>&1; told mine)" 'completed true'
done_testing
