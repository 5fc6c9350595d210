#!/bin/sh
# SPDX-License-Identifier: ISC
# fuzz.sh SECONDS TARGET... runs each libFuzzer target for so long, from the
# seeds in tests/fuzz/corpus/NAME; what crashed it stays beside the target.
set -eu

seconds=$1
shift
for target in "$@"; do
	name=$(basename "$target")
	found=$(dirname "$target")/found/$name
	seeds=tests/fuzz/corpus/${name#fuzz_}
	[ -d "$seeds" ] || seeds=
	mkdir -p "$found"
	echo "$name: $seconds s"
	log=$found.log
	# shellcheck disable=SC2086 # seeds may be none
	if ! "$target" -max_total_time="$seconds" -timeout=10 \
	    -rss_limit_mb=2048 -max_len=65536 -artifact_prefix="$found.crash-" \
	    "$found" $seeds >"$log" 2>&1; then
		tail -n 40 "$log"
		echo "$name: failed, see $log" >&2
		exit 1
	fi
	tail -n 1 "$log"
done
