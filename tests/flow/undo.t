#!/bin/sh
# SPDX-License-Identifier: ISC
# undo ID: the exact before-image, or a refusal that names what has changed;
# a patch of its own; retention of what it needs.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config </dev/null
place=$SPOOL/state/executor@MAIN/txn

pf() {
	patchflow -c "$CONF" "$@"
}
# undo ID: the request, its execution and the summaries.
undo() {
	pf undo "$1" >"$T/undo.out" 2>&1 && once 2>/dev/null &&
	    summarizer --once -c "$CONF" 2>/dev/null
}
run_all() {
	queue_json >/dev/null && once 2>/dev/null &&
	    summarizer --once -c "$CONF" 2>/dev/null
}
same_as() {
	image >"$T/image.now"
	diff "$1" "$T/image.now"
}
is_kept() {
	[ -n "$(find "$place/.undo" -maxdepth 1 -name "*-$1-*")" ]
}

mkdir -p "$ws/dir/sub" "$ws/tree/deep" "$ws/swap"
echo a >"$ws/a"
echo b >"$ws/dir/b"
chmod 0600 "$ws/dir/b"
touch -d '2020-02-02 02:02:02' "$ws/dir/b"
echo c >"$ws/tree/deep/c"
printf '\000\377' >"$ws/tree/binary"
ln -s a "$ws/link"
echo e >"$ws/swap/e"
setfattr -n user.note -v kept "$ws/a" 2>/dev/null

# --- everything comes back

image >"$T/before"
ok 'a patch of every kind runs' run_all <<'END'
{"id":"all","mutations":[{"path":"a","contents":"new\n"},{"path":"dir/b","contents":"new b\n","mode":"0755"}],"postMutationBuild":{"shell":["rm -rf tree link swap; echo f > swap; ln -s dir link; mkdir -p made/deep; echo m > made/deep/m; chmod 750 dir"]},"validate":{"shell":["true"]}}
END
is 'it is completed' "$(outcome all .state)" completed
ok 'and its transaction kept' is_kept all
fails 'the tree is another one' same_as "$T/before"
ok 'it is undone' undo all
is 'the tree is as it was, inodes and times too' "$(same_as "$T/before")" ''
if getfattr -n user.note "$ws/a" >/dev/null 2>&1; then
	like 'attributes too' "$(getfattr -n user.note "$ws/a")" 'user.note="kept"'
else
	skip 1 'no extended attributes here'
fi
is 'the patch is undone' "$(pf --json show all | jq -r '.[0].state')" undone
is 'by a patch of its own' "$(outcome undo:all '"\(.state) \(.undoes.id)"')" \
    'completed all'
like 'with a summary' "$(cat "$T"/replies/*undo*all*)" 'Takes back all'
is 'which lists what it did' \
    "$(outcome undo:all '[.changes[] | select(.path == "made/deep/m").op][0]')" \
    deleted
fails 'nothing is kept of it' is_kept all
fails 'again is refused' pf undo all
like 'and said' "$(pf undo all 2>&1)" 'undone already'
ok 'nothing is left over' tidy
is 'fsck finds nothing' "$(pf fsck 2>&1 | grep -c undo)" 0

# --- names are bytes

image >"$T/before"
run_all <<'END'
{"id":"bytes","postMutationBuild":{"shell":["mkdir odd; echo 1 >odd/$(printf '\\377x'); echo 2 >$(printf 'n\\233')"]},"validate":{"shell":["true"]}}
END
is 'names that are no text are told, and said exactly beside it' \
    "$(outcome bytes '[.changes[] | .hex] | sort | map(. // "-") | join(" ")')" \
    '- 6e9b 6f64642fff78'
odd=$ws/odd/$(printf '\377x')
undone=$(stat -c %y "$odd")
echo 3 >"$odd"
touch -d "$undone" "$odd"
undo bytes
is 'a change of such a file is seen' "$(outcome undo:bytes '.conflicts[0].hex')" \
    6f64642fff78
echo 1 >"$odd"
ok 'taken back, it can be undone' undo bytes
is 'the tree is as it was' "$(same_as "$T/before")" ''
is 'and each is told of' \
    "$(outcome undo:bytes '[.changes[].op] | sort | join(" ")')" \
    'deleted deleted deleted'

# --- the same id again, and its undo

