#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2086 # $as is a list of words
# A workspace on a shared mount, as systemd makes them all: what a patch's jail
# mounts stays in there, and what the machine mounts while it runs, beside the
# workspace, in it and over it, neither breaks it nor is written to.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_root
own_mounts
need_way overlay
shared=$T/shared
gate=$T/gate
mkdir "$shared" "$gate"
{ mount --bind "$shared" "$shared" && mount --make-rshared /; } ||
	skip_all 'mounts cannot be shared here'
ws=$shared/ws
write_config </dev/null
sed -i "s|$T/ws/main|$ws|; s|^    aliases: \[BRAUN\]|&\n    expose: [$gate]|" \
    "$CONF"

mounts() {
	cut -d' ' -f1-6 /proc/self/mountinfo
}
unshare -m --propagation unchanged mount -t tmpfs tmpfs "$gate"
like 'control: a mount of a process that does not part with them is seen' \
    "$(mounts)" " $gate "
umount "$gate"

mkjob() {
	$as "$BUILD_DIR/tests/harness/mkjob" "$@"
}
# begins ID PATH: a patch that writes ID to PATH; its command is at the gate.
begins() {
	rm -f "$gate/open"
	jq -cn --arg id "$1" --arg path "$2" --arg gate "$gate" '{id: $id,
	    mutations: [{path: $path, contents: $id}], validate: {shell:
	    ["touch here; i=0; until [ -e \($gate)/open ] || [ $i -gt 600 ];" +
	    " do perl -e \"select undef, undef, undef, 0.1\"; i=$((i + 1));" +
	    " done; rm here; ls -A below"]}}' |
	    queue_json >/dev/null
	await "a patch runs ($1)" at_gate
}
at_gate() {
	ls -d "$shared"/.patchflow-MAIN/*/upper/here
}
# ends ID: how.
ends() {
	: >"$gate/open"
	until_true 60 ended "$1"
	outcome "$1" '"\(.state) \(.stage // "-") \(.error // "-")"'
}
# fresh OWNER: a workspace with a file, and places to mount on.
fresh() {
	rm -rf "$ws" "$SPOOL" "${shared:?}/.patchflow-MAIN"
	mkdir -p "$ws/below" "$ws/touched" "$shared/beside" "$shared/old" "$T/other"
	echo one >"$ws/a"
	chown -R "$1:$1" "$ws"
}

# beside WHO: the machine goes on mounting beside a patch and below its workspace.
beside() {
	mount -t tmpfs tmpfs "$shared/old"
	start executor $as executor -f -c "$CONF" -q MAIN
	before=$(mounts)
	begins "$1" a
	is "$1: nothing that it has mounted is seen outside" "$(mounts)" "$before"
	ok '... and what is mounted there can be unmounted' umount "$shared/old"
	mount -t tmpfs tmpfs "$shared/beside"
	mount -t tmpfs tmpfs "$ws/below"
	echo seen >"$ws/below/seen"
	is '... it ends well all the same' "$(ends "$1") $(cat "$ws/a")" \
	    "completed - - $1"
	is '... in the overlay, without a look at what came later' "$(outcome "$1" \
	    '"\(.isolation) \(.commands[0].output_head)"')" 'overlay '
	umount "$ws/below" "$shared/beside"
	stop executor
	is '... and leaves the mounts that were there' "$(mounts)" \
	    "$(echo "$before" | grep -v " $shared/old ")"
}

as=
fresh 0
beside root

# What is mounted where the patch writes is not written to, nor what is below.
start executor $as executor -f -c "$CONF" -q MAIN
begins into touched/new
mount -t tmpfs tmpfs "$ws/touched"
is 'a filesystem that comes where it writes is a reason to fail' \
    "$(ends into)" \
    'failed prepare touched/new: another filesystem is mounted in the workspace there'
is '... and holds nothing' "$(ls -A "$ws/touched")" ''
umount "$ws/touched"
is '... nor the directory below' "$(ls -A "$ws/touched")" ''

# Over the workspace: the patch was made for another one, and runs in it when
# that is back.
begins over a
mount --bind "$T/other" "$ws"
: >"$gate/open"
held() {
	[ "$(where_is over)" = held ] &&
	json "$SPOOL/state/executor@MAIN/queue.json" .hold |
	    grep 'cannot be used'
}
await 'with another directory mounted over its workspace it waits' held
is '... and the other one is left alone' "$(ls -A "$T/other")" ''
umount "$ws"
is '... and is as it was' "$(cat "$ws/a")" root
is '... until the workspace is back' "$(ends over) $(cat "$ws/a")" \
    'completed - - over'
stop executor

uid=$(plain_uid)
uid=${uid:-65534}
chown "$uid:$uid" "$T" "$T/log" "$shared"
as="setpriv --reuid $uid --regid $uid --clear-groups --"
if [ "$(as_user sh -c ". '$TOP/tests/flow/executor.sh'; way_here")" = overlay ]
then
	fresh "$uid"
	beside user
else
	skip 6 'an ordinary user has no overlay here'
fi
umount -l "$shared"
done_testing
