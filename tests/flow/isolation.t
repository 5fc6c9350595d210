#!/bin/sh
# SPDX-License-Identifier: ISC
# The ways to run commands, by configuration and where the machine forbids
# the better ones: which is taken, who is told, and that others' work in the
# workspace stays theirs.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_way overlay
write_config </dev/null
mkdir -p "$ws/dir"
echo one >"$ws/a"
echo his >"$ws/b"
give_scratch

# with LINE: of the queue, in place of the last one.
with() {
	sed -i "/^    [a-z_]*isolation:/d" "$CONF"
	[ -z "$1" ] ||
	    sed -i "s|^    aliases: \[BRAUN\]|&\n    $1|" "$CONF"
}
# bare COMMAND...: as in a container.
bare() {
	nonamespace "$BUILD_DIR/bin/executor" --once -c "$CONF" -q MAIN
}
alerts() {
	raised isolation-weak '"\(.severity) \(.resolved)"'
	rm -f "$SPOOL"/alerts/new/*
}

# holes FILE...: 8 MiB with one block in the middle; are they the same as one that
# was just made, and still sparse? An overlay copies a MiB at a time.
holes() {
	rm -f "$T/holes"
	truncate -s 8M "$T/holes"
	echo middle | dd of="$T/holes" bs=4096 seek=1024 conv=notrunc status=none
	for file in "$@"; do
		cmp -s "$T/holes" "$file" && echo same
		[ "$(du -k "$file" | cut -f 1)" -le \
		    "$(($(du -k "$T/holes" | cut -f 1) + 2048))" ] && echo sparse
	done
}

# way NAME ISOLATION RUN: success, failure, a directory in the place of another,
# and a human who works beside it.
way() {
	mkdir -p "$ws/old/in" "$ws/next/in"
	echo old | tee "$ws/old/f" "$ws/old/in/f" >"$ws/old/in/more"
	echo "$1" | tee "$ws/next/f" >"$ws/next/in/f"
	holes
	rm -f "$ws/touched"
	cp --sparse=always "$T/holes" "$ws/holes"
	cp --sparse=always "$T/holes" "$ws/touched"
	chown -R --reference="$ws" "$ws/old" "$ws/next" "$ws/holes" "$ws/touched"
	queue_json >/dev/null <<END
{"id":"$1-good","mutations":[{"path":"a","contents":"$1\\n"}],"validate":{"shell":["grep -q $1 a; mkdir new-$1; echo made >new-$1/f; rm -rf dir; mkdir dir; echo in >dir/$1"]}}
{"id":"$1-bad","mutations":[{"path":"a","contents":"bad\\n"}],"validate":{"shell":["rm -rf dir; chmod 700 .; exit 3"]}}
{"id":"$1-swap","validate":{"shell":["mv old last && mv next old && rm -r last && grep -q $1 old/in/f"]}}
{"id":"$1-sparse","mutations":[{"path":"holes","rename":"moved"}]}
{"id":"$1-sparse2","validate":{"shell":["chmod 600 touched"]}}
{"id":"$1-plain","mutations":[{"path":"p","contents":"$1\\n"}]}
END
	ok "$1: runs" "$3"
	is "$1: as $2" "$(outcome "$1-good" .isolation)/$(
	    outcome "$1-good" .state)" "$2/completed"
	is "$1: with its effects" "$(cat "$ws/a" "$ws/new-$1/f" "$ws/p"; ls "$ws/dir")" \
	    "$(printf '%s\nmade\n%s\n%s' "$1" "$1" "$1")"
	is "$1: a directory takes the place of another" \
	    "$(outcome "$1-swap" .state) $(cd "$ws" && grep -r . old next 2>&1 |
	        sort | tr '\n' ' ')" \
	    "completed grep: next: No such file or directory old/f:$1 old/in/f:$1 "
	is "$1: a sparse file stays one" \
	    "$(holes "$ws/moved" "$ws/touched" | tr '\n' ' ')$(
	        stat -c %a "$ws/touched")" 'same sparse same sparse 600'
	rm -f "$ws/moved"
	is "$1: a failure has none" "$(outcome "$1-bad" .stage) $(
	    stat -c %a "$ws")" "validation $mode"
	ok "$1: nothing is left" tidy
	is "$1: nor is a list of the clone kept for an undo" \
	    "$(find "$SPOOL/state/executor@MAIN/txn" -name DIRS)" ''
}
mode=$(stat -c %a "$ws")
way auto overlay once
is 'nobody is alerted' "$(alerts)" ''
with 'isolation: copy'
way copy copy once
is 'the weaker way is alerted' "$(alerts)" 'warning false'
like 'the log says it at each start' "$(once 2>&1)" 'info: isolation copy'
is 'status shows it' "$(jq -r 'select(.isolation) | .isolation' \
    <"$SPOOL/state/executor@MAIN/queue.json" | head -n 1)" copy
ok 'summaries are made' summarizer --once -c "$CONF"
for id in copy-good copy-bad; do
	like "that of $id says it" "$(cat "$(summary_files $id)")" \
	    '^isolation: .?copy'
done

# A clone tells by the clock what was changed in it. What the mark says is what
# it would say had the clock been set back by an hour since.
nap="sleep 306.$$"
start executor executor -f -c "$CONF" -q MAIN
queue_json >/dev/null <<END
{"id":"clock","validate":{"shell":["echo late >>b; test -e woken || $nap || true"]}}
END
await 'a patch has changed its clone' pgrep -fx "$nap"
: >"$ws/woken"
mark=$(find "$SPOOL/state/executor@MAIN/txn" -name CLONED ! -path '*/.undo/*')
echo "$(($(cat "$mark") + 3600000000))" >"$mark"
woken_and await 'and ends when the clock was set back' ended_as clock completed
is 'by another run, with its change' "$(cat "$ws/b")" "$(printf 'his\nlate')"
like 'as the log says' "$(cat "$T/log/executor")" 'clock was set back'
stop executor
alerts >/dev/null
with ''
way again overlay once
is 'and the alert ended by the next start' "$(alerts)" 'info true'
way bare bare-copy bare
is 'a machine without namespaces is alerted' "$(alerts)" 'warning false'
like 'and says why' "$(jq -r .why <"$SPOOL/state/executor@MAIN/queue.json" |
    head -n 1)" 'overlay: making namespaces: Operation not permitted'

with 'isolation: mutations'
queue_json >/dev/null <<'END'
{"id":"m1","mutations":[{"path":"m","contents":"m"}]}
{"id":"m2","mutations":[{"path":"m","contents":"n"}],"validate":{"shell":["true"]}}
END
once
is 'mutations alone are carried out' "$(outcome m1 '"\(.state) \(.isolation)"')" \
    'completed mutations-only'
is 'commands are refused' "$(outcome m2 '"\(.state) \(.stage)"')" \
    'failed prepare'
with 'require_isolation: overlay'
queue_json >/dev/null <<'END'
{"id":"r1","mutations":[{"path":"r","contents":"r"}]}
END
bare
is 'required is required' "$(outcome r1 '"\(.state) \(.stage)"')" \
    'failed prepare'
exits 78 'and check-config says so' nonamespace "$BUILD_DIR/bin/executor" -n \
    -c "$CONF" -q MAIN

# --- a human beside a clone: his files are his, ours in both hands conflict

with 'isolation: copy'
queue_json >/dev/null <<'END'
{"id":"beside","mutations":[{"path":"a","contents":"ours\n"}],"validate":{"shell":["touch ready; perl -e 'select undef, undef, undef, 2' "]}}
END
start executor executor -f -c "$CONF" -q MAIN
staged() {
	ls -d "$SPOOL"/state/executor@MAIN/txn/*/upper/ready
}
await 'a patch works in its clone' staged
echo new >"$ws/his-new"
echo edited >"$ws/b"
await 'it is done' ended beside
stop executor
is 'what the human did meanwhile stays' "$(outcome beside .state) $(
    cat "$ws/b" "$ws/his-new" "$ws/a" 2>&1 | tr '\n' ' ')" \
    'completed edited new ours '
done_testing
