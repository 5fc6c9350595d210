#!/bin/sh
# SPDX-License-Identifier: ISC
# A workspace with files of others, for an executor without root: each patch
# works exactly or is refused by the path, before anything is changed. And what
# no copy carries: file capabilities, set-id bits; access lists, owners of links.
# shellcheck disable=SC2317 # what executor.sh calls
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_root
as_user test -x "$BUILD_DIR/bin/executor" ||
	skip_all 'an ordinary user cannot run the build'
uid=$(as_user id -u)
gid=$(as_user id -g)
program=$BUILD_DIR/bin/executor
executor() { as_user "$program" "$@"; }
bare() { as_user nonamespace "$program" "$@"; }
mkjob() { as_user "$BUILD_DIR/tests/harness/mkjob" "$@"; }

# results: "ID STATE STAGE ERROR" of all outcomes, sorted.
results() {
	first_lines "$SPOOL"/MAIN/outcomes/new/*.json |
	    jq -r '[.id, .state, .stage // "-", .error // "-"] | join(" ")' |
	    sort
}
# cases SUFFIX TAIL: patches on files of their own, TAIL ends each document.
cases() {
	sed "s/@/$1/g; s/\$/$2}/" <<'END'
{"id":"edit@","mutations":[{"path":"e@","contents":"x"}]
{"id":"mode@","mutations":[{"path":"e@","chmod":"0600"}]
{"id":"del@","mutations":[{"path":"d@","delete":true}]
{"id":"dellink@","mutations":[{"path":"dl@","delete":true}]
{"id":"ren@","mutations":[{"path":"r@","rename":"new-r@"}]
{"id":"link@","mutations":[{"path":"l@","rename":"new-l@"}]
{"id":"tree@","mutations":[{"path":"t@","rename":"new-t@"}]
{"id":"rmtree@","mutations":[{"path":"o@","delete":true}]
{"id":"stuck@","mutations":[{"path":"x@","delete":true}]
{"id":"top@","mutations":[{"path":"n@","delete":true}]
{"id":"into@","mutations":[{"path":"n@/new","contents":"x"}]
{"id":"open@","mutations":[{"path":"w@/new","contents":"x"}]
{"id":"mine@","mutations":[{"path":"m@","contents":"x"}]
END
}
# what SUFFIX: what they find.
what() {
	(
		cd "$ws" || exit
		mkdir "t$1" "o$1" "x$1" "x$1/in" "n$1" "w$1"
		for f in "e$1" "d$1" "r$1" "t$1/f" "o$1/f" "x$1/in/f" "n$1/f" "m$1"; do
			echo old >"$f"
		done
		ln -s "m$1" "l$1"
		ln -s "m$1" "dl$1"
		chmod 777 "w$1"
		chown -h "$uid:$gid" . "t$1" "o$1" "x$1" "m$1"
	)
}
# others: all that is not the user's.
others() {
	find "$ws" ! -uid "$uid" -printf '%P %y %U:%G %m %l\n' | sort
}
expected() {
	sed "s/@/$1/g" <<'END' | sort
del@ completed - -
dellink@ completed - -
edit@ failed prepare e@ belongs to another user or group and would change hands
into@ failed prepare n@/new: its directory is not writable
mine@ completed - -
mode@ failed prepare e@ belongs to another user or group and would change hands
open@ completed - -
rmtree@ completed - -
stuck@ failed prepare x@/in belongs to another user, who does not let it be removed
top@ failed prepare n@ belongs to another user, who does not let it be removed
END
	if [ "$2" = short ]; then
		sed "s/@/$1/g" <<'END'
link@ failed prepare l@ belongs to another user or group and would change hands
ren@ failed prepare r@ belongs to another user or group and would change hands
tree@ failed prepare t@/f belongs to another user or group and would change hands
END
	else
		sed "s/@/$1/g" <<'END'
link@ failed prepare new-l@ was l@, whose owner, group or rights it would lose
ren@ failed prepare new-r@ was r@, whose owner, group or rights it would lose
tree@ failed prepare new-t@/f was t@/f, whose owner, group or rights it would lose
END
	fi
}
# try SUFFIX WAY TAIL
try() {
	rm -rf "$SPOOL" "$ws"
	mkdir "$ws"
	what "$1"
	give_spool
	others | grep -v "^d$1 \|^dl$1 \|^o$1/f " >"$T/others"
	# Which nobody without root can tell.
	exec 8>>"$ws/d$1"
	ok "$2: patches among files of others, one open for writing" \
	    as_cases "$1" "$3"
	exec 8>&-
	is 'work, or are refused with the path' "$(results)" \
	    "$(expected "$1" "$2" | sort)"
	is 'and what is not ours stays as it was' "$(others)" "$(cat "$T/others")"
	is 'nothing is left in the staging place' \
	    "$(leftovers "$SPOOL/state/executor@MAIN/txn")" ''
}
as_cases() {
	cases "$1" "$2" | queue_json >/dev/null && once
}
give_spool() {
	mkdir -p "$SPOOL"
	chown -R "$uid:$gid" "$SPOOL" "$T/log" "$HOME"
}
chown "$uid:$gid" "$T"
write_config </dev/null
try s short ''
case $(as_user sh -c ". '$TOP/tests/flow/executor.sh'; way_here") in
overlay | copy)
	try c copy ',"validate":{"shell":["true"]}'
	if [ -n "${PATCHFLOW_LONG:-}" ]; then
		executor() { bare "$@"; }
		try b bare-copy ',"validate":{"shell":["true"]}'
		executor() { as_user "$program" "$@"; }
	fi ;;
*)	skip 4 'an ordinary user has no namespaces here' ;;
esac
exits 0 'the check' executor -n -c "$CONF" -q MAIN
like 'says which file stands in the way, and what to do' "$(cat "$T/out")" \
    '"isolation","result":"warning","detail":"[a-z-]*copy: [a-z/]* belongs to another.*"fix":"give the files'

# --- what cannot be read
rm -rf "$SPOOL" "$ws"
mkdir "$ws"
echo s >"$ws/secret"
echo m >"$ws/m"
chmod 600 "$ws/secret"
chown "$uid:$gid" "$ws" "$ws/m"
give_spool
others >"$T/others"
exits 0 'the check of one with what it cannot read' executor -n -c "$CONF" -q MAIN
like 'says what will not run' "$(cat "$T/out")" \
    'secret cannot be read, so that no patch with commands can run'
queue_json >/dev/null <<'END'
{"id":"cmd","mutations":[{"path":"m","contents":"y"}],"validate":{"shell":["true"]}}
{"id":"del","mutations":[{"path":"secret","delete":true}]}
{"id":"ren","mutations":[{"path":"secret","rename":"s2"}]}
{"id":"plain","mutations":[{"path":"m","contents":"x"}]}
END
ok 'patches around it' once
is 'are refused by its name, or do not touch it' "$(results)" \
    'cmd failed prepare secret cannot be read by the executor'"'"'s user
del failed prepare reading secret: Permission denied
plain completed - -
ren failed prepare secret cannot be read by the executor'"'"'s user'
is 'which is as it was' "$(others)$(cat "$ws/m")" "$(cat "$T/others")x"

# --- they come when the overlay has been chosen
rm -rf "$SPOOL" "$ws"
mkdir "$ws" "$ws/dir"
chown -R "$uid:$gid" "$ws"
give_spool
late() {
	echo '{"id":"late","mutations":[{"path":"m","contents":"x"}],"postMutationBuild":{"shell":["mv dir dir2"]}}' |
	    queue_json >/dev/null
}
chosen() {
	grep -q 'isolation overlay' "$T/log/executor"
}
if [ "$(as_user sh -c ". '$TOP/tests/flow/executor.sh'; way_here")" = overlay ]; then
	start executor as_user "$program" -f -c "$CONF" -q MAIN
	await 'the overlay is chosen' chosen
	echo f >"$ws/dir/f"
	others >"$T/others"
	ok 'a patch that moves another user'"'"'s file by a copy' late
	await 'ends' ended late
	is 'refused, in a clone that can tell' "$(results) $(outcome late .isolation)" \
	    'late failed prepare dir2/f was dir/f, whose owner, group or rights it would lose copy'
	is 'and nothing has changed' "$(others)$(ls "$ws")" "$(cat "$T/others")dir"
	stop executor
else
	skip 5 'an ordinary user has no overlay here'
fi

executor() { "$program" "$@"; }
mkjob() { "$BUILD_DIR/tests/harness/mkjob" "$@"; }

# --- one that somebody writes, for root
rm -rf "$SPOOL" "$ws"
mkdir "$ws"
echo w >"$ws/w"
echo c >"$ws/c"
chown -R "$uid:$gid" "$ws"
exec 8>>"$ws/w"
queue_json >/dev/null <<'END'
{"id":"open","mutations":[{"path":"w","delete":true}]}
{"id":"closed","mutations":[{"path":"c","delete":true}]}
END
once >"$T/said" 2>&1
exec 8>&-
is 'root waits for who writes a file of others, and for nobody else' \
    "$(where_is open) $(results)" 'held closed completed - -'
like 'and says so' "$(cat "$T/said")" 'w is open for writing by another process'

# --- rights and attributes that copies have lost
acl=0200000001000600ffffffff02000400d204000004000400ffffffff10000400ffffffff20000000ffffffff
cap=0000000200200000000000000000000000000000
# dress SUFFIX
dress() {
	(
		cd "$ws" || exit
		mkdir "in$1" "dir$1"
		for f in "acl$1" "mv$1" "cap$1" "capmv$1" "capdel$1" "suid$1" "suidmv$1"; do
			echo old >"$f"
		done
		ln -s nowhere "ln$1"
		chown -Rh "$uid:$gid" .
		chown -h 4711:4712 "ln$1"
		chmod 4755 "suid$1" "suidmv$1"
		xattr "acl$1" system.posix_acl_access $acl &&
		    xattr "mv$1" system.posix_acl_access $acl &&
		    xattr "in$1" system.posix_acl_default $acl &&
		    xattr . system.posix_acl_default $acl &&
		    xattr "acl$1" user.mine 41 || exit
		for f in "cap$1" "capmv$1" "capdel$1"; do
			xattr "$f" security.capability $cap || exit
		done
	)
}
attributes() {
	sed "s/@/$1/g; s/\$/$2}/" <<'END'
{"id":"acl@","mutations":[{"path":"acl@","contents":"x"}]
{"id":"mv@","mutations":[{"path":"mv@","rename":"moved@"}]
{"id":"in@","mutations":[{"path":"in@/new","contents":"x"},{"path":"top@","contents":"x"}]
{"id":"cap@","mutations":[{"path":"cap@","contents":"x"}]
{"id":"capmv@","mutations":[{"path":"capmv@","rename":"x@"}]
{"id":"capdel@","mutations":[{"path":"capdel@","delete":true}]
{"id":"suid@","mutations":[{"path":"suid@","append":"x"}]
{"id":"suidmv@","mutations":[{"path":"suidmv@","rename":"y@"}]
{"id":"ln@","mutations":[{"path":"ln@","rename":"ln2@"}]
END
}
privileged='is a set-id file or has file capabilities, which it would lose'
# carried SUFFIX WAY TAIL
carried() {
	rm -rf "$SPOOL" "$ws"
	mkdir "$ws"
	if ! dress "$1" 2>"$T/why"; then
		skip 7 "this filesystem: $(cat "$T/why")"
		return
	fi
	attributes "$1" "$3" | queue_json >/dev/null
	ok "$2: patches on attributes" once
	is 'go well or are refused' "$(results | cut -d' ' -f1-2)" \
	    "$(sed "s/@/$1/" <<'END' | sort
acl@ completed
mv@ completed
in@ completed
cap@ failed
capmv@ failed
capdel@ completed
suid@ failed
suidmv@ failed
ln@ completed
END
)"
	is 'for these rights' "$(results | grep -c "$privileged\|a set-id file$")" 4
	is 'access lists are kept' "$(for f in "acl$1" "moved$1"; do
	    xattr "$ws/$f" system.posix_acl_access; echo; done)$(
	    xattr "$ws/acl$1" user.mine)" "$(printf '%s\n%s41' $acl $acl)"
	is 'and given on' "$(for f in "in$1/new" "top$1"; do
	    xattr "$ws/$f" system.posix_acl_access | cut -c25-40; done)" \
	    "$(printf '%s\n%s' 02000400d2040000 02000400d2040000)"
	is 'so are capabilities and set-id bits' "$(for f in "cap$1" "capmv$1"; do
	    xattr "$ws/$f" security.capability; echo; done)$(
	    stat -c ' %a' "$ws/suid$1" "$ws/suidmv$1")" \
	    "$(printf '%s\n%s 4755\n 4755' $cap $cap)"
	is 'and the owner of a link' "$(stat -c %u:%g "$ws/ln2$1")" 4711:4712
}
carried s short ''
carried c commands ',"validate":{"shell":["true"]}'
if [ -n "${PATCHFLOW_SANITIZED:-}" ]; then
	skip 3 'a program that is watched does not run in the jail'
elif [ -d "$ws/inc" ]; then
	cp "$BUILD_DIR/tests/harness/xattr" "$ws/tool"
	chmod 755 "$ws/tool"
	ok 'a command that gives a directory an attribute' run_json <<'END'
{"id":"dir","mutations":[{"path":"z","contents":"x"}],"validate":{"shell":["./tool inc user.b 31","mkdir new; ./tool new user.b 31"]}}
{"id":"newdir","mutations":[{"path":"z","contents":"x"}],"validate":{"shell":["mkdir new; ./tool new user.b 31"]}}
END
	like 'is not taken for one that did nothing' "$(outcome dir .error)" \
	    '^inc: the extended attributes .* were changed'
	is 'a new directory keeps its own' \
	    "$(outcome newdir .state) $(xattr "$ws/new" user.b)" 'completed 31'
else
	skip 3 'as above'
fi
done_testing
