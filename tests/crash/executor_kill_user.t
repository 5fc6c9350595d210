#!/bin/sh
# SPDX-License-Identifier: ISC
# executor_kill.t as an ordinary user, whose jail is another one,
# and where a call of git fails.
. "$(dirname "$0")/../harness/lib.sh"
[ "$(id -u)" -eq 0 ] || [ -n "${AS_USER:-}" ] || skip_all "see executor_kill.t"
export AS_USER=1
reexec_as_user
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/worlds.sh"
make_world trees
# shellcheck disable=SC2046 # options
sweep_is_good 'entries that become another kind' $(one_in 50) kill
make_world commit
# shellcheck disable=SC2046 # options
sweep_is_good 'a patch with a git commit' $(one_in 100) -X probe kill
# Here git reads all files for its status, and calls changed what it cannot.
# shellcheck disable=SC2046 # options
sweep_is_good 'a file that git cannot open' $(one_in 50) -r git -c openat \
    -e EIO error

make_world small
control 'without the commit record the same sweep is red' -F -r executor \
    -c renameat2 kill
done_testing
