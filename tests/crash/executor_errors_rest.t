#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 500
# The second half of executor_errors.t, which says what is done here: the
# worlds that take longest, beside those of the first.
. "$(dirname "$0")/../harness/lib.sh"
[ -n "${PATCHFLOW_LONG:-}" ] ||
	skip_all 'executor_errors.t has the short form'
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/worlds.sh"

for name in commit fails two next again refused; do
	make_world $name
	# shellcheck disable=SC2046,SC2086 # options
	sweep_is_good "$name: each call fails" $(one_in 1) $errors error
done
done_testing
