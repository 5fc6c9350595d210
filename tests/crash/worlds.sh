# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034,SC2154 # SPOOL and seed are of lib.sh
# What the executor's sweeps stand on: worlds (a workspace, a spool and one
# queued patch), and inject, which runs the executor in them. For a test that
# has read lib.sh and flow/executor.sh.

command -v inject >/dev/null || skip_all 'inject was not built'

# shellcheck disable=SC2317 # at the end
# drop_memory STATUS: which is its own, too.
drop_memory() {
	kill_started
	umount "$memory/world" 2>/dev/null
	chmod -R u+rwX "$memory" 2>/dev/null
	rm -rf "$memory"
	return "$1"
}

# Memory, where it can be had: a kill leaves what was written, durable or not.
if [ -z "${WORLD_ON_DISK:-}" ] && [ -w /dev/shm ]; then
	memory=$(mktemp -d /dev/shm/patchflow-t.XXXXXX) || exit 1
	trap 'drop_memory $?; finish' EXIT
else
	memory=$T
fi
world=$memory/world
saved=$memory/saved
ws=$world/ws
SPOOL=$world/spool

# isolate WAY: how commands run from here on; '': the best that there is.
isolate() {
	isolation=$1
	runs=executor
	[ "$isolation" != bare-copy ] || runs='nonamespace executor'
}
isolate ''

once() {
	$runs --once -c "$CONF" -q MAIN
}

# A part that was asked for: PATCHFLOW_WORLDS, some of the worlds;
# PATCHFLOW_CLASS=C/N, of all points the class C, from 0, of N that come to the
# whole; PATCHFLOW_POINT, one of them.
printf '%s\n' "${PATCHFLOW_CLASS:-0/1}" | grep -Eqx '[0-9]+/[1-9][0-9]*' || {
	echo 'PATCHFLOW_CLASS is no C/N' >&2
	exit 2
}

# one_in N: of so many points in a short run; all of them, or the class that
# was asked for, in a long one.
one_in() {
	if [ -n "${PATCHFLOW_CLASS:-}" ]; then
		echo "-p ${PATCHFLOW_CLASS#*/} -S ${PATCHFLOW_CLASS%/*}"
		return
	fi
	[ -z "${PATCHFLOW_LONG:-}" ] || set -- 1
	echo "-p $1 -S $seed"
}

# is_wanted NAME: by PATCHFLOW_WORLDS and PATCHFLOW_POINT.
is_wanted() {
	case " ${PATCHFLOW_WORLDS:-$1} " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
	case "${PATCHFLOW_POINT:-$1 }" in
	"$1 "*) ;;
	*) return 1 ;;
	esac
}

# Of calls that fail, but for one world: the probes, and what comes before the
# executor has its lock, are the same in each.
errors='-X probe -f flock'

# set_xattr FILE NAME VALUE, by perl: not every machine has setfattr.
# shellcheck disable=SC2016 # perl's own
set_xattr() {
	perl -e 'exit(syscall(188, @ARGV, length $ARGV[2], 0) != 0)' "$@" \
	    2>/dev/null
}

# Every kind of entry, all of them old: what keeps its time, keeps it exactly.
make_tree() {
	mkdir -p "$ws/dir/sub" "$ws/tree/deep/er" "$ws/keep"
	printf 'one\ntwo\n' >"$ws/a"
	echo b >"$ws/dir/b"
	echo c >"$ws/dir/sub/c"
	echo d >"$ws/tree/d"
	echo e >"$ws/tree/deep/er/e"
	echo 0 >"$ws/total"
	printf '\377\000\001' >"$ws/keep/binary"
	echo run >"$ws/keep/run"
	chmod 0755 "$ws/keep/run"
	chmod 0600 "$ws/keep/binary"
	ln -s a "$ws/link"
	ln -s nowhere "$ws/dangling"
	ln "$ws/keep/run" "$ws/keep/twin"
	if set_xattr "$ws/keep/run" user.note kept &&
	    set_xattr "$ws/a" user.note of-a; then
		noted="perl -e 'exit(syscall(188, @ARGV, 3, 0) != 0)' dir/sub/c user.made yes;"
	else
		noted=
		diag 'no extended attributes here'
	fi
	[ "$(id -u)" -ne 0 ] || chown -h 12345:54321 "$ws/keep/binary"
}

