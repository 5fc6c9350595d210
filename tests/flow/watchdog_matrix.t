#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2119 # fake_config without more settings
# What each order and each kill ends in, whatever state it meets a daemon in:
# thirty cells, each within its bound. Six of them, others each time; all with
# PATCHFLOW_LONG.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../harness/fakes.sh"

who=executor@MAIN
cells=$(for state in starting ready stopping backoff hung frozen; do
	for order in stop restart reload kill shutdown; do
		echo "$state:$order"
	done
done)
[ -n "${PATCHFLOW_LONG:-}" ] || cells=$(echo "$cells" |
    awk -v s="$seed" '(NR + int((NR - 1) / 5) + s) % 5 == 0')

begin_suite() {
	rm -f "$FAKE_DIR/$who"
	fake_config
	start watchdog watchdog -f -c "$CONF"
	until_true 10 ask start all # a stop is remembered
	until_true 20 all_ready || diag 'not ready'
}

is_running() {
	[ -e "$T/pids/watchdog" ] && running watchdog
}

life() {
	was=$(lives "$who" begin)
	script "$who" "$@"
	ask restart "$who" >/dev/null
	until_true 10 test "$(lives "$who" begin)" -gt "$was"
}

silent() {
	[ "$(status_of "$who" '.ready and .beat_age_ms > 600')" = true ]
}

waiting() {
	[ "$(status_of "$who" '.state == "backoff" and
	    .next_attempt_ms > 400')" = true ]
}

reach() {
	unscript "$who"
	ask start "$who" >/dev/null
	until_true 20 state_is "$who" ready
	case $1 in
	starting) life mute; until_true 5 state_is "$who" starting ;;
	stopping)
		life deaf
		until_true 10 state_is "$who" ready
		ask stop "$who" >/dev/null
		state_is "$who" stopping
		;;
	backoff) life exit 111; until_true 10 waiting ;;
	hung) life hang; until_true 10 silent ;;
	frozen) kill -s STOP "$(status_of "$who" .pid)" ;;
	esac || diag "state $1 not reached"
	pid=$(status_of "$who" .pid)
	unscript "$who"
}

n=0
carry_out() {
	n=$((n + 1))
	case $1 in
	stop | restart) ask "$1" "$who" >/dev/null ;;
	reload)
		fake_config
		sed -i "s|name: MAIN,|& timeout: $((60 + n))s,|" "$CONF"
		ask reload >/dev/null
		;;
	kill) [ "$pid" = null ] || kill -s KILL "$pid" ;;
	shutdown) ask down >/dev/null ;;
	esac
}

another_life() {
	state_is "$who" ready && [ "$(status_of "$who" .pid)" != "$pid" ]
}

gone() {
	stopped watchdog && [ -z "$(left_over)" ]
}

for cell in $cells; do
	is_running || begin_suite
	reach "${cell%:*}"
	carry_out "${cell#*:}"
	case $cell in
	*:shutdown) await "$cell: everything is gone" gone ;;
	*:stop | stopping:reload | stopping:kill)
		await "$cell: it is stopped" state_is "$who" stopped
		begin=$(now_ms)
		until_true 5 past "$begin" 300
		is '... and stays so' "$(status_of "$who" .why_not_running)" \
		    'stopped by the operator'
		;;
	*) await "$cell: it is ready in another life" another_life ;;
	esac
done
is 'nobody ever had a twin' "$(twins)" 0
done_testing
