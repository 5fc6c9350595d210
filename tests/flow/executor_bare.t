#!/bin/sh
# SPDX-License-Identifier: ISC
# All that executor.t asks, where no namespace can be made.
. "$(dirname "$0")/../harness/lib.sh"
[ -n "${PATCHFLOW_LONG:-}" ] || skip_all "isolation.t has the short form"
isolation=bare-copy
. "$(dirname "$0")/executor_cases.sh"
