# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# A dry run shows what a patch would do and leaves nothing: not in the
# workspace, not in the spool, not beside a patch that runs meanwhile.
. "$(dirname "$0")/executor.sh"
write_config </dev/null
cd "$T" || exit 1
printf 'one\ntwo\n' >"$ws/a.txt"
mkdir "$ws/dir"
touch -d '2001-02-03 04:05:06' "$ws/a.txt" "$ws/dir" "$ws"
cat >good.json <<'END'
{"id":"good","target":"MAIN","mutations":[{"path":"a.txt","edits":[{"find":"two","replace":"2"}]},{"path":"dir/new","contents":"n\n"}],"validate":{"shell":["cat a.txt; rm -r dir; sleep 0.1"]}}
END
cat >bad.json <<'END'
{"id":"bad","target":"MAIN","mutations":[{"path":"a.txt","contents":"x"}],"validate":{"shell":["echo said; exit 3"]}}
END
cat >plain.json <<'END'
{"id":"plain","target":"BOTH","mutations":[{"path":"p","contents":"x"}]}
END
echo '{"id": "x", ' >broken.json
spooled() {
	find "$SPOOL" -type f ! -path '*/run/*' | sort
}

exits 0 'a patch that would succeed' patchflow dry-run good.json
like 'which is said' "$(cat "$T/out")" '^good@MAIN: would be completed'
like 'with its commands' "$(cat "$T/out")" 'validate, exit 0'
like 'and what they said' "$(cat "$T/out")" '^    \| one$'
like 'its changes' "$(cat "$T/out")" 'modified +a.txt'
like 'and a diff' "$(cat "$T/out")" '^\+2$'
is 'no file lies in the spool' "$(spooled)" ''
is 'nothing is staged' "$(find "$SPOOL" "$T/ws" -name '*dry*' -o -name '.patchflow*')" ''

cat >name.json <<'END'
{"id":"name","target":"MAIN","mutations":[{"path":"n","contents":"n\n"}],"validate":{"shell":["mv n \"$(printf 'n\\n+++ other\\n@@ -0,0 +1 @@\\n+lie')\""]}}
END
exits 0 'a name with lines in it' patchflow dry-run name.json
like 'adds none to the diff' "$(cat "$T/out")" '^\+\+\+ "b/n\\n\+\+\+ other\\n'
is 'that could be taken for its own' "$(grep -c '^+lie' "$T/out")" 0

snapshot "$ws" >before
exits 1 'one that would fail' patchflow dry-run bad.json
like 'and where' "$(cat "$T/out")" '^bad@MAIN: would be failed \(validation\)'
exits 65 'one that is none' patchflow dry-run broken.json
like 'has its line' "$(cat "$T/out")" '^broken.json:[12]:'
exits 2 'two at once are a usage error' patchflow dry-run good.json bad.json
exits 1 'an unknown queue is refused' patchflow dry-run -q NOPE good.json
exits 0 'from standard input, into all queues it names' \
    sh -c 'patchflow --json dry-run - <plain.json >both.json'
is 'as JSON' "$(jq -r '.[] | "\(.queue) \(.state) \(.unvalidated)"' both.json)" \
    'MAIN completed true
CYOPS completed true'
exits 1 'into another queue' patchflow dry-run -q DEV good.json
like 'where its edit fails' "$(cat "$T/out")" \
    '^good@CYOPS: would be failed \(mutation\)'
snapshot "$ws" >after
is 'the tree is as it was, times included' "$(diff before after)" ''
is 'and the spool' "$(spooled)" ''

# --- beside the executor at work
start executor executor -f -c "$CONF" -q MAIN
queue_json >/dev/null <<END
{"id":"long","mutations":[{"path":"l","contents":"x"}],"validate":{"shell":["sleep 4718.$$; true"]}}
END
# What the executor is about to write of itself is its own.
settled() {
	spooled | grep -v '/tmp/[^/]*\.tmp$'
}
is_running() {
	[ "$(where_is "$1")" = running ] && pgrep -xf "sleep 4718.$$" >/dev/null
}
await 'a patch runs' is_running long
settled >spool.before
exits 0 'another one is tried meanwhile' patchflow dry-run good.json
is 'the first one still runs' "$(where_is long)" running
settled >spool.after
is 'its spool was left alone' "$(diff spool.before spool.after)" ''
pkill -KILL -xf "sleep 4718.$$"
await 'it ends as it would have' ended_as long completed
stop executor

# --- interrupted
cat >slow.json <<END
{"id":"slow","mutations":[{"path":"s","contents":"x"}],"validate":{"shell":["sleep 4719.$$"]}}
END
start dry executor --dry-run -c "$CONF" -q NOPE
fails 'without a job it is nothing' wait "$(pid_of dry)"
start dry patchflow dry-run -q MAIN slow.json
await 'a slow one is tried' pgrep -f "sleep 4719.$$"
pkill -TERM -P "$(pid_of dry)" executor
await 'interrupted, it ends' stopped dry
is 'its command as well' "$(pgrep -f "sleep 4719.$$" | wc -l)" 0
is 'and nothing stays' "$(find "$SPOOL/state" -name '*dry*')" ''
start dry patchflow dry-run -q MAIN slow.json
await 'once more' pgrep -f "sleep 4719.$$"
pkill -KILL -P "$(pid_of dry)" executor
await 'killed' stopped dry
ok 'the executor sweeps what is left' once
is 'all of it' "$(find "$SPOOL/state" -name '*dry*')" ''
done_testing
