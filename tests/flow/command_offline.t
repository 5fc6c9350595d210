#!/bin/sh
# SPDX-License-Identifier: ISC
# The command with the daemons down: everything that acts on the spool works
# and is durable, everything that needs the supervisor says so.
. "$(dirname "$0")/../harness/lib.sh"
plan 104
pf() { patchflow "$@"; }

cd "$T" || exit 1
exits 2 'no command is a usage error' pf
exits 2 'an unknown command is one' pf frobnicate
exits 2 'a command of a later day is one' pf rewind x
exits 2 'a near one, too' pf statsu
like 'and is guessed' "$(cat "$T/out")" 'did you mean status'
evil=$(printf 'ev\033[31mil.json')
echo '[1' >"$evil"
exits 65 'a document whose name is an order to the terminal' pf check "$evil"
is 'is refused without giving that order' "$(tr -cd '\033' <"$T/out" | wc -c)" 0
exits 1 'one that is not there' pf check "none-$evil"
is 'neither' "$(tr -cd '\033' <"$T/out" | wc -c)" 0
rm "$evil"
exits 0 'help' pf --help
exits 0 'of a verb, by its letter, too' pf status -h
like 'tells of it' "$(cat "$T/out")" '^usage: .* status'
like 'a wrong option is told with the verb' "$(pf status -x 2>&1)" \
    '^patchflow: -x is no option'
is 'and in the errors of --json' "$(pf --json status -x 2>/dev/null |
    jq -c '[.status, (.errors | length), .errors[0]]')" \
    '[2,2,"patchflow: -x is no option"]'
like 'a count that is none is told' "$(pf log -n x 2>&1)" \
    '^patchflow: "x" is no count'
exits 1 'a full disk behind the help is a failure' \
    sh -c 'patchflow --help >/dev/full'
exits 0 'version' pf --version
like 'names it' "$(cat "$T/out")" '^patchflow [0-9]+\.'
exits 78 'no configuration is 78' pf status
like 'and hints at init' "$(cat "$T/out")" 'patchflow init'

# --- init, check-config
mkdir "$T/home1" "$T/home2" && cd "$T/home1" || exit 1
exits 0 'init writes a configuration' pf init
exits 1 'and refuses to replace it' pf init
rm patchflow.yaml var/chat.md && pf init >/dev/null
ok 'what it needs is made beside what is there' test -f var/chat.md
exits 0 'which is a good one' pf check-config
like 'that was tried out' "$(cat "$T/out")" '^ok +MAIN +staging'
git init -q "$T/home2/alpha" && git init -q "$T/home2/beta.x"
exits 0 'init of another directory' pf init "$T/home2"
is 'gives each work tree a queue' "$(pf -c "$T/home2/patchflow.yaml" --json \
    status | jq -r '.queues[].name' | tr '\n' ' ')" 'ALPHA BETA_X '
cd "$T" || exit 1

printf '"x\\e[31m\\u009b": 1\n' >evil.yaml
exits 78 'a key that is an order to the terminal' pf -c evil.yaml status
is 'is told of without giving it' "$(tr -cd '\033\233' <"$T/out" | wc -c)" 0
rm evil.yaml
printf 'spool: sp\nqueues:\n- {name: A, workspac: x}\nbridge: {poll: never}\n' \
    >bad.yaml
exits 78 'a bad configuration is 78' pf -c bad.yaml check-config
is 'with every error and its line' "$(grep -c '^bad.yaml:[34]: ' "$T/out")" 3
like 'and a hint' "$(cat "$T/out")" 'workspac: unknown key; did you mean workspace'
write_config </dev/null
exits 0 'check-config of two queues' pf check-config
rm -rf "$T/ws/main"
exits 1 'a missing workspace is found' pf check-config
like 'and what to do' "$(cat "$T/out")" '^temporary +MAIN +workspace .*fix: make it'
mkdir "$T/ws/main"

# --- check, extract
printf '{"id": "a1", "target": "MAIN", "mutations": [{"path": "f", "contents": "x"}]}\n' >a1.json
printf 'id: y1\nmutations:\n  - {path: g, contents: "0755"}\n' >y1.yaml
printf '{"id": "b1",\n "mutations": [{"path": "f" "contents": "x"}]}\n' >bad.json
exits 0 'check accepts a patch' pf check a1.json
is 'and prints its canonical form' "$(pf check a1.json | jq -c \
    '[.id, .target, .mutations[0].op]')" '["a1",["MAIN"],"write"]'
