#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 400
# The other half of what escapees.t tries one by one: kinds that breed, spin
# and hide.
. "$(dirname "$0")/../harness/lib.sh"
[ -n "${PATCHFLOW_LONG:-}" ] || skip_all "PATCHFLOW_LONG=1 runs it"
cleanup
export ZOO_KINDS='disown chain tree bomb vfork storm passed busy'
exec sh "${TEST_FILE%_wild.t}.t"
