#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 900
# executor_errors.t as an ordinary user: another jail, and a git that reads what
# it cannot trust. A few points, by the day or PATCHFLOW_SEED; with
# PATCHFLOW_LONG=1 all, of more worlds.
. "$(dirname "$0")/../harness/lib.sh"
[ "$(id -u)" -eq 0 ] || [ -n "${AS_USER:-}" ] || skip_all "see executor_errors.t"
export AS_USER=1
reexec_as_user
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/worlds.sh"

more=
[ -z "${PATCHFLOW_LONG:-}" ] || more='trees meta plain'
for name in commit $more; do
	make_world "$name"
	# shellcheck disable=SC2046,SC2086 # options
	sweep_is_good "$name: each call fails" $(one_in 600) $errors error
done
done_testing
