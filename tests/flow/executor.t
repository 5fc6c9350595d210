#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 300
# The executor, as whoever runs the tests.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor_cases.sh"
