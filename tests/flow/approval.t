#!/bin/sh
# SPDX-License-Identifier: ISC
# What a queue's approve and rules say: run, wait for somebody, or forbidden,
# with the rule's line; who approved of what, and what ends the waiting.
# shellcheck disable=SC2016 # what inner shells expand
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config </dev/null
cd "$T" || exit 1
cat >rules <<'END'
    approve: shell
    rules:
      - {action: allow, command: 'test -e [a-z]*'}
      - {action: deny, command: 'rm +-rf +/'}
      - {action: deny, path: 'secret/*'}
      - {action: hold, path: deploy}
      - {action: hold, files: 3}
      - {action: deny, bytes: 4K}
      - {action: deny, path: '*.pem'}
END
sed -i '/aliases: \[BRAUN\]/r rules' "$CONF"
line_of() {
	grep -n "$1" "$CONF" | cut -d: -f1
}
pf() { patchflow "$@"; }
alerts() {
	raised approval-needed '"\(.id) \(.resolved)"'
}
why_held() {
	pf --json show "$1" | jq -r '.[0].held.reason'
}
# runs_of ID: how often it was started.
runs_of() {
	jq -r "select(.event == \"started\").id" "$SPOOL/journal/executor@MAIN.log" |
		grep -cx "$1"
}
exits 0 'the rules are taken' pf check-config

# --- what the plan says
ok 'all kinds of patches' run_json <<'END'
{"id":"quiet","mutations":[{"path":"a","contents":"x"}]}
{"id":"allowed","mutations":[{"path":"b","contents":"x"}],"validate":{"shell":["test -e b"]}}
{"id":"shell","mutations":[{"path":"c","contents":"x"}],"validate":{"shell":["test -e c && true"]}}
{"id":"denied","mutations":[{"path":"d","contents":"x"}],"validate":{"shell":["echo; rm -rf /"]}}
{"id":"secret","mutations":[{"path":"secret/key","contents":"x"}]}
{"id":"deploy","mutations":[{"path":"deploy/x","contents":"x"}]}
{"id":"many","mutations":[{"path":"1","contents":"x"},{"path":"2","contents":"x"},{"path":"3","contents":"x"},{"path":"4","contents":"x"}]}
END
is 'one without commands runs' "$(where_is quiet)" completed
is 'one whose commands are allowed' "$(where_is allowed)" completed
is 'one whose command is more than is allowed waits' "$(where_is shell)" held
is 'for approval' "$(why_held shell)" approval
is 'a denied command is forbidden' "$(outcome denied .reason)" forbidden
like 'by the rule that says so' "$(outcome denied .error)" \
    "$CONF:$(line_of 'rm +-rf'): deny"
like 'a denied path as well' "$(outcome secret '"\(.reason) \(.error)"')" \
    "forbidden .*secret/key.*:$(line_of 'secret/')"
is 'a held path waits' "$(why_held deploy)" approval
is 'and many files' "$(why_held many)" approval
ls "$ws" >seen
is 'nothing of them is there' "$(tr '\n' ' ' <seen)" 'a b '
is 'each is told once' "$(alerts | sort | tr '\n' ' ')" \
    'deploy false many false shell false '
ok 'they go on waiting' once
is 'and are not told again' "$(alerts | wc -l)" 3
like 'queue says why' "$(pf queue MAIN)" 'shell .*needs approval since .*approve is shell'
like 'show says what would run' "$(pf show shell)" 'test -e c && true'
like 'status counts them' "$(pf --json status | jq -c '.queues[0].need_approval')" 3

# --- decisions
exits 1 'what does not wait cannot be approved' pf approve quiet
exits 1 'nor what nobody knows' pf approve nobody
exits 1 'retry does not go around it' sh -c 'patchflow retry shell && false;
    executor --once -c "$0" -q MAIN; patchflow --json show shell |
    jq -e ".[0].state != \"held\""' "$CONF"
exits 0 'with the executor down it is asked for' pf approve -m 'looks fine' shell
like 'and told' "$(cat "$T/out")" 'approve accepted'
exits 0 'another is rejected' pf reject -m 'not now' deploy
ok 'the executor gets to it' once
is 'the approved one runs' "$(outcome shell .state)" completed
is 'by whom it was approved' "$(outcome shell '"\(.approval.uid) \(.approval.comment)"')" \
    "$(id -u) looks fine"
