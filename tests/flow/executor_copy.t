#!/bin/sh
# SPDX-License-Identifier: ISC
# All that executor.t asks, in a clone of the workspace.
. "$(dirname "$0")/../harness/lib.sh"
[ -n "${PATCHFLOW_LONG:-}" ] || skip_all "isolation.t has the short form"
isolation=copy
. "$(dirname "$0")/executor_cases.sh"
