#!/bin/sh
# SPDX-License-Identifier: ISC
# The same as an ordinary user, when the tests run as root.
. "$(dirname "$0")/../harness/lib.sh"
[ "$(id -u)" -eq 0 ] || [ -n "${AS_USER:-}" ] || skip_all "see escapes.t"
export AS_USER=1
reexec_as_user
. "$(dirname "$0")/../flow/executor.sh"
need_way overlay
. "$(dirname "$0")/escapes.sh"
