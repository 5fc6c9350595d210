# shellcheck shell=sh
# SPDX-License-Identifier: ISC
# Each nth call of a daemon's --once failed or killed by strace. The test
# gives fresh (the scene as it was), settled (an undisturbed run behind it,
# false where that does not end well) and whole (says what is wrong).

need_strace() {
	strace -f -qq -o /dev/null -e trace=fsync true 2>/dev/null ||
		skip_all 'strace may not trace here'
}

# sweep DAEMON SENTENCE INJECTION CALL STEP: at each STEPth such call, others
# each day (each one with PATCHFLOW_LONG), until none is left.
sweep() {
	hits=0
	wrong=
	step=$5
	[ -z "${PATCHFLOW_LONG:-}" ] || step=1
	n=$((1 + ${seed:?} % step))
	while :; do
		fresh
		strace -f -qq -o "$T/trace" -e trace="$4" \
		    -e inject="$4:$3:when=$n" \
		    "$1" --once -c "$CONF" >"$T/log/run" 2>&1
		grep -Eq 'INJECTED|killed by SIGKILL' "$T/trace" || break
		hits=$((hits + 1))
		settled || wrong="$wrong not settled at $n;"
		said=$(whole 2>&1)
		[ -z "$said" ] || wrong="$wrong at $n: $said;"
		n=$((n + step))
	done
	if [ "$hits" -ge 5 ]; then
		is "$2 ($hits times)" "$wrong" ''
	else
		fail "$2" "only $hits calls were hit"
	fi
}

# sweep_all DAEMON SYNCS WRITES RENAMES: the six ways, with their steps.
sweep_all() {
	plan 6
	sweep "$1" 'killed at a sync' signal=KILL fsync "$2"
	sweep "$1" 'killed at a write' signal=KILL write "$3"
	sweep "$1" 'killed at a rename' signal=KILL renameat2 "$4"
	sweep "$1" 'a sync fails' error=EIO fsync "$2"
	sweep "$1" 'the disk is full at a write' error=ENOSPC write "$3"
	sweep "$1" 'a rename fails' error=EIO renameat2 "$4"
}
