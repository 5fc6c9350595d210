#!/bin/sh
# SPDX-License-Identifier: ISC
# A long chain of dependencies, handed in last first, and a wide fan: the end
# of a patch costs a look at those that need it, not at all that wait. With
# PATCHFLOW_LONG=1 of 2,000 patches each.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
strace -e trace=none true 2>/dev/null || skip_all 'nothing can be traced here'
write_config </dev/null
many=60
[ -z "${PATCHFLOW_LONG:-}" ] || many=2000

# documents NEEDS: each needs the next one, or all need the last.
documents() {
	rm -rf "$SPOOL" "$T/docs"
	mkdir -p "$T/docs"
	# shellcheck disable=SC2016 # perl's
	perl -e 'my ($dir, $n, $needs) = @ARGV;
	    for my $i (1 .. $n) {
		my $to = $needs eq "next" ? $i + 1 : $n;
		open my $f, ">", sprintf("%s/%05d.json", $dir, $i) or die;
		print $f "{\"id\":\"p$i\",",
		    $i < $n ? "\"dependencies\":[\"p$to\"]," : "",
		    "\"mutations\":[{\"path\":\"f\",\"append\":\"$i\\n\"}]}\n";
	    }' "$T/docs" "$many" "$1"
	: >"$ws/f"
	find "$T/docs" -type f | sort | xargs mkjob "$SPOOL" MAIN >/dev/null
}

# passes: how often .held was read to its end.
passes() {
	grep -c "getdents64([0-9]*<$SPOOL/MAIN/patches/.held>.* = 0\$" "$T/trace"
}

# settles KIND: a look at all every two seconds while there is work, and a few
# at the end. One for each patch is what it must not be.
settles() {
	began=$(now_ms)
	ok "$1: all of it" strace -o "$T/trace" -y -e trace=getdents64 \
	    -e signal=none executor --once -c "$CONF" -q MAIN
	took=$(($(now_ms) - began))
	is "$1: has run" "$(count_files "$SPOOL/MAIN/patches/.completed")" "$many"
	diag "$1: $many patches, $took ms, $(passes) looks at all"
	ok "$1: without a look at all for each" \
	    test "$(passes)" -lt $((took / 2000 + 10))
}

documents next
settles 'a chain'
is 'in the order of its links' "$(tr '\n' ' ' <"$ws/f")" \
    "$(seq "$many" -1 1 | tr '\n' ' ')"
documents last
settles 'a fan'
is 'in the order of the queue' "$(tr '\n' ' ' <"$ws/f")" \
    "$many $(seq $((many - 1)) | tr '\n' ' ')"
done_testing
