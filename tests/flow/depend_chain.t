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
	# No looking for leaks under a tracer.
	ok "$1: all of it" env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
	    strace -o "$T/trace" -y -e trace=getdents64 -e signal=none \
	    executor --once -c "$CONF" -q MAIN
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

# Links in two queues by turns, each woken by the end of the one before: what it
# has waited for that is in the outcomes, and six of eight decide.
links=9
rm -rf "$SPOOL" "$T/docs"
mkdir -p "$T/docs"
for i in $(seq "$links"); do
	need=
	[ "$i" -eq 1 ] || need='"dependencies":["l'$((i - 1))'"],'
	echo '{"id":"l'"$i"'",'"$need"'"mutations":[{"path":"l","contents":"'"$i"'"}]}' \
	    >"$T/docs/$i.json"
done
for i in 2 4 6 8; do
	mkjob "$SPOOL" CYOPS "$T/docs/$i.json"
done >/dev/null
for i in 3 5 7 9; do
	mkjob "$SPOOL" MAIN "$T/docs/$i.json"
done >/dev/null
# shellcheck disable=SC2317 # await runs it
held() {
	[ "$(count_files "$SPOOL/$1/patches/.held")" -eq 4 ]
}
# shellcheck disable=SC2317 # and this
linked() {
	[ "$(count_files "$SPOOL/MAIN/patches/.completed")" -eq 5 ] &&
	    [ "$(count_files "$SPOOL/CYOPS/patches/.completed")" -eq 4 ]
}
# at ID FIELD: milliseconds.
at() {
	date +%s%3N -d "$(head -qn 1 "$SPOOL"/*/outcomes/new/*.json |
	    jq -r 'select(.id == "'"$1"'").'"$2")"
}
for queue in MAIN CYOPS; do
	start "$queue" executor -f -c "$CONF" -q "$queue"
	await "$queue holds its links" held "$queue"
done
mkjob "$SPOOL" MAIN "$T/docs/1.json" >/dev/null
await 'a chain through two queues comes to its end' linked
for i in $(seq 2 "$links"); do
	echo $(($(at "l$i" started_at) - $(at "l$((i - 1))" finished_at)))
done | sort -n >"$T/gaps"
diag "from the end of one to the start of the next, in ms: $(tr '\n' ' ' <"$T/gaps")"
ok 'whose links do not wait for a look' test "$(sed -n 6p "$T/gaps")" -lt 1000
stop MAIN
stop CYOPS

# --- what is being accepted is neither done nor forgotten

rm -rf "$SPOOL"
ok 'a patch that needs another one' run_json <<'END'
{"id":"needs","dependencies":["needed"],"mutations":[{"path":"n","contents":"n"}]}
END
find "$SPOOL/ids" -type l | sort >"$T/ids"
queue_json >/dev/null <<'END'
{"id":"needed","mutations":[{"path":"m","contents":"m"}]}
END
# As a bridge leaves it that is killed before the file has its name.
entry=$(find "$SPOOL/ids" -type l | sort | comm -13 "$T/ids" -)
file=$(find "$SPOOL/MAIN/patches" -name '*-needed-*')
mv "$entry" "$SPOOL/ids/pending/"
mv "$file" "$T/needed"
ok 'beside a patch that is being accepted' once
is 'the one that needs it waits' "$(where_is needs)" held
like 'for that' "$(patchflow show needs)" 'waits for needed@MAIN .on its way.'
mv "$SPOOL/ids/pending/${entry##*/}" "$entry"
mv "$T/needed" "$file"
ok 'it is accepted' once
is 'and both run' "$(where_is needed) $(where_is needs)" 'completed completed'
done_testing
