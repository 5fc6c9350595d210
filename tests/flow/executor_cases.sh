# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# What an executor does with patches of every kind; as root and as a user.
. "$(dirname "$0")/executor.sh"
isolation=${isolation:-$(way_here)}
write_config </dev/null
case $isolation in
copy)	sed -i "s|^    aliases: \[BRAUN\]|&\n    isolation: copy|" "$CONF" ;;
bare-copy)
	executor() {
		nonamespace "$BUILD_DIR/bin/executor" "$@"
	} ;;
esac
printf 'one\ntwo\nthree\n' >"$ws/a.txt"
mkdir -p "$ws/dir/sub"
echo keep >"$ws/dir/keep"
echo gone >"$ws/dir/sub/gone"
printf 'x\r\ny\r\n' >"$ws/dos.txt"
ln -s a.txt "$ws/link"
echo '#!/bin/sh' >"$ws/run.sh"

# --- success

ok 'runs a patch with commands' run_json <<'END'
{"id":"good","mutations":[{"path":"a.txt","edits":[{"find":"two","replace":"2"}]},{"path":"new/deep/file","contents":"hi\n","mode":"0600"}],"postMutationBuild":{"shell":["cat new/deep/file > built; pwd; id -u"]},"validate":{"shell":["grep -q 2 a.txt"]}}
END
is 'which is completed' "$(outcome good .state)/$(where_is good)" \
    completed/completed
is 'its edit is there' "$(sed -n 2p "$ws/a.txt")" 2
is 'and what its command made' "$(cat "$ws/built")" hi
is 'with the mode that it asked for' "$(stat -c %a "$ws/new/deep/file")" 600
[ "$isolation" = bare-copy ] || is 'in the workspace at its own path' \
    "$(outcome good '.commands[0].output_head' | head -n 1)" "$ws"
is 'as the owner of the workspace' \
    "$(outcome good '.commands[0].output_head' | sed -n 2p)" "$(stat -c %u "$ws")"
is 'isolated as expected' "$(outcome good .isolation)" "$isolation"
is 'its changes are told' "$(outcome good \
    '[.changes[] | select(.op != "directory") | "\(.op) \(.path)"] | sort | join(", ")')" \
    'added built, added new/deep/file, modified a.txt'
like 'with a diff' "$(outcome good .diff)" '^\+2$'
ok 'nothing of the transaction is left' tidy

mkdir "$ws/old"
ln -s a.txt "$ws/old/ln"
touch -hd @1000000000 "$ws/old/ln"
chown -hR --reference="$ws" "$ws/old"
ok 'runs a patch without commands' run_json <<'END'
{"id":"plain","mutations":[{"path":"old","rename":"older"},{"path":"dir/sub","delete":true},{"path":"dir/keep","rename":"moved/kept"},{"path":"run.sh","chmod":"0755"},{"path":"empty","mkdir":true},{"path":"ln","symlink":"a.txt"},{"path":"log","append":"l1\n"},{"path":"a.txt","insertAfter":"2","contents":"2.5"},{"path":"bin","contents":"AAEC/w==","encoding":"base64"}]}
END
is 'which is completed too' "$(outcome plain .state)" completed
is 'unvalidated, and says so' "$(outcome plain .unvalidated)" true
is 'a tree is deleted' "$(find "$ws/dir" | wc -l)" 1
is 'a file is moved' "$(cat "$ws/moved/kept")" keep
is 'a directory, and what is in it keeps its times' \
    "$(stat -c '%Y %N' "$ws/older/ln")" "1000000000 '$ws/older/ln' -> 'a.txt'"
is 'a mode is changed' "$(stat -c %a "$ws/run.sh")" 755
is 'a link and a directory are made' \
    "$(readlink "$ws/ln")/$(find "$ws/empty" -type d | wc -l)" a.txt/1
is 'a file is made by append' "$(cat "$ws/log")" l1
is 'a line is inserted' "$(sed -n 3p "$ws/a.txt")" 2.5
is 'bytes are bytes' "$(od -An -tx1 "$ws/bin" | tr -d ' ')" 000102ff

ok 'an edit keeps the line ends' run_json <<'END'
{"id":"crlf","mutations":[{"path":"dos.txt","edits":[{"find":"x\ny","replace":"x\nz\ny"}]}]}
END
is 'of a CRLF file' "$(od -An -c "$ws/dos.txt" | tr -d ' \n')" \
    'x\r\nz\r\ny\r\n'

