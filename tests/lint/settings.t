#!/bin/sh
# SPDX-License-Identifier: ISC
# Each key of patchflow.yaml is documented, with its default, and back; the
# sample configuration is a valid one.
. "$(dirname "$0")/../harness/lib.sh"
cd "$TOP" || exit 1
plan 3

settings_keys >"$T/table" || exit 1
# .It Ic NAME Ar KIND, then (later) "Default" and ".Ql VALUE ."
awk '
function flush() { if (key != "") print key "\t" (value == "" ? "-" : value) }
/^\.It Ic / { flush(); key = $3; value = ""; want = 0; next }
/^\.(Ss|Sh) / { flush(); key = "" }
/^Default$/ { want = 1; next }
want && /^\.Ql / { value = $2 }
{ want = 0 }
' man/patchflow.yaml.5 | sort >"$T/man"
sed 's/\[\]\t/\t/' "$T/table" | sort >"$T/code"
is 'table and patchflow.yaml(5) have the same keys' \
    "$(cut -f1 "$T/man")" "$(cut -f1 "$T/code")"
is 'and the same defaults' "$(diff "$T/code" "$T/man")" ''
ok 'the sample configuration is valid' settings_keys etc/patchflow.yaml
