#!/bin/sh
# SPDX-License-Identifier: ISC
# Power cuts under an executor: spool and workspace on a journaled ext4 of our
# own, whose power goes behind the nth call of a kind. After the next mount and
# recovery the workspace is the before- or the after-image, and an outcome that
# was acknowledged is there. PATCHFLOW_LONG=1 takes every n.

# The mounts go with their namespace, whatever ends this test.
if [ "$(id -u)" -eq 0 ] && [ -z "${POWER_NAMESPACE:-}" ] &&
    unshare -m true 2>/dev/null; then
	POWER_NAMESPACE=1 exec unshare -m --propagation private sh "$0"
fi
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
need_root
for tool in strace mkfs.ext4 perl; do
	command -v $tool >/dev/null || skip_all "needs $tool"
done
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'

SAMPLE=${PATCHFLOW_SAMPLE:-14} # about so many cuts in a short run
CALLS='renameat2 fsync mkdirat unlinkat'
DOCUMENT='{"id":"p1","mutations":[{"path":"a","contents":"new\n"},{"path":"tree","delete":true}],"postMutationBuild":{"shell":["mkdir made; echo m > made/m; rm -rf dir; echo file > dir; seq 2000 > long"]},"validate":{"shell":["true"]}}'

disk=$T/disk
mnt=$T/mnt
mkdir "$mnt"
SPOOL=$mnt/spool
write_config </dev/null
sed -i "s|$T/ws/main|$mnt/ws|" "$CONF"
ws=$mnt/ws

# FS_IOC_SHUTDOWN without flushing the log.
power_off() {
	perl -e 'open(my $d, "<", $ARGV[0]) or die; my $how = pack("L", 2);
	    ioctl($d, 0x8004587d, $how) or die "$!\n"' "$1"
}

traced() {
	timeout 60 strace -f -qq -o "$T/trace" "$@" \
	    executor --once -c "$CONF" -q MAIN >"$T/run.out" 2>&1
}

acknowledged() {
	find "$SPOOL/MAIN/outcomes/new" -name '*.json' 2>/dev/null | wc -l
}

# A queue file that was settled acknowledges its outcome; one that is only
# visible does not, its last fsync may be to come.
settled() {
	find "$SPOOL/MAIN/patches/.completed" "$SPOOL/MAIN/patches/.failed" \
	    -name '*.json' 2>/dev/null | wc -l
}

truncate -s 32M "$T/image"
mkfs.ext4 -q -F -O has_journal "$T/image" || skip_all 'mkfs.ext4 fails here'
mount -o loop "$T/image" "$mnt" 2>/dev/null ||
    skip_all 'no loop-mounted ext4 on this machine'
mkdir -p "$ws/dir/sub" "$ws/tree"
printf 'one\n' >"$ws/a"
echo c >"$ws/dir/sub/c"
echo d >"$ws/tree/d"
once >/dev/null 2>&1
printf '%s\n' "$DOCUMENT" | queue_json >/dev/null
contents "$ws" >"$T/image.before"
umount "$mnt"

cp --sparse=always "$T/image" "$disk"
mount -o loop "$disk" "$mnt"
if ! power_off "$mnt" 2>/dev/null; then
	umount "$mnt"
	skip_all 'this kernel cannot shut a file system down'
fi
umount "$mnt"

cp --sparse=always "$T/image" "$disk"
mount -o loop "$disk" "$mnt"
# shellcheck disable=SC2086 # a list of words
traced -e trace="$(echo $CALLS | tr ' ' ',')"
contents "$ws" >"$T/image.after"
is 'the plain run completes' "$(outcome p1 .state)" completed
is 'durably' "$(outcome p1 .durability)" journal
umount "$mnt"

# The executor's own calls: it is the first process in the trace.
for call in $CALLS; do
	awk -v call="$call" 'NR == 1 { main = $1 }
	    $1 == main && index($2, call "(") == 1 { n++ }
	    END { for (i = 1; i <= n; i++) print call, i }' "$T/trace"
done >"$T/points"

# power_cut CALL N [ARG...]: a line in $T/bad for each broken promise.
power_cut() {
	call=$1 n=$2
	shift 2
	cp --sparse=always "$T/image" "$disk"
	mount -o loop "$disk" "$mnt"
	traced "$@" -e trace="$call,fsync,syncfs" \
	    -e inject="$call:signal=SIGKILL:when=$n"
	grep -q 'killed by SIGKILL' "$T/trace" && hits=$((hits + 1))
	promised=$(settled)
	power_off "$mnt"
	umount "$mnt"
	mount -o loop "$disk" "$mnt"
	[ "$(acknowledged)" -ge "$promised" ] ||
		echo "$call $n: an acknowledged outcome is lost" >>"$T/bad"
	timeout 60 executor --once -c "$CONF" -q MAIN >"$T/again.out" 2>&1
	contents "$ws" >"$T/image.now"
	# A process of the patch that is killed fails it: nothing has changed.
	case $(outcome p1 .state) in
	completed) want=after ;;
	failed) want=before ;;
	*) want=none ;;
	esac
	cmp -s "$T/image.now" "$T/image.$want" ||
		echo "$call $n: not the $want-image" >>"$T/bad"
	[ "$(acknowledged)" = 1 ] ||
		echo "$call $n: no outcome, or more than one" >>"$T/bad"
	tidy || echo "$call $n: something is left" >>"$T/bad"
	umount "$mnt"
}

all=$(wc -l <"$T/points")
step=1
[ -n "${PATCHFLOW_LONG:-}" ] || step=$((all / SAMPLE + 1))
offset=$(($(date +%s) / 60 % step))
: >"$T/bad"
tried=0 hits=0
while read -r call n; do
	power_cut "$call" "$n"
	tried=$((tried + 1))
done <<END
$(awk -v step="$step" -v offset="$offset" 'NR % step == offset' "$T/points")
END
diag "$tried of $all cuts, $hits at the call"
is 'recovery ends in one of the images, and nothing acknowledged is lost' \
    "$(cat "$T/bad")" ''
ok 'the cuts were at their calls' test "$hits" -ge $((tried * 8 / 10))

# Negative control: where fsync does nothing, the same test must see it.
: >"$T/bad"
last=$(awk '$1 == "unlinkat" { n = $2 } END { print n }' "$T/points")
for back in 0 3 6; do
	power_cut unlinkat $((last - back)) -e inject=fsync,syncfs:retval=0
done
ok 'without fsync the same test turns red' test -s "$T/bad"
done_testing
