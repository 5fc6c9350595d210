#!/bin/sh
# SPDX-License-Identifier: ISC
# SIGKILL at the nth call of every mutating kind while a patch is undone; then
# a new executor. The workspace is the before-image in the end, inodes too,
# and there is one outcome. A few points, by the day or PATCHFLOW_SEED; with
# PATCHFLOW_LONG=1 all.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
command -v strace >/dev/null || skip_all 'strace is not installed'
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'

SAMPLE=${PATCHFLOW_SAMPLE:-3}
CALLS='renameat2 fsync mkdirat unlinkat symlinkat write fchmod'
write_config </dev/null

# Inodes decide, so each point has a world of its own.
begin() {
	rm -rf "$ws" "$SPOOL"
	mkdir -p "$ws/dir/sub" "$ws/tree"
	echo a >"$ws/a"
	echo b >"$ws/dir/b"
	echo c >"$ws/dir/sub/c"
	echo d >"$ws/tree/d"
	ln -s a "$ws/link"
	image >"$T/image.before"
	run_json <<'END' 2>/dev/null
{"id":"k","mutations":[{"path":"a","contents":"new\n"},{"path":"new/x","contents":"x"},{"path":"tree","delete":true},{"path":"dir/b","contents":"B\n"},{"path":"link","delete":true},{"path":"new/l","symlink":"x"},{"path":"dir","chmod":"0750"}]}
END
	summarizer --once -c "$CONF" 2>/dev/null
	patchflow -c "$CONF" undo k >/dev/null
}

judge() {
	image >"$T/image.now"
	cmp -s "$T/image.before" "$T/image.now" ||
		echo "$1: not the before-image" >>"$T/bad"
	[ "$(outcome undo:k .state)" = completed ] &&
	    [ "$(outcome_files undo:k | wc -l)" = 1 ] ||
		echo "$1: $(outcome_files undo:k)" >>"$T/bad"
	[ "$(outcome k .state)" = undone ] ||
		echo "$1: the patch is $(outcome k .state)" >>"$T/bad"
	tidy || echo "$1: something is left" >>"$T/bad"
}

# at_point CALL N [FORGETS]: with a record that is lost, as the control.
at_point() {
	begin
	traced -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2"
	grep -q 'killed by SIGKILL' "$T/trace" && hits=$((hits + 1))
	[ -z "${3:-}" ] || find "$SPOOL" -name UNDO -delete
	once >"$T/again.out" 2>&1
	judge "$1 $2"
}

begin
# shellcheck disable=SC2086 # a list of words
traced -e trace="$(echo $CALLS | tr ' ' ',')"
for call in $CALLS; do
	seq -f "$call %.0f" 1 "$(awk -v call="$call" '
	    { name = $2; sub(/\(.*/, "", name) }
	    name == call && ++n[$1] > most { most = n[$1] }
	    END { print most + 0 }' "$T/trace")"
done >"$T/points"
: >"$T/bad"
judge 'without a kill'
is 'an undo leads back' "$(cat "$T/bad")" ''
# The how manieth rename of its process publishes the record?
record=$(awk '/renameat2\(/ { n[$1]++ } /renameat2\(.*"UNDO"/ { print n[$1]; exit }' \
    "$T/trace")
all=$(wc -l <"$T/points")
step=1
[ -n "${PATCHFLOW_LONG:-}" ] || step=$((all / SAMPLE + 1))
hits=0 tried=0
while read -r call n; do
	tried=$((tried + 1))
	at_point "$call" "$n"
done <<-END
$(awk -v step="$step" -v offset="$((seed % step))" \
    'NR % step == offset' "$T/points")
END
diag "$tried of $all points, $hits kills that hit"
is 'so it does when it is killed anywhere' "$(cat "$T/bad")" ''
ok 'the kills hit' test "$hits" -ge $((tried * 8 / 10))

# Negative control: a record that was lost leaves what nobody answers for.
at_point renameat2 $((record + 2)) lost
ok 'without the record the same judgement is red' test -s "$T/bad"
diag "without the record: $(head -n 1 "$T/bad")"
done_testing