make_old() {
	find "$ws" -depth -exec touch -hd '2001-02-03 04:05:06.789' {} +
}

# Fifty files, and a directory of a dozen that moves.
make_many() {
	mkdir -p "$ws/many" "$ws/move"
	i=0
	while [ "$i" -lt 12 ]; do
		i=$((i + 1))
		echo "$i" >"$ws/move/$i"
	done
	while [ "$i" -lt 50 ]; do
		i=$((i + 1))
		echo "$i" >"$ws/many/$i"
	done
}

make_repository() {
	git init -q "$ws"
	git -C "$ws" config gc.auto 0
	git -C "$ws" add -A
	git -C "$ws" commit -q -m start
	# The times that git has noted, for make_old to change them.
	find "$ws" -path "$ws/.git" -prune -o -type f -exec touch \
	    -d '2001-02-03 04:05:06.789' {} +
	git -C "$ws" update-index -q --refresh
}

# document NAME: the patch of that world. Commands stop at the first failure,
# so that a killed one fails the patch.
document() {
	case $1 in
	plain) cat <<-'END' ;;
	{"id":"plain","mutations":[{"path":"a","edits":[{"find":"two","replace":"2"}]},{"path":"new/x","contents":"x","mode":"0755"},{"path":"tree","delete":true},{"path":"dir/b","rename":"dir/e"},{"path":"dir","chmod":"0750"},{"path":"made","symlink":"dir/e"},{"path":"dir/sub/c","append":"more\n"}]}
	END
	small) cat <<-'END' ;;
	{"id":"small","mutations":[{"path":"a","contents":"A\n"},{"path":"n","contents":"n\n"},{"path":"link","delete":true}]}
	END
	trees | undone) cat <<-'END' ;;
	{"id":"trees","mutations":[{"path":"a","contents":"new\n"}],"postMutationBuild":{"shell":["set -e; rm -rf tree; echo file > tree; rm dir/b; mkdir -p dir/b/c; echo m > dir/b/c/m","set -e; rm link; ln -s dir link; n=$(cat total); echo $((n + 1)) > total; rm -rf dir/sub; ln -s ../keep dir/sub"]},"validate":{"shell":["test -f tree && test -L dir/sub"]}}
	END
	meta) cat <<-END ;;
	{"id":"meta","mutations":[{"path":"dir/sub/c","append":"more"}],"postMutationBuild":{"shell":["set -e; chmod 0640 a; touch -d '2002-02-02 02:02:02' dir/b; ln dir/sub/c dir/sub/hard; chmod 0711 keep; chmod 0700 dir; $noted chmod 0600 tree/d; chmod 0644 tree/d; mkfifo keep/fifo; rm keep/fifo"]}}
	END
	many) jq -nc '{id: "many", mutations: ([{path: "move", rename: "moved"}]
	    + [range(13; 45) | {path: "many/\(.)", contents: "new \(.)\n"}]
	    + [range(45; 51) | {path: "many/\(.)", delete: true}])}' ;;
	commit | uncommit) cat <<-'END' ;;
	{"id":"commit","mutations":[{"path":"a","contents":"new\n"},{"path":"tree","delete":true}],"postMutationBuild":{"shell":["echo m > made"]},"final":{"git":{"commit":"made by a patch","tag":"v1"}}}
	END
	beside) cat <<-'END' ;;
	{"id":"beside","mutations":[{"path":"a","contents":"new\n"}],"postMutationBuild":{"shell":["echo m > made"]},"final":{"git":{"commit":"made by a patch"}}}
	END
	fails) cat <<-'END' ;;
	{"id":"fails","mutations":[{"path":"a","contents":"new\n"},{"path":"tree","delete":true}],"postMutationBuild":{"shell":["set -e; rm -rf dir; echo x > dir; chmod 0 keep"]},"validate":{"shell":["echo why; false"]}}
	END
	one) cat <<-'END' ;;
	{"id":"one","mutations":[{"path":"a","edits":[{"find":"two","replace":"2"}]}],"validate":{"shell":["echo $(($(cat total) + 1)) > total"]}}
	END
	two) document one
		cat <<-'END' ;;
	{"id":"two","dependencies":["one"],"mutations":[{"path":"a","edits":[{"find":"2","replace":"zwei"}]},{"path":"tree","delete":true}],"validate":{"shell":["echo two > dir/b"]}}
	END
	first) cat <<-'END' ;;
	{"id":"first","mutations":[{"path":"a","edits":[{"find":"two","replace":"2"}]},{"path":"new/x","contents":"x"},{"path":"link","delete":true}]}
	END
	second) cat <<-'END' ;;
	{"id":"second","mutations":[{"path":"tree","delete":true}],"validate":{"shell":["echo $(($(cat total) + 1)) > total"]}}
	END
	next) document first
		document second ;;
	again) cat <<-'END' ;;
	{"id":"again","mutations":[{"path":"a","contents":"again\n"}],"validate":{"shell":["test -f needed && echo $(($(cat total) + 1)) > total"]}}
	END
	refused) cat <<-'END' ;;
	{"id":"refused","mutations":[{"path":"a","contents":"never\n"}]}
	END
	*) return 1 ;;
	esac
}