is 'the other one is rejected' "$(outcome deploy '"\(.state) \(.reason)"')" \
    'rejected by-operator'
like 'with the words' "$(outcome deploy .error)" 'not approved by .*: not now'
is 'their alerts are resolved' "$(alerts | grep true | sort | tr '\n' ' ')" \
    'deploy true shell true '
exits 0 'one is cancelled' pf cancel many
ok 'which ends it' once
is 'its alert as well' "$(alerts | grep -c 'many true')" 1

# --- what the commands really did
ok 'commands that do more than the plan says' run_json <<'END'
{"id":"grows","mutations":[{"path":"e","contents":"x"}],"validate":{"shell":["test -e e"]},"postMutationBuild":{"shell":["test -e i"]}}
{"id":"sneaks","mutations":[{"path":"f","contents":"x"}],"validate":{"shell":["mkdir secret; echo >secret/x"]}}
{"id":"heavy","mutations":[{"path":"g","contents":"x"}],"validate":{"shell":["head -c 9999 /dev/zero >h"]}}
{"id":"tree","mutations":[{"path":"t","contents":"x"}],"validate":{"shell":["mkdir -p u/v; echo >u/v/k.pem"]}}
{"id":"wide","mutations":[{"path":"j","contents":"x"}],"validate":{"shell":["touch k l m n"]}}
END
ok 'are approved' pf approve sneaks heavy tree wide
ok 'and run' once
is 'a denied path is forbidden' "$(outcome sneaks '"\(.state) \(.reason)"')" \
    'rejected forbidden'
like 'in a new directory, too' "$(outcome tree '"\(.reason) \(.error)"')" \
    'forbidden path u/v/k.pem'
is 'so are too many bytes' "$(outcome heavy .reason)" forbidden
is 'what nobody could see before is asked for' \
    "$(where_is wide)/$(pf --json show wide | jq -r '.[0].held.why' |
    sed 's/.*: \([0-9]* files\):.*/\1/')" 'held/5 files'
ok 'it waits on' once
is 'and does not run meanwhile' "$(runs_of wide)" 1
ok 'approved once more' pf approve -m 'so many' wide
ok 'it runs' once
is 'to its end' "$(outcome wide '"\(.state) \(.approval.comment)"')" \
    'completed so many'
ok 'nothing of it is there' test ! -e "$ws/secret" -a ! -e "$ws/h"
sed -i 's/test -e \[a-z\]\*/touch p; mkdir z; cd z; touch 1 2 3|&/' "$CONF"
cat >much.json <<'END'
{"id":"much","mutations":[{"path":"o","contents":"x"}],"validate":{"shell":["touch p; mkdir z; cd z; touch 1 2 3"]}}
END
exits 0 'a dry run of an allowed command that changes much' \
    pf dry-run -q MAIN much.json
like 'says what it would wait for' "$(cat "$T/out")" \
    "^ *approval +.*:$(line_of 'files: 3'): hold"
ok 'such a command' run_json <much.json
is 'waits when it has run' "$(where_is much)/$(why_held much)" held/approval
is 'is told' "$(alerts | grep -c 'much false')" 1
ok 'and waits on' once
ok 'for as long as it takes' once
is 'without being run again' "$(runs_of much)" 1
is 'or told again' "$(alerts | grep -c 'much false')" 1
ok 'and left nothing' test ! -e "$ws/p"
ok 'approved' pf approve much
ok 'it runs' once
is 'to its end' "$(outcome much .state)/$(ls "$ws/p")" "completed/$ws/p"

# --- an approval is of one attempt
ok 'one that will fail' run_json <<'END'
{"id":"again","mutations":[{"path":"u","contents":"x"}],"validate":{"shell":["false"]}}
END
ok 'is approved and fails' sh -c 'patchflow approve again && executor --once -c "$0" -q MAIN' "$CONF"
is 'as it would' "$(outcome again .stage)" validation
ok 'its retry' sh -c 'patchflow retry again && executor --once -c "$0" -q MAIN' "$CONF"
is 'waits for approval again' "$(where_is again | sort -u)/$(why_held again)" held/approval
is 'and is told again' "$(alerts | grep -c 'again false')" 2