printf '{\r\n\t"n": 12345678901234567890,\r\n\t"d": [1]\r\n}' >"$ws/c.json"
ok 'patterns, diffs and merges' run_json <<'END'
{"id":"kinds","mutations":[{"path":"a.txt","pattern":"^(t)h(.*)$","replacement":"$2-$1","flags":"m"},{"diff":"diff --git a/dos.txt b/dos.txt\n--- a/dos.txt\n+++ b/dos.txt\n@@ -1,2 +1,2 @@\n x\n-z\n+q\ndiff --git a/made b/made\nnew file mode 100755\n--- /dev/null\n+++ b/made\n@@ -0,0 +1 @@\n+#!/bin/sh\n\\ No newline at end of file\n"},{"path":"c.json","merge":{"d":null,"e":{"f":true}}},{"path":"new.json","merge":{"a":1,"b":null}},{"path":"bin","diff":"--- a/bin\n+++ /dev/null\n"}]}
END
is 'the last fails: its file is not empty, and nothing is done' \
    "$(outcome kinds '"\(.stage) \(.edit_error.code) \(.place.path)"')/$(find "$ws/made" 2>&1 | wc -l)" \
    'mutation not-empty mutations[5]/1'
ok 'without it' run_json <<'END'
{"id":"kinds2","mutations":[{"path":"a.txt","pattern":"^(t)h(.*)$","replacement":"$2-$1","flags":"m"},{"diff":"diff --git a/dos.txt b/dos.txt\n--- a/dos.txt\n+++ b/dos.txt\n@@ -1,2 +1,2 @@\n x\n-z\n+q\ndiff --git a/made b/made\nnew file mode 100755\n--- /dev/null\n+++ b/made\n@@ -0,0 +1 @@\n+#!/bin/sh\n\\ No newline at end of file\n"},{"path":"c.json","merge":{"d":null,"e":{"f":true}}},{"path":"new.json","merge":{"a":1,"b":null}}]}
END
is 'are done' "$(outcome kinds2 '"\(.state) \(.error)"')" 'completed null'
is 'a pattern to one line' "$(tail -n 1 "$ws/a.txt")" ree-t
is 'a diff to a CRLF file' "$(od -An -c "$ws/dos.txt" | tr -d ' \n')" \
    'x\r\nq\r\ny\r\n'
is 'a diff makes a file' "$(cat "$ws/made")/$(stat -c '%a %s' "$ws/made")" \
    '#!/bin/sh/755 9'
is 'a merge keeps what it does not name' "$(od -An -c "$ws/c.json" | tr -d ' \n')" \
    '{\r\n\t"n":12345678901234567890,\r\n\t"e":{\r\n\t\t"f":true\r\n\t}\r\n}'
is 'and makes a file' "$(tr -d '\n' <"$ws/new.json")" '{  "a": 1}'

ok 'replaces directories by files and back' run_json <<'END'
{"id":"swap","mutations":[{"path":"moved","delete":true},{"path":"empty","delete":true}],"postMutationBuild":{"shell":["echo file > moved; rm log; mkdir log; echo in > log/in; rm -rf new; mkdir new; echo n > new/n"]},"validate":{"shell":["test -f moved"]}}
END
is 'in one commit' "$(cat "$ws/moved" "$ws/log/in" "$ws/new/n" | tr '\n' ' ')" \
    'file in n '
is 'the replaced directory holds nothing old' "$(ls "$ws/new")" n

# --- failure leaves nothing

snapshot "$ws" >"$T/before"
unchanged() {
	snapshot "$ws" | cmp -s "$T/before" -
}
ok 'runs a patch that fails its validation' run_json <<'END'
{"id":"bad","mutations":[{"path":"a.txt","contents":"broken"},{"path":"dir","delete":true}],"postMutationBuild":{"shell":["rm -rf new; touch t; chmod 700 .; chmod 0 moved"]},"validate":{"shell":["echo said >&2; exit 7"]}}
END
is 'which has failed' \
    "$(outcome bad '"\(.state) \(.stage) \(.commands[-1].exit_code)"')" \
    'failed validation 7'
is 'with what the command said' "$(outcome bad '.commands[-1].output_head')" said
ok 'the tree is as it was, times included' unchanged
ok 'nothing of the transaction is left behind' tidy

