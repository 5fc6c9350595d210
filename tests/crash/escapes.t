#!/bin/sh
# SPDX-License-Identifier: ISC
# Ways out of the jail, each tried by a command of a patch in every mode that
# runs commands here; and, as the control, outside of any jail.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/escapes.sh"
