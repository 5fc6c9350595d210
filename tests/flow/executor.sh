# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# What the executor's tests share: queueing without a bridge, and snapshots.

# shellcheck disable=SC2034 # the tests read it
ws=$T/ws/main

# queue_json: documents on standard input, one a line, into MAIN.
queue_json() {
	rm -rf "$T/docs"
	mkdir -p "$T/docs"
	n=0
	while IFS= read -r line; do
		n=$((n + 1))
		printf '%s\n' "$line" >"$T/docs/$(printf %03d $n).json"
	done
	mkjob "$SPOOL" MAIN "$T"/docs/*.json
}

once() {
	executor --once -c "$CONF" -q MAIN
}

# run_json: queues what comes on standard input and drains the queue.
run_json() {
	queue_json >/dev/null && once
}

# traced ARG...: one run below strace, which writes $T/trace; what was said is
# in $T/run.out. Nobody looks for leaks below a tracer.
traced() {
	ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
	    timeout 60 strace -f -qq -o "$T/trace" "$@" \
	    executor --once -c "$CONF" -q MAIN >"$T/run.out" 2>&1
}

# woken_and COMMAND...: once more, behind the end of each $nap, a sleep of a
# patch's that is no other test's.
woken_and() {
	# shellcheck disable=SC2046,SC2154 # a list of pids; the test's
	kill $(pgrep -fx "$nap") 2>/dev/null
	"$@"
}

# checked FILE FILTER [ARG...]: a document of ours, changed and checked anew.
checked() {
	document=$1
	shift
	line=$(head -n 1 "$document" | jq -c "$@") || return 1
	printf '%s\n{"bytes":%d,"sha256":"%s"}\n' "$line" \
	    "$(printf %s "$line" | wc -c)" \
	    "$(printf %s "$line" | sha256sum | cut -d' ' -f1)" >"$T/checked"
	cat "$T/checked" >"$document"
}

# in_namespaces COMMAND...: in those that a command gets, made by other programs
# than ours.
in_namespaces() {
	own='-m -p -i -u -n --fork'
	[ "$(id -u)" -eq 0 ] || own="-U -r $own"
	# shellcheck disable=SC2086 # a list of options
	unshare $own "$@" 2>/dev/null
}

# way_here: the best isolation that this machine has for us.
way_here() {
	mkdir -p "$T/way/lower" "$T/way/upper" "$T/way/work" "$T/way/all"
	way=lowerdir=$T/way/lower,upperdir=$T/way/upper,workdir=$T/way/work
	[ "$(id -u)" -eq 0 ] || way=$way,userxattr
	if in_namespaces mount -t overlay -o "$way" overlay "$T/way/all"; then
		echo overlay
	elif in_namespaces true; then
		echo copy
	else
		echo bare-copy
	fi
	chmod -R u+rwx "$T/way"
	rm -rf "$T/way"
}

# need_way WAY: or the whole test is skipped.
need_way() {
	case $(way_here) in
	overlay | "$1") ;;
	*)	skip_all "$1 is not to be had here" ;;
	esac
}

# need_holdup: a process can be stopped before a call, or the whole test is
# skipped.
need_holdup() {
	holdup executor fsync "$T/no" true 2>/dev/null
	[ $? -ne 77 ] || skip_all 'nothing can be traced here'
}

# Types, modes, owners, times, contents and links of a tree.
snapshot() {
	find "$1" -printf '%P|%y|%m|%U:%G|%T@|%l\n' | sort
	find "$1" -type f -exec sha256sum {} + | sort -k 2
}

# As above without the times of directories: a commit changes those.
contents() {
	find "$1" -type d -printf '%P|%y|%m|%U:%G\n' \
	    -o -printf '%P|%y|%m|%U:%G|%l\n' | sort
	find "$1" -type f -exec sha256sum {} + | sort -k 2
}

# image: of the workspace what an undo gives back, with times and inodes, but for
# those of directories; of a repository without what git keeps for ever.
image() {
	find "$ws" -path "$ws/.git/objects" -prune -o -type d \
	    -printf '%P|%y|%m|%U:%G\n' -o \
	    -printf '%P|%y|%m|%U:%G|%T@|%i|%l\n' | sort
	find "$ws" -path "$ws/.git/objects" -prune -o -type f \
	    -exec sha256sum {} + | sort -k 2
}

# What a staging place holds but for the ballast and kept transactions.
leftovers() {
	find "$1" -mindepth 1 ! -name .ballast ! -path '*/.undo*'
}

# is_dead PID: it is gone, or nobody has waited for it yet.
is_dead() {
	! grep -qs '^State:[[:space:]]*[^[:space:]ZX]' "/proc/$1/status"
}

# Nothing of a transaction is left: no directory, no mount, no process.
tidy() {
	[ -z "$(leftovers "$SPOOL/state/executor@MAIN/txn")" ] &&
	    [ -z "$(find "$SPOOL/MAIN/patches/.running" -type f)" ] &&
	    ! grep -F "$T" /proc/mounts | grep -Fqv " $T/mnt "
}
