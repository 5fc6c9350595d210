#!/bin/sh
# Each key of patchflow.yaml is documented, with its default, and back; the
# sample configuration is a valid one.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
case $build in /*) ;; *) build=$top/$build ;; esac
tmp=$(mktemp -d "${TMPDIR:-/tmp}/settings.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C

verdict() { # verdict STATUS NUMBER TEXT
	if [ "$1" -eq 0 ]; then echo "ok $2 - $3"; else echo "not ok $2 - $3"; fi
}

echo 1..3
"$build/tests/harness/settings_keys" > "$tmp/table" || exit 1
# .It Ic NAME Ar KIND, then (later) "Default" and ".Ql VALUE ."
awk '
function flush() { if (key != "") print key "\t" (value == "" ? "-" : value) }
/^\.It Ic / { flush(); key = $3; value = ""; want = 0; next }
/^\.(Ss|Sh) / { flush(); key = "" }
/^Default$/ { want = 1; next }
want && /^\.Ql / { value = $2 }
{ want = 0 }
' "$top/man/patchflow.yaml.5" | sort > "$tmp/man"
sed 's/\[\]\t/\t/' "$tmp/table" | sort > "$tmp/code"
cut -f1 "$tmp/man" > "$tmp/man.keys"; cut -f1 "$tmp/code" > "$tmp/code.keys"
diff "$tmp/code.keys" "$tmp/man.keys" | sed 's/^/# /'
cmp -s "$tmp/code.keys" "$tmp/man.keys"
verdict $? 1 'table and patchflow.yaml(5) have the same keys'
diff "$tmp/code" "$tmp/man" | sed 's/^/# /'
cmp -s "$tmp/code" "$tmp/man"
verdict $? 2 'and the same defaults'
grep -q '^spool: ' "$top/etc/patchflow.yaml" &&
    "$build/tests/harness/settings_keys" "$top/etc/patchflow.yaml" > /dev/null
verdict $? 3 'the sample configuration is valid'
