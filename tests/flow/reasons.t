#!/bin/sh
# SPDX-License-Identifier: ISC
# Why each command of a patch ended, in the outcome and in the summary; and
# those that were not reached. crash/limits.t has the limits of whole patches.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config </dev/null
give_scratch

# reasons ID: "phase reason" of its commands, on one line.
reasons() {
	outcome "$1" '[.commands[] | "\(.phase) \(.reason)"] | join(", ")'
}
run_json <<'END'
{"id":"good","mutations":[{"path":"x","contents":"x"}],"validate":{"shell":["true"]}}
{"id":"status","preMutationValidation":{"shell":["true"]},"mutations":[{"path":"x","contents":"y"}],"postMutationBuild":{"shell":["exit 3","true"]},"validate":{"shell":["true"]}}
{"id":"signal","mutations":[{"path":"x","contents":"y"}],"validate":{"shell":["kill -9 $$","true"]}}
{"id":"time","limits":{"command_timeout":"1s"},"mutations":[{"path":"x","contents":"y"}],"validate":{"shell":["sleep 30"]}}
{"id":"patch","limits":{"timeout":"1s"},"mutations":[{"path":"x","contents":"y"}],"validate":{"shell":["sleep 30","true"]}}
{"id":"size","limits":{"file_size":"1M","network":true},"mutations":[{"path":"x","contents":"y"}],"validate":{"shell":["head -c 3000000 /dev/zero >big; exit $?"]}}
{"id":"edit","mutations":[{"path":"x","edits":[{"find":"absent","replace":""}]}],"validate":{"shell":["true"]}}
{"id":"disk","limits":{"disk":"1M"},"mutations":[{"path":"x","contents":"y"}],"validate":{"shell":["head -c 3000000 /dev/zero >big; sleep 5","true"]}}
END
was=$(reasons good)
is 'one that went well' "$was" 'validate exit'
is 'a status, and what it kept from running' "$(reasons status)" \
    'preMutationValidation exit, postMutationBuild exit, postMutationBuild not-run, validate not-run'
is 'a signal' "$(reasons signal)" 'validate signal, validate not-run'
is 'its own time' "$(reasons time)" 'validate timeout'
is 'the time of the patch' "$(reasons patch)" \
    'validate timeout, validate not-run'
is 'the size of a file, told by a shell' "$(reasons size) $(
    outcome size .stage)" 'validate limit:file_size limit'
like 'with a warning of what it asked for in vain' \
    "$(outcome size .warnings)" 'allows no network'
is 'and nobody else' "$(outcome status '.warnings | length')" 0
like 'with the number' "$(outcome size .error)" 'limit of 1048576 bytes for a file'
is 'an edit that was not found' "$(reasons edit)" 'validate not-run'
is 'a limit of the patch as a whole' "$(reasons disk)" \
    'validate limit:disk, validate not-run'

# --- what ends it from outside

queue_json >/dev/null <<END
{"id":"asked","mutations":[{"path":"x","contents":"y"}],"validate":{"shell":["sleep 4741.$$"]}}
END
start executor executor -f -c "$CONF" -q MAIN
await 'a patch runs' pgrep -f "sleep 4741.$$"
ok 'an operator cancels it' patchflow cancel asked
await 'it ends' ended asked
is 'as cancelled' "$(reasons asked)" 'validate cancelled'
queue_json >/dev/null <<END
{"id":"shot","mutations":[{"path":"x","contents":"y"}],"validate":{"shell":["sleep 4742.$$"]}}
END
await 'another one runs' pgrep -f "sleep 4742.$$"
pkill -KILL -P "$(pid_of executor)"
await 'its jail is killed by somebody' ended shot
is 'as killed' "$(reasons shot)" 'validate killed'
stop executor

# --- the summaries say it as well

ok 'summaries are made' summarizer --once -c "$CONF"
says() {
	cat "$(summary_files "$1")"
}
like 'what was not run' "$(says status)" '^   not run$'
like 'what a limit ended' "$(says disk)" '^   ended by the limit of disk$'
like 'for programs too' "$(says disk | sed -n '/^commands:/,/^[a-z_]*:$/p')" \
    'reason: .?limit:disk'
like 'and who asks by the command' "$(patchflow show status)" \
    'validate not-run: true'
done_testing
