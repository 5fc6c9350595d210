#!/bin/sh
# SPDX-License-Identifier: ISC
# All that executor.t asks, where no namespace can be made, as an ordinary user.
. "$(dirname "$0")/../harness/lib.sh"
[ -n "${PATCHFLOW_LONG:-}" ] || skip_all "isolation.t has the short form"
[ "$(id -u)" -eq 0 ] || [ -n "${AS_USER:-}" ] || skip_all "see executor_bare.t"
export AS_USER=1
reexec_as_user
isolation=bare-copy
. "$(dirname "$0")/executor_cases.sh"