is 'which is a patch again' "$(pf check a1.json | pf check -)" \
    "$(pf check a1.json)"
is 'as YAML, too' "$(pf check --yaml y1.yaml | pf check -)" "$(pf check y1.yaml)"
exits 65 'a malformed one is 65' pf check bad.json a1.json
like 'with file, line and column' "$(cat "$T/out")" '^bad.json:2:[0-9]+: .*\(malformed\)'
is 'JSON tells both' "$(pf --json check bad.json a1.json | jq -c \
    '[.[] | [.ok, .line]]')" '[[false,2],[true,null]]'
exits 1 'a file that is not there is 1' pf check nowhere.json
is 'and JSON tells why' "$(pf --json check nowhere.json 2>/dev/null |
    jq -c '[.ok, .status, (.errors | length)]')" '[false,1,1]'
printf '{"id": "t1", "mutations": [{"path": "f", "contents": "\\u202e"}]}\n' >t1.json
is 'what turns a line round is not printed as it is' \
    "$(pf check --yaml t1.json 2>/dev/null | grep -c '\\u202e')" 1
cat >chat.txt <<'END'
assistant: here you are

```json
{"role": "command_patch", "id": "in-chat", "mutations": [{"path": "f", "contents": "x"}]}
```

~~~yaml
id: no-role
mutations: [{path: f, contents: x}]
~~~

```json
{"role": "command_patch", "id": "broken", "mutations": [{"path": "f" "contents": "x"}]}
```

> ```json
> {"role": "command_patch", "id": "quoted", "mutations": [{"path": "f", "contents": "x"}]}
> ```
END
exits 0 'extract reads a chat' pf extract chat.txt
is 'and judges each block' "$(pf --json extract chat.txt |
    jq -r '.[] | "\(.line) \(.verdict) \(.id)"' | sed 's/bad-.*/bad/')" \
    '4 patch in-chat
8 near-miss no-role
13 refused bad
17 near-miss quoted'
exits 65 'check of a chat hints at extract' pf check chat.txt
like 'by name' "$(cat "$T/out")" 'patchflow extract chat.txt'

# --- submit
is 'submit prints the id' "$(pf submit a1.json 2>"$T/err")" a1
like 'and says that nobody takes it yet' "$(cat "$T/err")" 'bridge is not running'
is 'the file is in the inbox' "$(count_files "$SPOOL/inbox/new")" 1
is 'checked, with the text as it was' \
    "$(json "$SPOOL"/inbox/new/*.json .text)" "$(cat a1.json)"
exits 1 'what is in the inbox cannot be acted on' pf cancel a1
like 'and why not' "$(cat "$T/out")" 'called "a1"; what lies in the inbox has no id yet'
exits 65 'a bad document among good ones is 65' pf submit a1.json bad.json
is 'and nothing is handed in' "$(count_files "$SPOOL/inbox/new")" 1
exits 1 'an unknown queue is 1' pf submit -q NOPE a1.json
exits 2 'a wrong priority is 2' pf submit -p soon a1.json
is 'standard input, queue by alias, priority by word' \
    "$(pf submit -q dev -p high - <y1.yaml 2>/dev/null)" y1
is 'stand in the submission' "$(for f in "$SPOOL"/inbox/new/*.json; do
    json "$f" 'select(.name == "stdin") | "\(.queue) \(.priority)"'; done)" \
    'CYOPS 3'
exits 75 'waiting ends in time' pf submit --wait --timeout 300ms a1.json
is 'JSON names file, id and digest' "$(pf --json submit a1.json 2>/dev/null |
    jq -r '.[0] | "\(.file) \(.id) \(.digest | length)"')" 'a1.json a1 64'

# --- looking, with the bridge having run once
ghost-bridge --once -c "$CONF" >"$T/log/bridge" 2>&1
is 'queue lists them in the order of execution' "$(pf --json queue |
    jq -r '.[] | "\(.queue) \(.state) \(.priority) \(.id)"' | sort)" \
    'CYOPS queued 3 y1
MAIN queued 5 a1'
is 'of one queue, by alias' "$(pf --json queue braun | jq -r '.[].id')" a1
exits 0 'for people' pf queue
like 'in columns' "$(cat "$T/out")" '^MAIN +queued +5 +1 '
exits 0 'show' pf show a1
like 'says the state' "$(cat "$T/out")" '^a1@MAIN  queued'
is 'all of it as JSON' "$(pf --json show a1@MAIN |
    jq -r '.[0] | "\(.state) \(.attempt) \(.revisions | length) \(.job.patch.id)"')" \
    'queued 1 1 a1'
