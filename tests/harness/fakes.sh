# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# A suite of stand-ins (fakedaemon.c) under the real watchdog, behind lib.sh.

FAKE_DIR=$T/fake
PATCHFLOW_LIBEXEC=$T/libexec
export FAKE_DIR PATCHFLOW_LIBEXEC
mkdir -p "$FAKE_DIR" "$PATCHFLOW_LIBEXEC" "$T/ws/main" "$T/ws/cyops"
chmod 777 "$FAKE_DIR"
for fake in alertd summarizer executor ghost-bridge; do
	cp "$BUILD_DIR/tests/harness/fakedaemon" "$PATCHFLOW_LIBEXEC/$fake"
done
: >"$FAKE_DIR/lives"
chmod 666 "$FAKE_DIR/lives"

# fake_config: two queues, short times.
fake_config() {
	cat >"$CONF" <<END
spool: $SPOOL
queues:
  - {name: MAIN, workspace: $T/ws/main}
  - {name: CYOPS, workspace: $T/ws/cyops, default: true}
logs: {directory: $T/logs, size: 100K, count: 3}
watchdog:
  heartbeat: 250ms
  hang: 2s
  start_timeout: 3s
  stop_grace: 300ms
  check: 300ms
END
}

# script INSTANCE WORDS...: what it does from its next life on.
script() {
	who=$1
	shift
	printf '%s\n' "$*" >"$FAKE_DIR/$who"
}

unscript() {
	rm -f "$FAKE_DIR/$1"
}

ask() {
	"$TOP/tests/harness/ask.pl" "$SPOOL" "$@"
}

# status_of INSTANCE FILTER: one value of its status.
status_of() {
	ask status | jq -r --arg n "$1" \
	    ".daemons[] | select(.name == \$n) | $2"
}

state_is() {
	[ "$(status_of "$1" .state)" = "$2" ]
}

all_ready() {
	ask status >"$T/status" && jq -e '.daemons | length > 0 and
	    all(.[]; .state == "ready")' "$T/status" >/dev/null
}

# lives INSTANCE WHAT: how many such stamps there are.
lives() {
	awk -v n="$1" -v w="$2" '$1 == n && $2 == w' "$FAKE_DIR/lives" | wc -l
}

twins() {
	grep -c TWIN "$FAKE_DIR/lives"
}

# alert TYPE SUBJECT [RESOLVED]: is there such an alert in the spool?
alert() {
	raised "$1" "select(.subject == \"$2\" and .resolved == ${3:-false}) |
	    .type" | grep -q .
}

count_alerts() {
	raised "$1" "select(.subject == \"$2\") | .type" | wc -l
}

# Polls until MS have passed since START (of now_ms).
past() {
	[ "$(($(now_ms) - $1))" -ge "$2" ]
}

# How often the supervisor said that it was late itself: deadlines began anew
# then.
times_late() {
	ask status | jq .watchdog.late
}

# timely SENTENCE MS LIMIT LATE: at most LIMIT, of a supervisor that has not
# been late since times_late said LATE. A starved one proves nothing.
timely() {
	if [ "$2" -gt "$3" ] && [ "$(times_late)" -gt "$4" ]; then
		skip 1 "$1: $2 ms, but the machine was busy"
		return
	fi
	is "$1" "$(($2 <= $3 ? 0 : $2))" 0
}

# When it last ended, in ms as now_ms.
ended_ms() {
	status_of "$1" '.last_exit.at |
	    (.[:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber)'
}

# How many of those who fled are alive: each holds the lock of its file.
escapees() {
	alive=0
	for f in "$FAKE_DIR"/escape.*; do
		[ ! -e "$f" ] || flock -n "$f" true || alive=$((alive + 1))
	done
	echo "$alive"
}

# Processes that run one of our binaries, whatever they call themselves.
left_over() {
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe" 2>/dev/null) in
		"$PATCHFLOW_LIBEXEC"/*) echo "$exe" ;;
		esac
	done
}
