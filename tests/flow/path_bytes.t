#!/bin/sh
# SPDX-License-Identifier: ISC
# A configuration in a directory whose name is no UTF-8: refused in words, for
# what is kept of its paths could not be written.
. "$(dirname "$0")/../harness/lib.sh"
plan 5

mkdir "$T/$(printf 'na\357me')" "$T/$(printf 'na\303\257me')"
cd "$T/$(printf 'na\357me')" || exit 1
patchflow init >"$T/out" 2>&1
exits 78 'a daemon ends with it' ghost-bridge --once -c patchflow.yaml
exits 78 'and so does the command' patchflow check-config
like 'which says why' "$(cat "$T/out")" 'spool: must be UTF-8, as must the names'
is 'nothing was begun' "$(ls -d var/spool/ids 2>/dev/null)" ''
cd "$T/$(printf 'na\303\257me')" || exit 1
patchflow init >"$T/out" 2>&1
exits 0 'in UTF-8 it may be named as one likes' \
    ghost-bridge --once -c patchflow.yaml
