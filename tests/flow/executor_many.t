#!/bin/sh
# SPDX-License-Identifier: ISC
# A very long queue: the first claim costs one reading of the directory and a
# bounded amount of memory, and patches after it none.
#
# In memory where that does: elsewhere so many files cost more than all else.
if [ "$(id -u)" -eq 0 ] && [ -w /dev/shm ]; then
	TMPDIR=/dev/shm
	export TMPDIR
fi
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
command -v strace >/dev/null || skip_all 'no strace here'
write_config </dev/null
many=50000
[ -z "${PATCHFLOW_LONG:-}" ] || many=1000000
patches=$SPOOL/MAIN/patches

# Some that run, the first of them until we have looked; a line each in their
# order.
nap="sleep 308.$$"
{
	echo "{\"id\":\"first\",\"priority\":0,\"mutations\":[{\"path\":\"1\",\"contents\":\"x\"}],\"validate\":{\"shell\":[\"$nap || true\"]}}"
	i=0
	while [ $((i += 1)) -le 40 ]; do
		echo "{\"id\":\"n$i\",\"priority\":1,\"mutations\":[{\"path\":\"order\",\"append\":\"$i\"}]}"
	done
	echo '{"id":"last","priority":2,"mutations":[{"path":"order","append":"last"}],"validate":{"shell":["sleep 4717"]}}'
} | queue_json >/dev/null
# And very many behind them, in no order. Nobody looks into these.
# shellcheck disable=SC2016 # perl's
perl -e 'my ($dir, $n) = @ARGV; my $t = time;
    for my $i (0 .. $n - 1) {
	my $at = $t * 1000000 - 1000000 + ($i * 7919) % $n;
	open my $f, ">", sprintf("%s/9-%016d-m%d-%08x,1.json", $dir, $at, $i, $i)
	    or die;
    }' "$patches" "$many" || exit 1
is 'the queue is long' "$(find "$patches" -maxdepth 1 -name '9-*' | wc -l)" "$many"

# passes: how often the directory was read to its end.
passes() {
	grep -c "getdents64([0-9]*<$patches>.* = 0\$" "$T/trace"
}
is_running() {
	[ -n "$(find "$patches/.running" -name "*-$1-*")" ]
}
start executor strace -o "$T/trace" -y -e trace=getdents64 -e signal=none \
    executor -f -c "$CONF" -q MAIN
await 'the first one runs' is_running first
like 'after a reading or two of the directory' "$(passes)" '^[12]$'
pid=$(pgrep -P "$(pid_of executor)" -x executor | head -n 1)
rss=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
diag "peak memory $rss kB"
ok 'in a bounded amount of memory' test "$rss" -lt 65536
before=$(passes)
await 'the others run' woken_and is_running last
is 'in their order' "$(cat "$ws/order")" "$(seq 40)"
# A tenth of the time may go into reading again, for the changes that it sees.
after=$(passes)
diag "readings: $before, then $after"
ok 'without a reading for each' test $((after - before)) -lt 20
kill -KILL "$pid"
done_testing