exits 1 'an unknown id is 1' pf show nobody
exits 1 'so it is in the wrong queue' pf show a1@CYOPS
exits 75 'wait ends in time' pf wait --timeout 200ms a1
key=$(pf --json show a1 | jq -r '.[0].key')
printf '{"at":"2026-01-01T00:00:00.000Z","event":"requeued","key":"%s"}\n' \
    "$key" "${key%?}x" >>"$SPOOL/journal/executor@MAIN.log"
is 'log tells of what has the key alone' \
    "$(pf --json log a1 | grep -c '"requeued"')" 1
exits 0 'log tells of it' pf log a1
# Two daemons write within a millisecond.
for f in executor@MAIN:started ghost-bridge:queued; do
	printf '{"at":"2026-01-01T00:00:00.000Z","event":"%s","id":"first"}\n' \
	    "${f#*:}" >>"$SPOOL/journal/${f%:*}.log"
done
is '... and of its queueing first' \
    "$(pf --json log first | jq -r .event | xargs)" 'queued started'
like 'with daemon and event' "$(cat "$T/out")" 'ghost-bridge +queued +a1@MAIN'
exits 69 'status without a supervisor is 69' pf status
like 'but shows the queues' "$(cat "$T/out")" '^MAIN +open +1 '
exits 69 'health says that the suite is down' pf health
exits 0 'alerts' pf alerts --history
ok 'log -f ends with its reader' timeout 20 sh -c 'patchflow log -f | head -n 1'
exits 0 'fsck finds the spool whole' pf fsck

# --- JSON: one document from each verb, also where there is no result

json_of() {
	patchflow "$@" </dev/null >"$T/j.out" 2>"$T/j.err"
	jq -es 'length == 1' <"$T/j.out" >/dev/null || echo "$*"
}
for verb in $(patchflow --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'); do
	case $verb in
	help | up) continue ;; # text; starts something
	init) arg=$T/none/such ;;
	check | dry-run | extract | submit) arg=bad.json ;;
	pause | resume) arg=NOPE ;;
	show | wait | retry | hold | approve | reject | cancel | undo | log)
		arg=nobody ;;
	start | stop | restart) arg=all ;;
	*) arg= ;;
	esac
	# shellcheck disable=SC2086 # none is none
	{
		[ $verb = log ] || json_of --json $verb $arg # a line each
		json_of -c none.yaml --json $verb $arg
		json_of --json $verb --no-such-option
	}
done >"$T/not-json"
is 'each verb answers --json with one document' "$(cat "$T/not-json")" ''
json_of --json -c bad.yaml queue
is 'an error has its status and what was said' \
    "$(jq -c '[.ok, .status, (.errors | length)]' "$T/j.out")" '[false,78,3]'
odd=$(printf '\377').json
cp a1.json "$odd"
is 'a file whose name is no text is told of' \
    "$(pf --json check "$odd" | jq -r '.[].id')" a1
printf '{"id":"c1","mutations":[{"path":"x","contents":"\\u009b\\u007f\\u202e"}]}' >c1.json
is 'what acts on terminals is escaped' "$(pf check c1.json | grep contents)" \
    '      "contents": "\u009b\u007f\u202e"'

# --- acting
exits 0 'a request by one who has closed all streams' \
    sh -c 'patchflow pause MAIN <&- >&- 2>&-; [ $? -le 1 ]'
is 'is whole' "$(json "$SPOOL"/MAIN/requests/new/*.json .verb)" pause
rm -f "$SPOOL"/MAIN/requests/new/*
exits 0 'hold is accepted' pf hold a1
like 'for later' "$(cat "$T/out")" 'hold accepted, will be done'
is 'durably' "$(json "$SPOOL"/MAIN/requests/new/*.json '"\(.verb) \(.id)"')" 'hold a1'
exits 1 'retry of a queued patch makes no sense' pf retry a1
like 'and says why' "$(cat "$T/out")" 'a1@MAIN is queued: only a failed or held'
exits 1 'cancel of nothing' pf cancel nobody
exits 2 'a reason that would be cut' pf cancel -r "$(printf '%256s' x)" a1
like 'is refused with both lengths' "$(cat "$T/out")" 'at most 255 bytes, this one 256'
exits 0 'pause of a queue by alias' pf pause BRAUN
exits 1 'pause of no queue' pf pause NOPE
for order in 'stop alertd' 'start all' 'restart executor' reload down; do
	# shellcheck disable=SC2086 # words
	exits 69 "$order needs the supervisor" pf $order
done