ok 'runs an edit that does not match' run_json <<'END'
{"id":"miss","mutations":[{"path":"a.txt","edits":[{"find":"one\ntwoo\n2.5","replace":"x"}]}]}
{"id":"many","mutations":[{"path":"a.txt","edits":[{"find":"e","replace":"E"}]}]}
{"id":"absent","mutations":[{"path":"nowhere.txt","edits":[{"find":"e","replace":"E"}]}]}
{"id":"exists","mutations":[{"path":"a.txt","contents":"x","create":true}]}
END
is 'the error names file, lines and what is there' \
    "$(outcome miss '.edit_error | "\(.code) \(.first_divergence.find_line) \(.first_divergence.file_line) \(.first_divergence.actual)"')" \
    'not-found 2 2 2'
like 'show tells it' "$(patchflow -c "$CONF" show miss 2>&1)" \
    'edit +a.txt: not-found, operation 0'
is 'an ambiguous one counts' "$(outcome many '.edit_error | "\(.code) \(.found)"')" \
    'ambiguous 3'
is 'a missing file is said' "$(outcome absent '"\(.stage) \(.place.path)"')" \
    'mutation mutations[0]'
is 'create refuses what exists' "$(outcome exists '"\(.state) \(.stage)"')" \
    'failed mutation'
ok 'the tree is as it was' unchanged

ok 'refuses what leads out of the workspace' run_json <<'END'
{"id":"out1","mutations":[{"path":"/etc/passwd","contents":"x"}]}
{"id":"out2","mutations":[{"path":".git/hooks/pre-commit","contents":"x"}]}
{"id":"out3","mutations":[{"path":"link","contents":"x"}]}
{"id":"out4","mutations":[{"path":"esc","symlink":"/tmp"},{"path":"esc/x","contents":"x"}]}
{"id":"out5","mutations":[{"path":".git/commondir","contents":"../evil"}]}
{"id":"out6","mutations":[{"path":"sub/.git","contents":"gitdir: ../evil"}]}
{"id":"out7","mutations":[{"path":"e/config","contents":"x"},{"path":"e","rename":"n/.git"}]}
END
is 'absolute paths' "$(outcome out1 '"\(.state) \(.reason)"')" 'rejected forbidden'
is 'protected paths' "$(outcome out2 '"\(.state) \(.reason)"')" 'rejected forbidden'
is 'symbolic links' "$(outcome out3 .state)" failed
is 'and links of its own' "$(outcome out4 .state)" failed
is "and where else git's configuration may come from" \
    "$(outcome out5 .reason)$(outcome out6 '" \(.error)"')$(outcome out7 '" \(.error)"')" \
    'forbidden the patch changed sub/.git, which is a protected path: it leads to a repository that is no submodule of one in the workspace the patch changed n/.git/config, which is a protected path: line 1 is not as git writes it'
ok 'the tree is still as it was' unchanged

# --- killed between the outcome and the rest

