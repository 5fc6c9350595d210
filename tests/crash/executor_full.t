#!/bin/sh
# SPDX-License-Identifier: ISC
# A disk that is filled to the brim behind the commit record: the ballast lets
# the change be completed. Without one it is taken back, whole. Nothing more
# starts until there is room again.

. "$(dirname "$0")/../harness/lib.sh"
need_root
own_mounts
. "$(dirname "$0")/../flow/executor.sh"
for tool in strace mkfs.ext4 perl; do
	command -v $tool >/dev/null || skip_all "needs $tool"
done
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'

mnt=$T/mnt
mkdir "$mnt"
write_config </dev/null
ws=$mnt/ws
sed -i "s|$T/ws/main|$ws|; s|^    aliases: \[BRAUN\]|&\n    staging: $mnt/txn|" "$CONF"
place=$mnt/txn

# Many long names in one directory: it has to grow when they come.
document() {
	jq -cn --arg id "$1" '{id: $id, mutations: ([range(200) | {
	    path: ("dir/" + ("n" * 200) + tostring), contents: "x"}] +
	    [{path: "a", contents: "new\n"}])}'
}

# full: not one block is left.
full() {
	perl -e 'open(my $f, ">", $ARGV[0]) or die; $| = 1;
	    for my $size (65536, 4096, 1024) {
	        1 while syswrite($f, "x" x $size) }' "$mnt/filler"
	sync -f "$mnt"
	perl -e 'open(my $f, ">>", $ARGV[0]); 1 while syswrite($f, "x" x 1024)' \
	    "$mnt/filler"
	[ "$(stat -f -c %a "$mnt")" = 0 ]
}

# begin ID: a new disk with a queued patch.
begin() {
	umount "$mnt" 2>/dev/null
	rm -rf "$SPOOL" "$T/image"
	truncate -s 48M "$T/image"
	mkfs.ext4 -q -F -m 0 -b 1024 -O has_journal "$T/image"
	mount -o loop "$T/image" "$mnt" 2>/dev/null ||
	    skip_all 'no loop-mounted ext4 on this machine'
	mkdir -p "$ws/dir"
	echo old >"$ws/a"
	once >/dev/null 2>&1
	document "$1" | queue_json >/dev/null
}

# die ID: an executor that is killed at the first change of the workspace.
die() {
	begin "$1" &&
	    traced -e trace=renameat2 \
	    -e inject="renameat2:signal=SIGKILL:when=$((commit + 1))"
	[ -n "$(find "$place" -name COMMIT)" ]
}

begin trial
traced -e trace=renameat2
# The how manieth rename of its process publishes the record?
commit=$(awk '{ n[$1]++ } /"COMMIT"/ { print n[$1]; exit }' "$T/trace")
ok 'a commit record is written' die full1
ok 'there is ballast' test -s "$place/.ballast"
contents "$ws" >"$T/image.before"
ok 'the disk is filled to the brim' full
# Whether the ballast fits again at once depends on what was freed: 0 or 111.
traced -e trace=renameat2
status=$?
ok 'the next executor carries on' test $status = 0 -o $status = 111
is 'to the end' "$(outcome full1 .state)" completed
is 'all of it is there' "$(find "$ws/dir" -type f | wc -l) $(cat "$ws/a")" '200 new'
like 'with the ballast' "$(cat "$T/run.out")" 'the ballast is given back'

# The control: without ballast the same disk ends it, and it is taken back.
ok 'another record is written' die full2
contents "$ws" >"$T/image.before"
rm "$place/.ballast"
ok 'the disk is full, and there is no ballast' full
exits 111 'the next executor takes it back' once
is 'failed, with the reason' \
    "$(outcome full2 '"\(.state) \(.stage) \(.error)"' | sed 's/ at .* (/ (/')" \
    'failed prepare the change could not be completed (No space left on device) and was taken back'
contents "$ws" >"$T/image.now"
ok 'the workspace is as it was' cmp "$T/image.before" "$T/image.now"
like 'that there is no ballast is told' "$(cat "$SPOOL"/alerts/new/*)" \
    'queue-stuck.*ballast'
printf '%s\n' '{"id":"next","mutations":[{"path":"a","contents":"next\n"}]}' |
    queue_json >/dev/null
exits 111 'the next patch' once
is 'waits' "$(where_is next)" queued
rm "$mnt/filler"
ok 'with room again' once
is 'it runs' "$(outcome next .state)" completed
ok 'and there is ballast' test -s "$place/.ballast"
is 'but nothing else' "$(leftovers "$place")" ''
umount "$mnt"
done_testing
