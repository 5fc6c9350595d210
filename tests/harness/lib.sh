# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# What a shell test (.t) stands on. It begins with
#
#	. "$(dirname "$0")/../harness/lib.sh"
#	plan 3            (or done_testing at the end)
#
# and then has, in $T, a scratch directory of its own that goes at the end
# together with every process that the test started. The binaries under test
# are first in PATH, from $BUILD_DIR or build/. Nothing sleeps: await polls.

set -u
TOP=$(cd "$(dirname "$0")" && while [ ! -e Makefile ] && [ "$PWD" != / ]; do
	cd ..; done; pwd)
# The test's own file, for those that start themselves again: $0 may be
# relative to a directory that the test has left.
TEST_FILE=$(cd "$(dirname "$0")" && pwd)/${0##*/}
BUILD_DIR=${BUILD_DIR:-$TOP/build}
PATH=$BUILD_DIR/bin:$BUILD_DIR/tests/harness:$PATH
LC_ALL=C
TZ=UTC
export TOP BUILD_DIR PATH LC_ALL TZ
unset PATCHFLOW_CONFIG NOTIFY_SOCKET WATCHDOG_USEC
umask 022

T=$(mktemp -d "${TMPDIR:-/tmp}/patchflow-t.XXXXXX") || exit 1
T=$(cd "$T" && pwd -P)
# Marks every process of this test, see kill_started.
PATCHFLOW_TEST_MARK=$T
HOME=$T/home
export T PATCHFLOW_TEST_MARK HOME
GIT_CONFIG_NOSYSTEM=1
GIT_CONFIG_GLOBAL=/dev/null
GIT_AUTHOR_NAME=tester GIT_AUTHOR_EMAIL=tester@example.invalid
GIT_COMMITTER_NAME=tester GIT_COMMITTER_EMAIL=tester@example.invalid
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_AUTHOR_NAME \
    GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
mkdir -p "$HOME" "$T/pids"
chmod 755 "$T"

# By this a test chooses its share of what a long run takes all of: another
# one each day, the same all day.
# shellcheck disable=SC2034 # read by the tests
seed=${PATCHFLOW_SEED:-$(($(date +%s) / 86400))}

tests_run=0
tests_failed=0
tests_planned=
AWAIT=${AWAIT:-60} # seconds that await waits, of a machine that is busy

# --- end of the test

. "$TOP/tests/harness/groups.sh"
. "$TOP/tests/harness/looking.sh"

# Pids of all processes that carry our mark, this shell and its subshells not.
started() {
	# Listed before grep is there, which carries the mark as well.
	set -- /proc/[0-9]*/environ
	grep -lzx "PATCHFLOW_TEST_MARK=$T" "$@" 2>/dev/null |
	while IFS=/ read -r _ _ pid _; do
		is_ours "$pid" || echo "$pid"
	done
}

# True for this shell and for the subshells it is running right now.
is_ours() {
	walk=$1
	while [ -n "$walk" ] && [ "$walk" -gt 1 ]; do
		[ "$(readlink "/proc/$walk/exe")" = "$(readlink "/proc/$$/exe")" ] ||
			return 1
		[ "$walk" = "$$" ] && return 0
		walk=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$walk/status")
	done 2>/dev/null
	return 1
}

# Kills what the test started until nothing is left.
kill_started() {
	tries=0
	while left=$(started) && [ -n "$left" ] && [ "$tries" -lt 100 ]; do
		# shellcheck disable=SC2086 # a list of pids
		kill -KILL $left 2>/dev/null
		tries=$((tries + 1))
		pause
	done
	wait 2>/dev/null
}

cleanup() {
	trap - EXIT INT TERM HUP
	trap : PIPE # not to end here, as the programs still do
	kill_started
	remove_groups
	cd / || exit 1
	if [ -n "${KEEP_SCRATCH:-}" ]; then
		echo "# kept $T"
	else
		chmod -R u+rwX "$T" 2>/dev/null
		rm -rf "$T"
	fi
}

finish() {
	rc=$?
	cleanup
	if [ -n "$tests_planned" ] && [ "$tests_planned" -ne "$tests_run" ] &&
	    [ "$rc" -eq 0 ]; then
		echo "# planned $tests_planned, ran $tests_run"
		rc=1
	fi
	[ "$tests_failed" -eq 0 ] || [ "$rc" -ne 0 ] || rc=1
	exit "$rc"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP PIPE

# --- TAP

plan() {
	tests_planned=$1
	echo "1..$1"
}

done_testing() {
	echo "1..$tests_run"
}

skip_all() {
	echo "1..0 # SKIP $*"
	tests_planned=
	exit 0
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
	tests_run=$((tests_run + 1))
	echo "ok $tests_run - $1"
}

fail() {
	tests_run=$((tests_run + 1))
	tests_failed=$((tests_failed + 1))
	echo "not ok $tests_run - $1"
	shift
	[ $# -eq 0 ] || diag "$*"
	return 0
}

# skip COUNT REASON
skip() {
	n=$1
	shift
	while [ "$n" -gt 0 ]; do
		tests_run=$((tests_run + 1))
		echo "ok $tests_run # SKIP $*"
		n=$((n - 1))
	done
}

# ok SENTENCE COMMAND...: the command succeeds.
ok() {
	said=$1
	shift
	if "$@" >"$T/out" 2>&1; then
		pass "$said"
	else
		fail "$said" "exit status $?: $*"
		diag "$(tail -n 30 "$T/out")"
	fi
}

# fails SENTENCE COMMAND...: it does not.
fails() {
	said=$1
	shift
	if "$@" >"$T/out" 2>&1; then
		fail "$said" "succeeded: $*"
		diag "$(tail -n 30 "$T/out")"
	else
		pass "$said"
	fi
}

# exits STATUS SENTENCE COMMAND...; what it said is in $T/out.
exits() {
	want=$1
	said=$2
	shift 2
	"$@" >"$T/out" 2>&1
	rc=$?
	if [ "$rc" -eq "$want" ]; then
		pass "$said"
	else
		fail "$said" "exit status $rc, not $want: $*"
		diag "$(tail -n 30 "$T/out")"
	fi
}

# is SENTENCE GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:  $2"
		diag "want: $3"
	fi
}

# like SENTENCE TEXT PATTERN (grep -E)
like() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		pass "$1"
	else
		fail "$1" "no match for $3 in:"
		diag "$(printf '%s\n' "$2" | head -n 30)"
	fi
}

# --- time

pause() {
	sleep 0.05
}

now_ms() {
	echo "$(($(date +%s%N) / 1000000))"
}

# Hundredths of a second since the boot, in $uptime: no process is started.
read_uptime() {
	read -r uptime _ </proc/uptime
	uptime=${uptime%.*}${uptime#*.}
}

# until_true SECONDS COMMAND...: polls, what takes long less often; 1 when the
# time is over.
until_true() {
	read_uptime
	deadline=$((uptime + $1 * 100))
	soon=$((uptime + 100))
	shift
	until "$@" >"$T/await.out" 2>&1; do
		read_uptime
		[ "$uptime" -lt "$deadline" ] || return 1
		pause
		[ "$uptime" -lt "$soon" ] || pause
	done
}

# await SENTENCE COMMAND...: the command succeeds within $AWAIT seconds.
await() {
	said=$1
	shift
	if until_true "$AWAIT" "$@"; then
		pass "$said"
	else
		fail "$said" "not within $AWAIT s: $*"
		diag "$(tail -n 30 "$T/await.out")"
		show_logs
	fi
}

# --- users

# An ordinary user of this machine for tests that run as root.
plain_uid() {
	getent passwd | awk -F: '$3 >= 1000 && $3 < 60000 { print $3; exit }'
}

# need_root, need_plain_user: or the whole test is skipped.
need_root() {
	[ "$(id -u)" -eq 0 ] || skip_all "needs root"
}

# as_user COMMAND...: as an ordinary user; as ourselves when we are one.
as_user() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
		return
	fi
	uid=$(plain_uid)
	setpriv --reuid "${uid:-65534}" --regid "${uid:-65534}" --clear-groups \
	    -- "$@"
}

# Hands the scratch directory to the user of as_user.
give_scratch() {
	[ "$(id -u)" -ne 0 ] || chown -R "$(as_user id -u):$(as_user id -g)" "$T"
}

# reexec_as_user: the rest of this test runs as an ordinary user. Call it
# first of all.
# shellcheck disable=SC2016 # the inner shell expands them
reexec_as_user() {
	[ "$(id -u)" -eq 0 ] || return 0
	as_user sh -c 'test -r "$1" && test -x "$2"' - "$TEST_FILE" "$BUILD_DIR/bin" ||
		skip_all "an ordinary user cannot read $TOP"
	cleanup
	uid=$(plain_uid)
	exec setpriv --reuid "${uid:-65534}" --regid "${uid:-65534}" \
	    --clear-groups -- sh "$TEST_FILE"
}

# own_mounts: the rest of this test runs in a mount namespace that it shares with
# nobody but what it starts; its mounts end with it. An ordinary user is root
# there, of a user namespace. Call it first of all.
own_mounts() {
	[ -z "${PATCHFLOW_IN_NAMESPACE:-}" ] || return 0
	how=-m
	[ "$(id -u)" -eq 0 ] || how=-Urm
	unshare "$how" true 2>/dev/null || skip_all 'no mount namespace here'
	cleanup
	PATCHFLOW_IN_NAMESPACE=yes exec unshare "$how" --propagation private \
	    sh "$TEST_FILE"
}

# --- the suite

CONF=$T/patchflow.yaml
SPOOL=$T/spool
CHAT=$T/chat.md

# write_config [QUEUE_LINES]: two queues, MAIN (alias BRAUN) and CYOPS (alias
# DEV, the default), with workspaces $T/ws/main and $T/ws/cyops; one
# transcript, one reply directory, one alert file; short times. Standard
# input, if it is no terminal and not empty, is appended (more sections).
write_config() {
	mkdir -p "$T/ws/main" "$T/ws/cyops" "$T/replies" "$T/log"
	[ -e "$CHAT" ] || : >"$CHAT"
	{
		cat <<-END
		spool: $SPOOL
		queues:
		  - name: MAIN
		    aliases: [BRAUN]
		    workspace: $T/ws/main
		    command_timeout: 10s
		    timeout: 60s
		  - name: CYOPS
		    aliases: [DEV]
		    workspace: $T/ws/cyops
		    default: true
		    command_timeout: 10s
		    timeout: 60s
		bridge:
		  poll: 250ms
		  settle: 100ms
		  sources:
		    - {type: transcript, name: chat, path: $CHAT}
		summaries:
		  destinations:
		    - {name: replies, type: directory, path: $T/replies}
		alerts:
		  channels:
		    - {name: log, type: file, path: $T/alerts.log}
		logs: {directory: $T/log}
		END
		[ -t 0 ] || cat
	} >"$CONF"
	PATCHFLOW_CONFIG=$CONF
	export PATCHFLOW_CONFIG
}

# start NAME COMMAND...: in the background, its output in $T/log/NAME.
start() {
	name=$1
	shift
	mkdir -p "$T/log"
	"$@" >>"$T/log/$name" 2>&1 </dev/null &
	echo $! >"$T/pids/$name"
}

pid_of() {
	cat "$T/pids/$1"
}

running() {
	kill -0 "$(pid_of "$1")" 2>/dev/null
}

stopped() {
	! running "$1"
}

# stop NAME [SIGNAL]: ends it and waits for it; its exit status.
stop() {
	kill -s "${2:-TERM}" "$(pid_of "$1")" 2>/dev/null
	wait "$(pid_of "$1")" 2>/dev/null
}

# suite_start: the watchdog with everything; ready when it says so.
suite_start() {
	start watchdog watchdog -f -c "$CONF"
	until_true "$AWAIT" suite_ready || {
		diag "the suite is not ready after $AWAIT s"
		show_logs
		return 1
	}
}

# Not by jq -e, which is content with no input at all.
suite_ready() {
	[ "$(patchflow -c "$CONF" --json status | jq '.daemons |
	    length >= 5 and all(.[]; .state == "ready")')" = true ]
}

suite_stop() {
	stop watchdog
}

show_logs() {
	for log in "$T"/log/*; do
		[ -s "$log" ] || continue
		diag "--- ${log##*/}"
		diag "$(tail -n 40 "$log")"
	done
}

# drain: everything there is to do, by the daemons' --once, in their order.
drain() {
	ghost-bridge --once -c "$CONF" &&
	executor --once -c "$CONF" -q MAIN &&
	executor --once -c "$CONF" -q CYOPS &&
	summarizer --once -c "$CONF" &&
	alertd --once -c "$CONF"
}

# chat <<EOF: appends standard input to the transcript in one write.
chat() {
	text=$(cat; echo x)
	printf '%s\n' "${text%x}" >>"$CHAT"
}