# --- holds, dependencies, expiry
ok 'more that waits' run_json <<END
{"id":"late","expires":"$(date -u -d '+2 seconds' +%FT%TZ)","mutations":[{"path":"v","contents":"x"}],"validate":{"shell":["true"]}}
{"id":"both","dependencies":["never"],"mutations":[{"path":"w","contents":"x"}],"validate":{"shell":["true"]}}
{"id":"third","dependencies":["both"],"mutations":[{"path":"w","contents":"x"}]}
{"id":"needs","dependencies":["late"],"mutations":[{"path":"w","contents":"x"}]}
END
ok 'a hold beside the approval' pf hold again
ok 'is noted' once
is 'and comes first' "$(why_held again)" operator
ok 'an approval then' pf approve again both
ok 'is taken' once
is 'but does not lift the hold' "$(where_is again | sort -u)" held
is 'nor the dependency' "$(why_held both)" dependency
like 'which is said' "$(pf queue MAIN)" 'waits for never \(not handed in yet\)'
like 'for the waiting one too' "$(pf show third)" 'waits for both@MAIN \(held\)'
ok 'retry lifts it' pf retry again
ok 'and it runs' once
is 'approved' "$(outcome again .attempt)" 2
expired() {
	once && [ "$(outcome late .reason)" = expired ]
}
await 'an unapproved one expires' expired
is 'and its dependent goes with it' "$(outcome needs .reason)" dependency-failed
is 'its alert is resolved' "$(alerts | grep -c 'late true')" 1

# --- which document and which attempt is meant

ok 'one more' run_json <<'END'
{"id":"exact","mutations":[{"path":"exact","contents":"x"}],"validate":{"shell":["true"]}}
END
# by_hand FILTER: an approval as patchflow would not ask for it, and the answer.
by_hand() {
	pf approve exact >"$T/out"
	checked "$(find "$SPOOL/MAIN/requests/new" -type f)" "$1"
	once
	first_lines "$(find "$SPOOL/MAIN/requests/done" -type f | sort | tail -n 1)" |
	    jq -r .answer
}
is 'an approval of another document is none' "$(by_hand '.digest = "0"')" \
    'another document has come under this id: look again'
is 'nor one of another attempt' "$(by_hand '.attempt = 7')" \
    'another document has come under this id: look again'
is 'nor one of what waits for something else' \
    "$(by_hand '.id = "third" | del(.digest)')" 'it does not wait for approval'
note=$(find "$SPOOL/state/executor@MAIN" -name '*-exact-*.json')
for other in '.approval.digest = "0"' '.approval.attempt = 7'; do
	checked "$note" ".approval.granted = true | $other"
	ok "where $other has been approved" once
	is 'it is asked for again' "$(where_is exact)/$(why_held exact)" held/approval
done
checked "$note" '.approval.granted = true'
is 'a dry run tells what its rules say all the same' "$(
    first_lines "$SPOOL"/MAIN/patches/.held/*-exact-*.json |
    executor --dry-run -c "$CONF" -q MAIN | jq -r .policy.verdict)" hold
ok 'where it is what was approved' once
is 'it runs' "$(outcome exact .state)" completed

# --- dry-run tells
echo '{"id":"try","mutations":[{"path":"x","contents":"x"}],"validate":{"shell":["true"]}}' >try.json
exits 0 'a dry run of one that would wait' pf dry-run -q MAIN try.json
like 'says so' "$(cat "$T/out")" 'approval +.*approve is shell'
echo '{"id":"try","mutations":[{"path":"secret/x","contents":"x"}]}' >try.json
exits 1 'one of a forbidden one' pf dry-run -q MAIN try.json
like 'names the rule' "$(cat "$T/out")" "would be rejected \(forbidden\)"

# --- wrong rules
sed -i 's/    approve: shell/    approve: always/; s/path: deploy/path: d, files: 2/; s/rm +-rf/rm (/; s/action: hold, files/action: allow, files/' "$CONF"
exits 78 'rules that cannot be' pf check-config
is 'each with its line' "$(grep -c ':[0-9]*: queues\[0\].rules\[[134]\]: ' "$T/out")" 3
done_testing