ok 'fails once more' run_json <<'END'
{"id":"untold","mutations":[{"path":"u","contents":"x"}],"validate":{"shell":["false"]}}
END
rm -f "$SPOOL"/alerts/new/*
for f in "$SPOOL"/MAIN/patches/.failed/*-untold-*; do
	mv "$f" "$SPOOL/MAIN/patches/.running/"
done
ok 'is recovered by its outcome' once
like 'and told after all' "$(cat "$SPOOL"/alerts/new/* 2>/dev/null)" untold
is 'with the one outcome' "$(outcome untold '"\(.state) \(.stage)"')" \
    'failed validation'

# --- processes

# @ is ours alone: others run such commands at the same time.
run_slow() {
	sed "s/@/$$/g" | run_json
}
ok 'runs a command beyond its time' run_slow <<'END'
{"id":"slow","limits":{"command_timeout":"1s"},"mutations":[{"path":"s","contents":"x"}],"validate":{"shell":["setsid sleep 300.@ & (setsid sh -c 'trap \"\" TERM; sleep 301.@' &) ; sleep 302.@"]}}
END
is 'as a timeout' "$(outcome slow '"\(.stage) \(.commands[0].timed_out)"')" \
    'timeout true'
is 'and nothing it started lives' "$(pgrep -f "sleep 30[012][.]$$" | wc -l)" 0
ok 'runs a validation in the background' run_json <<'END'
{"id":"back","mutations":[{"path":"b","contents":"x"}],"validate":{"shell":["(sleep 0.3; exit 1) & true"]}}
END
is 'which is a failure' \
    "$(outcome back '"\(.state) \(.stage) \(.commands[0].backgrounded)"')" \
    'failed validation true'
ok 'waits for a background process elsewhere' run_json <<'END'
{"id":"wait","mutations":[{"op":"command","command":"(sleep 0.3; echo late > late) & true"}],"validate":{"shell":["cat late"]}}
END
is 'and counts what it did' "$(outcome wait .state)/$(cat "$ws/late")" completed/late
ok 'floods its output' run_json <<'END'
{"id":"flood","mutations":[{"path":"f","contents":"x"}],"validate":{"shell":["yes | head -c 20000000; echo END"]}}
END
is 'of which head and tail are kept' \
    "$(outcome flood '.commands[0] | "\(.dropped_bytes > 1000000) \(.output_tail[-4:-1])"')" \
    'true END'
ok 'looks for the world outside' run_json <<END
{"id":"jail","mutations":[{"path":"j","contents":"x"}],"validate":{"shell":["echo x > /etc/patchflow-test; echo x > $T/outside; echo x > /tmp/inside; ls -A /home | wc -l; test ! -e $SPOOL/x && ls /proc | grep -c '^[0-9]'; cat /proc/net/dev | grep -c eth; true"]}}
END
ok 'which cannot be written' test ! -e /etc/patchflow-test -a ! -e "$T/outside"
ok 'nor is its /tmp ours' test ! -e /tmp/inside

# --- git

if command -v git >/dev/null; then
	git -C "$ws" init -q -b main
	git -C "$ws" add -A
	git -C "$ws" commit -q -m start
	ok 'commits with git' run_json <<'END'
{"id":"git1","branch":"main","mutations":[{"path":"g.txt","contents":"g\n"}],"validate":{"shell":["true"]},"final":{"git":{"commit":"add g","tag":"v9"}}}
{"id":"git2","branch":"other","mutations":[{"path":"g.txt","contents":"h\n"}]}
{"id":"git3","mutations":[{"path":"g.txt","contents":"h\n"}],"validate":{"shell":["false"]},"final":{"git":{"commit":"never"}}}
END
	is 'the commit is made' "$(git -C "$ws" log -1 --format=%s v9)" 'add g'
	is 'and named in the outcome' "$(outcome git1 .git.commit)" \
	    "$(git -C "$ws" rev-parse HEAD)"
	is 'the work tree is clean' "$(git -C "$ws" status --porcelain)" ''
	is 'the repository is whole' "$(git -C "$ws" fsck 2>&1)" ''
	is 'another branch is refused' "$(outcome git2 '"\(.state) \(.reason)"')" \
	    'rejected wrong-branch'
	is 'a failed patch leaves no commit' \
	    "$(git -C "$ws" log --format=%s | grep -c never)" 0
else
	skip 7 'no git here'
fi

# --- order

ok 'runs by dependency and priority' run_json <<'END'
{"id":"d1","dependencies":["d2"],"mutations":[{"path":"order","append":"d1\n"}]}
{"id":"d2","mutations":[{"path":"order","append":"d2\n"}]}
{"id":"d3","priority":0,"mutations":[{"path":"order","append":"d3\n"}]}
{"id":"d4","dependencies":["bad"],"mutations":[{"path":"order","append":"d4\n"}]}
{"id":"c1","dependencies":["c2"],"mutations":[{"path":"order","append":"c1\n"}]}
{"id":"c2","dependencies":["c1"],"mutations":[{"path":"order","append":"c2\n"}]}
{"id":"w1","dependencies":["never-seen"],"mutations":[{"path":"order","append":"w1\n"}]}
{"id":"x1","expires":"2020-01-01T00:00:00Z","mutations":[{"path":"order","append":"x1\n"}]}
END
is 'the first first' "$(tr '\n' ' ' <"$ws/order")" 'd3 d2 d1 '
is 'a failed dependency rejects' "$(outcome d4 .reason)" dependency-failed
like 'a circle is printed' "$(outcome c1 .error)" 'c1 -> c2 -> c1'
is 'for each in it' "$(outcome c2 .reason)" dependency-failed
is 'an unknown one waits' "$(where_is w1)" held
is 'the late is rejected' "$(outcome x1 .reason)" expired
ok 'nothing of any transaction is left' tidy
done_testing
