#!/bin/sh
# SPDX-License-Identifier: ISC
# sweeps.sh DIR [LANES [MINUTES]] runs the executor's sweeps whole, in classes
# of their points, so many side by side, until all are done, the time is over
# or somebody makes a file DIR/stop. Then says for each sweep how many points
# there are, how many were tried and hit, and which were bad; also without
# LANES, of what is in DIR. What was not begun is done by the next call with the
# same DIR. Exit 0 when no point was bad.
set -u
: "${BUILD_DIR:?}"
dir=$1
lanes=${2:-0}
until=$(($(date +%s) + ${3:-600} * 60))
mkdir -p "$dir/taken" || exit 2

all='plain trees meta commit fails many two next again refused'

# each TEST CLASSES WORLD...: a job for each world, the classes outermost, so
# that what was done by the time it is stopped is a sample of them all.
each() {
	test=$1 classes=$2
	shift 2
	class=0
	while [ "$class" -lt "$classes" ]; do
		for world; do
			echo "$test $world $class/$classes"
		done
		class=$((class + 1))
	done
}

errors() {
	each executor_errors 8 plain trees meta many
	each executor_errors_rest 8 commit fails two next again refused
}

# TEST WORLD CLASS/CLASSES, in the order in which they are taken. Those of one
# class are whole, and have what is no class of points.
jobs_in_order() {
	# shellcheck disable=SC2086 # a list of words
	each executor_kill 1 $all small
	each executor_kill_user 1 trees commit small
	each undo_kill 1 all
	# shellcheck disable=SC2086
	each executor_power 1 $all undone uncommit small
	each executor_recovery 1 small plain trees meta many commit fails next
	each executor_cuts 1 plain trees commit many next undone uncommit
	each executor_undo 4 undone uncommit
	errors | sort -s -t ' ' -k 3
	each executor_xfs 1 plain trees undone commit many next small
	{
		each executor_errors_user 13 commit trees meta plain
		each executor_ways 13 trees meta commit fails
	} | sort -s -t ' ' -k 3n
}

# run_job TEST WORLD CLASS/CLASSES, in a session of its own.
run_job() {
	name=$1.$2.$(echo "$3" | tr / -)
	mkdir "$dir/taken/$name" 2>/dev/null || return 0
	[ "${3#*/}" -eq 1 ] || export PATCHFLOW_CLASS="$3"
	PATCHFLOW_LONG=1 PATCHFLOW_WORLDS=$2 setsid \
	    sh "tests/crash/$1.t" >"$dir/$name.log" 2>&1 &
	echo $! >"$dir/lane.$lane"
	wait $!
	echo "# status $? $(date +%T)" >>"$dir/$name.log"
	rm -f "$dir/lane.$lane"
	unset PATCHFLOW_CLASS
}

is_over() {
	[ -e "$dir/stop" ] || [ "$(date +%s)" -ge "$until" ]
}

run_lane() {
	lane=$1
	while read -r test world class; do
		is_over && break
		run_job "$test" "$world" "$class" </dev/null
	done <"$dir/jobs"
	: >"$dir/ended.$lane"
}

# A sweep that is stopped reports what it has.
stop_running() {
	for at in "$dir"/lane.*; do
		session=$(cat "$at" 2>/dev/null) &&
			pkill -TERM -s "$session" -x inject
	done
}

watch_lanes() {
	while [ "$(find "$dir" -name 'ended.*' | wc -l)" -lt "$lanes" ]; do
		sleep 1
		is_over && stop_running
	done
}

# By test and sentence: the points are those of the largest class's record.
summarise() {
	awk '
	FNR == 1 { name = FILENAME; sub(/.*\//, "", name); jobs++
		test = name; sub(/\..*/, "", test) }
	/^# .*: points [0-9]+ tried/ {
		key = $0; sub(/^# /, "", key); sub(/: points.*/, "", key)
		key = test ": " key
		if (!(key in tried)) order[++n] = key
		sub(/.*: points/, "points")
		for (i = 1; i < 9; i += 2) got[$i] = $(i + 1)
		if (got["points"] > points[key]) points[key] = got["points"]
		tried[key] += got["tried"]; hit[key] += got["hit"]
		bad[key] += key ~ / is red$/ ? 0 : got["bad"] }
	/^not ok/ || /^# got: *bad/ || /^# *bad / { wrong[++m] = name ": " $0 }
	/^1\.\.0 # SKIP/ { wrong[++m] = name ": " $0 }
	/^# status/ { ended++; if ($3 != 0) wrong[++m] = name ": " $0 }
	END {
		for (i = 1; i <= n; i++) {
			k = order[i]
			printf "%-64s points %d tried %d hit %d bad %d\n", k,
			    points[k], tried[k], hit[k], bad[k]
			all += tried[k]; worst += bad[k]
		}
		for (i = 1; i <= m; i++) print wrong[i]
		printf "%d points tried, %d bad; %d of %d jobs ended, %d lines above say what is wrong\n",
		    all, worst, ended, total, m
		exit m > 0 }' total="$(jobs_in_order | wc -l)" "$dir"/*.log
}

run_lanes() {
	rm -f "$dir"/lane.* "$dir"/ended.*
	jobs_in_order >"$dir/jobs"
	n=0
	while [ "$n" -lt "$lanes" ]; do
		n=$((n + 1))
		run_lane "$n" &
	done
	watch_lanes
	wait
	times
}

trap 'touch "$dir/stop"' INT TERM
[ "$lanes" -eq 0 ] || run_lanes
summarise