# asked NAME: what was asked of the executor before it runs.
asked() {
	case $1 in
	again) once
		echo now >"$ws/needed"
		patchflow -c "$CONF" retry again ;;
	refused) patchflow -c "$CONF" cancel refused ;;
	undone) once
		summarizer --once -c "$CONF"
		patchflow -c "$CONF" undo trees ;;
	uncommit) once
		summarizer --once -c "$CONF"
		patchflow -c "$CONF" undo commit ;;
	esac
}

# build_one NAME TREE: what that one of two patches comes to.
build_one() {
	build_world "$1"
	once >>"$T/made" 2>&1 || fail "$1, one of two" "$(cat "$T/made")"
	rm -rf "$2"
	mv "$ws" "$2"
	rm -rf "$SPOOL"
}

# build_between NAME: $between, and $otherwise where either may be the first.
build_between() {
	between='' otherwise=''
	case $1 in
	two) between=$memory/between
		build_one one "$between" ;;
	next) between=$memory/between otherwise=$memory/otherwise
		build_one first "$between"
		build_one second "$otherwise" ;;
	esac
}

# build_world NAME, which is $made: below $world, ready to run.
build_world() {
	made=$1
	mkdir -p "$ws"
	write_config </dev/null
	sed -i "s|workspace: $T/ws/main|workspace: $ws|" "$CONF"
	[ "$isolation" != copy ] ||
		sed -i 's|^    aliases: \[BRAUN\]|&\n    isolation: copy|' "$CONF"
	look=
	case $1 in
	fails) ends=failed ;;
	refused) ends=rejected ;;
	*) ends=completed ;;
	esac
	make_tree
	case $1 in
	many) make_many ;;
	# Each file can be read, and one is somebody's who has not committed it.
	beside) rm -r "$ws/keep" "$ws/dir" "$ws/tree"
		make_repository
		echo theirs >"$ws/theirs" ;;
	commit | uncommit) make_repository ;;
	esac
	# git itself does not look whether its next index is gone.
	case $1 in
	beside | commit | uncommit) look="cd '$ws' && GIT_OPTIONAL_LOCKS=0 && export \
		    GIT_OPTIONAL_LOCKS && git fsck --no-dangling --no-progress 2>&1 && \
		    git log --format=%s && git tag && git status --porcelain; \
		    find .git -name '*.lock' ! -name 'next-index-*'" ;;
	esac
	once >"$T/made" 2>&1
	document "$1" | queue_json >>"$T/made" || fail "world $1" "$(cat "$T/made")"
	case $1 in
	beside | commit | uncommit) ;;
	undone) make_old ;; # what it gives back is as old as it was
	esac
	asked "$1" >>"$T/made" 2>&1
	case $1 in
	beside | commit | uncommit | undone) ;;
	*) make_old ;;
	esac
}

