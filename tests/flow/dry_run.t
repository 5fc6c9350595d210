#!/bin/sh
# SPDX-License-Identifier: ISC
# Dry runs, as whoever runs the tests.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/dry_run_cases.sh"
