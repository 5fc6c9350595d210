#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 900
# executor_kill.t and executor_errors.t where commands run in a clone of the
# workspace: in namespaces, and where none can be made. A few points, by the
# day or PATCHFLOW_SEED; with PATCHFLOW_LONG=1 all, of more worlds.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
here=$(way_here)
. "$(dirname "$0")/worlds.sh"

# each_way WAY: the same worlds, whichever way it is.
each_way() {
	isolate "$1"
	for name in trees $more; do
		make_world "$name"
		# shellcheck disable=SC2046 # options
		sweep_is_good "$1, $name: killed" $(one_in 150) -X probe kill
		# shellcheck disable=SC2046,SC2086 # options
		sweep_is_good "$1, $name: a call fails" $(one_in 500) $errors \
		    error
	done
	is "$1: so it ran" "$(sed -n 's/.*isolation \([a-z-]*\),.*/\1/p' \
	    "$T/executor.log" | sort -u)" "$1"
	: >"$T/executor.log"
}

more=
[ -z "${PATCHFLOW_LONG:-}" ] || more='meta commit fails'
if [ "$here" = bare-copy ]; then
	skip 1 'no namespace can be made here'
else
	each_way copy
fi
each_way bare-copy
done_testing