# make_blank: an empty file system of the kind $disk.
disk=ext4
make_blank() {
	case $disk in
	ext4) truncate -s 32M "$1" && mkfs.ext4 -q -F -O has_journal "$1" ;;
	xfs) truncate -s 300M "$1" && mkfs.xfs -q -f "$1" ;; # its smallest
	esac
}

# make_image NAME: the same on a file system of its own, saved as $saved, an
# image; for root. What it holds keeps inodes and times from run to run.
make_image() {
	made=$1
	is_wanted "$1" || [ "$1" = small ] || return 0
	mkdir -p "$world"
	[ -e "$memory/$disk" ] || make_blank "$memory/$disk" || return 1
	saved=$memory/image
	cp --sparse=always --remove-destination "$memory/$disk" "$saved"
	mount -o loop "$saved" "$world" 2>/dev/null || return 1
	build_between "$1"
	build_world "$1"
	umount "$world"
}

# make_world NAME: and $saved, a copy of it.
make_world() {
	made=$1
	is_wanted "$1" || [ "$1" = small ] || return 0
	[ ! -e "$world" ] || chmod -R u+rwX "$world"
	rm -rf "$world" "$saved"
	build_between "$1"
	build_world "$1"
	cp -a "$world" "$saved"
}

# sweep OPTION... MODE: in the world that was made; what it found is in
# $T/found. Status 2: no sweep at all.
sweep() {
	[ -z "$look" ] || set -- -x "$look" "$@"
	[ -z "$between" ] || set -- -b "$between" "$@"
	[ -z "$otherwise" ] || set -- -B "$otherwise" "$@"
	# shellcheck disable=SC2086 # a list of words
	inject -w "$world" -s "$saved" -q MAIN -l "$T/executor.log" "$@" \
	    $runs --once -c "$CONF" -q MAIN >"$T/found" 2>&1
	case $? in
	0 | 1) ;;
	77) skip_all 'this machine does not let us trace' ;;
	*) diag "$(cat "$T/found")"
		diag "$(tail -n 5 "$T/executor.log")" ;;
	esac
}

# found NAME: a number of the last line, "points N tried N hit N bad N".
found() {
	awk -v name="$1" '$1 == "points" { for (i = 1; i < NF; i += 2)
	    if ($i == name) n = $(i + 1) } END { print n + 0 }' "$T/found"
}

# again: how to repeat the first bad point.
again() {
	sed -n 's/^bad \([^ ]*\) ([^)]*)\( then [^ ]*\)\{0,1\}.*/\1\2/p' \
	    "$T/found" | head -n 1
}

# sweep_is_good WHAT OPTION... MODE. PATCHFLOW_POINT='WORLD POINT [then POINT]'
# repeats that one and nothing else.
sweep_is_good() {
	said=$1
	shift
	is_wanted "$made" || {
		skip 2 "$said: another part was asked for"
		return
	}
	[ -z "${PATCHFLOW_POINT:-}" ] || {
		point=${PATCHFLOW_POINT#"$made "}
		case $point in
		*' then '*) set -- -O "${point#* then }" "$@" ;;
		esac
		set -- -o "${point%% then *}" "$@"
	}
	sweep "$@"
	[ "$(found bad)" -eq 0 ] ||
		diag "again: PATCHFLOW_POINT='$made $(again)' sh $0"
	sed -n 's/^role /# /p' "$T/found"
	diag "$said: $(grep '^points' "$T/found")"
	is "$said" "$(grep -v -e '^role' -e "^points.* ends $ends\$" \
	    "$T/found")" ''
	# A run that is recorded on a busy machine looks more often at its limits
	# than the next one does: not all of its points come again.
	ok "$said: most of them were hit" test "$(found tried)" -gt 0 \
	    -a $((($(found hit) + 1) * 2)) -ge "$(found tried)"
}

# control SENTENCE OPTION... MODE: in the world that was made, a sweep that
# has to be red.
control() {
	said=$1
	shift
	if [ -n "${PATCHFLOW_CLASS:-}${PATCHFLOW_POINT:-}" ] ||
	    ! is_wanted "$made"; then
		skip 1 "$said: only a part was asked for"
		return
	fi
	sweep -Q "$@"
	ok "$said" test "$(found bad)" -gt 0
	diag "$said: $(grep '^points' "$T/found")"
}
