#!/bin/sh
# SPDX-License-Identifier: ISC
# Limits that hold: what stops a patch, in which stage, with which numbers;
# and the next patch is not disturbed.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/../flow/executor.sh"
. "$(dirname "$0")/limits.sh"
