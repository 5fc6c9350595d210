#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 300
# The executor as an ordinary user, when the tests run as root.
. "$(dirname "$0")/../harness/lib.sh"
[ "$(id -u)" -eq 0 ] || [ -n "${AS_USER:-}" ] || skip_all "see executor.t"
export AS_USER=1
reexec_as_user
. "$(dirname "$0")/executor_cases.sh"
