#!/bin/sh
# SPDX-License-Identifier: ISC
# Whose workspace and where: root in another user's, that user, and either of
# them with a third one's files in it; spool and workspace on one mount and on
# two. Each works, or says in the check why not and what to do.
# shellcheck disable=SC2086 # $as is a list of words
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_root
as_user test -x "$BUILD_DIR/bin/executor" ||
	skip_all 'an ordinary user cannot run the build'
own_mounts
give_scratch
way=$(as_user sh -c ". '$TOP/tests/flow/executor.sh'; way_here")
[ "$way" = overlay ] || skip_all "overlay is not to be had for a user: $way"
uid=$(as_user id -u)
gid=$(as_user id -g)
third=4711

as=
executor() { $as "$BUILD_DIR/bin/executor" "$@"; }
mkjob() { $as "$BUILD_DIR/tests/harness/mkjob" "$@"; }

# where WHO MOUNTS: who runs it; the workspace on the spool's mount or another.
where() {
	as=
	[ "$1" = root ] ||
		as="setpriv --reuid $uid --regid $gid --clear-groups --"
	rm -rf "$SPOOL"
	umount "$T/disk" 2>/dev/null
	rm -rf "$T/disk"
	mkdir -p "$T/disk"
	[ "$2" = one ] || mount -t tmpfs tmpfs "$T/disk"
	ws=$T/disk/ws
	mkdir -p "$ws/dir"
	echo old | tee "$ws/a" "$ws/b" >"$ws/dir/mine"
	chown -R "$uid:$gid" "$T/disk"
}
# strangers: a third one's files come into it.
strangers() {
	echo his | tee "$ws/his" "$ws/dir/his" >"$ws/gone"
	chown "$third:$third" "$ws/his" "$ws/dir/his" "$ws/gone"
}
patches() {
	queue_json >/dev/null <<'END'
{"id":"edit","mutations":[{"path":"a","contents":"new\n"}]}
{"id":"command","mutations":[{"path":"b","contents":"new\n"}],"validate":{"shell":["id -u >who"]}}
{"id":"his","mutations":[{"path":"his","contents":"new\n"}]}
{"id":"gone","mutations":[{"path":"gone","delete":true}]}
{"id":"mv-file","mutations":[{"path":"b","contents":"3\n"}],"postMutationBuild":{"shell":["mv his his2"]}}
{"id":"mv-dir","mutations":[{"path":"b","contents":"4\n"}],"postMutationBuild":{"shell":["mv dir dir2"]}}
END
	executor --once -c "$CONF" -q MAIN
}
# results: "ID STATE ISOLATION ERROR" each, in order.
results() {
	for id in edit command his gone mv-file mv-dir; do
		outcome "$id" '"\(.id) \(.state) \(.isolation) \(.error // "-")"'
	done
}
owners() {
	(cd "$ws" && find . -type f -printf '%P %U\n' | sort | xargs)
}
check() {
	executor -n -c "$CONF" -q MAIN | jq -r 'select(.check == "isolation") |
	    "\(.result) \(.detail): \(.fix)"'
}
all_his='edit completed overlay -
command completed overlay -
his completed overlay -
gone failed overlay gone does not exist, so it cannot be deleted
mv-file completed overlay -
mv-dir completed overlay -'
# Of root: what his rights as the workspace's owner allow. A directory that a
# command moves is copied by that command, as always in an overlay.
among_root() {
	like 'the check finds nothing' "$(cat "$T/check")" '^ok overlay'
	is '... work as its owner may' "$(cat "$T/results")" 	    'edit completed overlay -
command completed overlay -
his failed overlay write his: Permission denied
gone completed overlay -
mv-file completed overlay -
mv-dir completed overlay -'
	is '... a file that a command moves stays his, in a directory it does not' 	    "$(owners)" 	    "a $uid b $uid dir2/his $uid dir2/mine $uid his2 $third who $uid"
}
# Of a user: nothing changes hands.
among_user() {
	like 'the check says what stands in the way, and what to do' 	    "$(cat "$T/check")" 	    '^warning copy: [a-z/]* belongs to another user .*give the files'
	is '... work or are refused by its path' "$(cat "$T/results")" 	    'edit completed copy -
command completed copy -
his failed copy his belongs to another user or group and would change hands
gone completed copy -
mv-file failed copy his2 was his, whose owner, group or rights it would lose
mv-dir failed copy dir2/his was dir/his, whose owner, group or rights it would lose'
	is '... and it stays whose it was' "$(owners)" 	    "a $uid b $uid dir/his $third dir/mine $uid his $third who $uid"
}
write_config </dev/null
sed -i "s|$T/ws/main|$T/disk/ws|" "$CONF"
give_scratch
# On one or on two, by day; a long run takes both.
all_mounts=$([ $((seed % 2)) = 0 ] && echo one || echo two)
[ -z "${PATCHFLOW_LONG:-}" ] || all_mounts='one two'
for mounts in $all_mounts; do
	for who in root user; do
		on="$who, mounts: $mounts"
		where $who $mounts
		ok "$on: patches in a user's workspace" patches
		is '... work' "$(results)" "$all_his"
		is '... and all is his' "$(owners)" \
		    "a $uid b $uid dir2/mine $uid his2 $uid who $uid"
		where $who $mounts
		strangers
		check >"$T/check"
		ok "$on: patches among a third one's files" patches
		results >"$T/results"
		"among_$who"
	done
done

# Without commands at all.
where user one
strangers
sed -i 's|^    aliases: \[BRAUN\]|&\n    isolation: mutations|' "$CONF"
like 'mutations only: the check says so' "$(check)" 'mutations-only'
ok '... patches among a third one'"'"'s files' patches
is '... work or are refused by its path, and with commands' "$(results)" \
    "edit completed mutations-only -
$(for id in command his gone mv-file mv-dir; do case $id in
	his) echo 'his failed mutations-only his belongs to another user or group and would change hands' ;;
	gone) echo 'gone completed mutations-only -' ;;
	*) echo "$id failed mutations-only $(outcome $id .error)" ;;
	esac; done)"
like '... for want of isolation' "$(outcome command .error)" 'isolation|command'
is '... and it stays whose it was' "$(owners)" \
    "a $uid b $uid dir/his $third dir/mine $uid his $third"
done_testing
