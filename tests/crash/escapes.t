#!/bin/sh
# SPDX-License-Identifier: ISC
# Ways out of the jail, each tried by a command of a patch in every mode that
# runs commands here; and, as the control, outside of any jail.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
as_user test -x "$BUILD_DIR/tests/harness/escape" -a \
    -r "$TOP/tests/harness/listen.pl" ||
	skip_all "an ordinary user cannot read $TOP"
need_way overlay
. "$(dirname "$0")/escapes.sh"