run_all <<'END'
{"id":"again","mutations":[{"path":"a","contents":"one\n"}]}
END
undo again
cat >"$T/two.json" <<'END'
{"id":"again","target":"MAIN","mutations":[{"path":"a","contents":"two\n"}]}
END
ok 'the id is handed in again' pf submit "$T/two.json"
ghost-bridge --once -c "$CONF" >/dev/null 2>&1
once && summarizer --once -c "$CONF"
is 'as the next attempt' "$(cat "$ws/a") $(pf --json show again |
    jq -r '.[0].state')" 'two completed'
ok 'that is undone as well' undo again
is 'and the tree is as it was' "$(cat "$ws/a")" a
is 'with a second outcome' "$(outcome_files undo:again | wc -l)" 2

# --- refusals

run_all <<'END'
{"id":"mod","mutations":[{"path":"a","contents":"mod\n"},{"path":"fresh/x","contents":"x\n"},{"path":"dir/b","delete":true}]}
END
image >"$T/after"
echo mine >>"$ws/a"
echo mine >"$ws/fresh/y"
echo mine >"$ws/dir/b"
undo mod
is 'an undo that meets changes fails' \
    "$(outcome undo:mod '"\(.state) \(.stage)"')" 'failed conflict'
is 'and names each' "$(outcome undo:mod '.warnings[]' | sort | tr '\n' ',')" \
    'a was changed,dir/b was made again,fresh/y is new or was changed,'
is 'nothing is changed' "$(cat "$ws/a" "$ws/fresh/y" "$ws/dir/b" | tr '\n' ,)" \
    'mod,mine,mine,mine,'
is 'it is still completed' "$(pf --json show mod | jq -r '.[0].state')" completed
ok 'and still kept' is_kept mod
rm "$ws/fresh/y" "$ws/dir/b"
echo mod >"$ws/a"
ok 'when that is taken back' undo mod
is 'it can be undone' "$(pf --json show mod | jq -r '.[0].state')" undone

run_all <<'END'
{"id":"modes","mutations":[{"path":"a","contents":"modes\n"}],"postMutationBuild":{"shell":["mkdir -p m/d; echo 1 >m/d/x; echo 2 >m/d/y; chmod 711 dir"]},"validate":{"shell":["true"]}}
END
chmod 0600 "$ws/a"
chmod 0700 "$ws/m/d"
chmod 0755 "$ws/dir"
rm "$ws/m/d/y"
undo modes
is 'modes are changes, too, and what is missing' \
    "$(outcome undo:modes '.warnings[]' | sort | tr '\n' ',')" \
    'a has another mode,dir has another mode or owner,m/d has another mode,m/d/y was removed,'
chmod 0644 "$ws/a"
chmod 0755 "$ws/m/d"
chmod 0711 "$ws/dir"
echo 2 >"$ws/m/d/y"
ok 'made so again' undo modes
is 'it can be undone' "$(cat "$ws/a") $(ls -d "$ws/m" 2>/dev/null)" 'a '

run_all <<'END'
{"id":"first","mutations":[{"path":"a","contents":"first\n"}]}
{"id":"second","mutations":[{"path":"a","contents":"second\n"}]}
END
undo first
is 'a patch below another one is refused' "$(outcome undo:first .stage)" conflict
undo second
undo first
is 'until that is undone' "$(cat "$ws/a")" a

fails 'an unknown id is refused' pf undo nobody
run_all <<'END'
{"id":"bad","mutations":[{"path":"a","contents":"x"}],"validate":{"shell":["false"]}}
END
fails 'a failed patch too' pf undo bad

# --- git

