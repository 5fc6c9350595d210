#!/bin/sh
# SPDX-License-Identifier: ISC
# SIGKILL at the nth call of every mutating kind, in the executor and in every
# process that it starts; then a new executor. The workspace is the
# before-image or the after-image, there is one outcome, and it says which.
# A rotating sample; with PATCHFLOW_LONG=1 all points, and every point of the
# second run too.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
command -v strace >/dev/null || skip_all 'strace is not installed'
strace -o /dev/null true 2>/dev/null || skip_all 'strace may not trace here'

SAMPLE=${PATCHFLOW_SAMPLE:-16} # points of a workload in a short run
CALLS='renameat2 fsync syncfs mkdirat unlinkat rmdir write symlinkat fchmod
    fchown openat2 clone3 fork,vfork,clone execve fsopen fsmount move_mount
    mount_setattr pivot_root umount2 setresuid capset setxattr fremovexattr
    kill pidfd_send_signal wait4 close_range'

write_config </dev/null

make_workspace() {
	rm -rf "$ws" "$SPOOL"
	mkdir -p "$ws/dir/sub" "$ws/tree"
	printf 'one\ntwo\n' >"$ws/a"
	echo b >"$ws/dir/b"
	echo c >"$ws/dir/sub/c"
	echo d >"$ws/tree/d"
	ln -s a "$ws/link"
}

# restore: the world as prepare left it.
restore() {
	rm -rf "$ws" "$SPOOL"
	cp -a "$T/saved/ws" "$ws"
	cp -a "$T/saved/spool" "$SPOOL"
}

# prepare DOCUMENT: queued but not run, and both images.
prepare() {
	make_workspace
	once >/dev/null 2>&1
	printf '%s\n' "$1" | queue_json >/dev/null
	rm -rf "$T/saved"
	mkdir "$T/saved"
	cp -a "$ws" "$T/saved/ws"
	cp -a "$SPOOL" "$T/saved/spool"
	contents "$ws" >"$T/image.before"
	once >/dev/null 2>&1 || diag 'the plain run failed'
	contents "$ws" >"$T/image.after"
	goal=$(json "$SPOOL"/MAIN/outcomes/new/*.json .state)
}

# traced ARG...: one run below strace.
traced() {
	timeout 60 strace -f -qq -o "$T/trace" "$@" \
	    executor --once -c "$CONF" -q MAIN >"$T/run.out" 2>&1
}

# shellcheck disable=SC2086 # a list of words
# points: "CALL N", for each N up to the most that one process makes.
points() {
	restore
	traced -e trace="$(echo $CALLS | tr ' ' ',')"
	for call in $CALLS; do
		awk -v call=",$call," '{
			name = $2; sub(/\(.*/, "", name)
			if (index(call, "," name ","))
				if (++n[$1] > most) most = n[$1]
		    } END { print most + 0 }' "$T/trace" |
			while read -r most; do
				seq -f "$call %.0f" 1 "$most"
			done
	done
}

# image: before, after or neither
image() {
	contents "$ws" >"$T/image.now"
	if cmp -s "$T/image.now" "$T/image.after"; then
		echo after
	elif cmp -s "$T/image.now" "$T/image.before"; then
		echo before
	else
		echo neither
	fi
}

# judge POINT: one line to $T/bad where a promise is broken.
judge() {
	found=$(image)
	outcomes=$(find "$SPOOL/MAIN/outcomes" -name '*.json' | wc -l)
	state=$(json "$SPOOL"/MAIN/outcomes/new/*.json .state 2>/dev/null)
	files=$(find "$SPOOL/MAIN/patches" -name '*.json' | wc -l)
	case $goal/$state/$found in
	completed/completed/after | completed/failed/before) ;;
	failed/failed/before | failed/failed/after) ;; # they are one
	*) echo "$1: $state with the $found-image" >>"$T/bad" ;;
	esac
	[ "$outcomes" = 1 ] || echo "$1: $outcomes outcomes" >>"$T/bad"
	[ "$files" = 1 ] || echo "$1: $files queue files" >>"$T/bad"
	tidy || echo "$1: something of the transaction is left" >>"$T/bad"
}

# Held patches wait 30 s after a second crash: those are let go at once.
settle() {
	timeout 60 executor --once -c "$CONF" -q MAIN >"$T/again.out" 2>&1
	for f in "$SPOOL"/MAIN/patches/.held/*.json; do
		[ -e "$f" ] || continue
		rm -f "$SPOOL"/state/executor@MAIN/1*.json
		timeout 60 executor --once -c "$CONF" -q MAIN \
		    >"$T/again.out" 2>&1
	done
}

at_point() {
	restore
	traced -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2"
	grep -q 'killed by SIGKILL' "$T/trace" && hits=$((hits + 1))
	if [ -n "${PATCHFLOW_LONG:-}" ]; then
		traced -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2"
	fi
	settle
	judge "$1 $2"
}

sweep() {
	prepare "$2"
	points >"$T/points"
	all=$(wc -l <"$T/points")
	step=1
	[ -n "${PATCHFLOW_LONG:-}" ] || step=$((all / SAMPLE + 1))
	offset=$(($(date +%s) / 60 % step))
	: >"$T/bad"
	hits=0 tried=0
	while read -r call n; do
		tried=$((tried + 1))
		at_point "$call" "$n"
	done <<-END
	$(awk -v step="$step" -v offset="$offset" 'NR % step == offset' \
	    "$T/points")
	END
	diag "$1: $tried of $all points, $hits kills that hit"
	is "$1: before- or after-image at every point" "$(cat "$T/bad")" ''
	ok "$1: the kills hit" test "$hits" -ge $((tried * 8 / 10))
}

sweep 'a patch without commands' '{"id":"k1","mutations":[{"path":"a","edits":[{"find":"two","replace":"2"}]},{"path":"new/x","contents":"x"},{"path":"tree","delete":true},{"path":"dir/b","rename":"dir/e"},{"path":"dir","chmod":"0750"}]}'
sweep 'a patch with commands' '{"id":"k2","mutations":[{"path":"a","contents":"new\n"}],"postMutationBuild":{"shell":["rm -rf tree; echo file > tree; mkdir made; echo m > made/m; rm dir/sub/c; rm link; ln -s dir link"]},"validate":{"shell":["test -f tree"]}}'
sweep 'a patch that fails' '{"id":"k3","mutations":[{"path":"a","contents":"new\n"},{"path":"tree","delete":true}],"validate":{"shell":["rm -rf dir; false"]}}'
done_testing