if command -v git >/dev/null; then
	git -C "$ws" init -q -b main
	git -C "$ws" add -A
	git -C "$ws" commit -q -m start
	start=$(git -C "$ws" rev-parse HEAD)
	image >"$T/before"
	run_all <<'END'
{"id":"g1","mutations":[{"path":"g","contents":"g\n"}],"final":{"git":{"commit":"add g","tag":"v1"}}}
END
	is 'a commit is made' "$(git -C "$ws" log -1 --format=%s)" 'add g'
	touch "$ws/a"
	git -C "$ws" status >/dev/null # rewrites the index
	ok 'it is undone' undo g1
	is 'HEAD is what it was' "$(git -C "$ws" rev-parse HEAD)" "$start"
	is 'the tag is gone' "$(git -C "$ws" tag)" ''
	is 'the repository is whole' "$(git -C "$ws" fsck 2>&1 | grep -v dangling)" ''
	is 'and clean' "$(git -C "$ws" status --porcelain)" ''
	run_all <<'END'
{"id":"g2","mutations":[{"path":"g","contents":"g2\n"}],"final":{"git":{"commit":"add g2"}}}
END
	start=$(git -C "$ws" rev-parse HEAD)
	image >"$T/before"
	run_all <<'END'
{"id":"g3","mutations":[{"path":"g","contents":"g3\n"}],"final":{"git":{"commit":"g3","tag":"deep/v3"}}}
{"id":"g4","mutations":[{"path":"g","contents":"g4\n"}],"final":{"git":{"commit":"g4","tag":"deep/v4"}}}
END
	undo g3
	is 'below a later patch it is refused' "$(outcome undo:g3 .stage)" conflict
	undo g4
	undo g3
	is 'commits are undone from the newest on' \
	    "$(outcome undo:g4 .state) $(outcome undo:g3 .state) $(
	    git -C "$ws" rev-parse HEAD)" "completed completed $start"
	is 'and the tree is as it was' "$(same_as "$T/before")" ''
	git -C "$ws" commit -q --allow-empty -m later
	undo g2
	is 'below a later commit it is refused' "$(outcome undo:g2 .stage)" conflict
	git -C "$ws" reset -q --soft HEAD~1
else
	skip 10 'no git here'
fi

# --- retention

run_all <<'END'
{"id":"old","mutations":[{"path":"o","contents":"x"}]}
END
ok 'a patch is kept' is_kept old
printf 'retention:\n  transactions_age: 0\n' >>"$CONF"
run_all <<'END'
{"id":"none","mutations":[{"path":"n","contents":"x"}]}
END
fails 'with age 0 nothing is kept' is_kept none
pf undo none >/dev/null 2>&1
once
like 'and an undo says so' "$(cat "$SPOOL"/MAIN/requests/done/*.json)" \
    'not kept any more'

# By age, also behind one that came earlier and ended later.
sed -i '/^retention/,$d' "$CONF"
printf 'retention:\n  transactions_age: 1h\n' >>"$CONF"
run_all <<'END'
{"id":"aged","mutations":[{"path":"y","contents":"x"}]}
END
ok 'one of a moment ago is kept for an hour' is_kept old
# shellcheck disable=SC2317 # await runs it
is_older() {
	[ $(($(date +%s) - $(stat -c %Z "$place"/.undo/*-aged-*/DONE))) -gt 4 ]
}
await 'when it is older' is_older
touch "$place"/.undo/*-old-*/DONE
sed -i 's/transactions_age: 1h/transactions_age: 4s/' "$CONF"
run_all <<'END'
{"id":"fresh","mutations":[{"path":"y","append":"x"}]}
END
fails 'it is not kept for less' is_kept aged

# By bytes: also of those that one executor has kept since it began.
sed -i 's/transactions_age: 4s/transactions_bytes: 3M/' "$CONF"
for i in 1 2 3 4; do
	head -c 1200000 /dev/zero >"$ws/large$i"
	echo "{\"id\":\"large$i\",\"mutations\":[{\"path\":\"large$i\",\"contents\":\"x\"}]}"
done >"$T/large"
run_all <"$T/large"
fails 'the oldest of too many bytes goes' is_kept large1
ok 'the newest stays' is_kept large4

# An editor had it open, and wrote into what was displaced: that is kept.
echo late >>"$(find "$place/.undo" -path '*-large4-*/new/*' -type f)"
sed -i 's/transactions_bytes: 3M/transactions_bytes: 1M/' "$CONF"
run_all <<'END'
{"id":"last","mutations":[{"path":"large3","contents":"y"}]}
END
fails 'what was written to is not kept for undo' is_kept large4
is 'but for its writer' "$(find "$place" -path '*/.kept-*' -type f \
    -exec tail -c 5 {} + | grep -ac late)" 1
like 'who is told' "$(cat "$SPOOL"/alerts/new/*)" \
    'displaced-changed.*large4 was written by a process'

# --- wait
sed -i '/^retention/,$d' "$CONF"
start executor executor -f -c "$CONF" -q MAIN
start summarizer summarizer -f -c "$CONF"
queue_json >/dev/null <<'END'
{"id":"live","mutations":[{"path":"live","contents":"x"}]}
END
await 'a patch is completed' pf wait --timeout 20s live
ok 'undo waits for its summary' pf undo --wait --timeout 20s live
fails 'then it is done' test -e "$ws/live"
stop executor
stop summarizer
done_testing
