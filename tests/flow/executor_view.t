#!/bin/sh
# SPDX-License-Identifier: ISC
# What the queue's settings make of a patch: mapped and shown paths, the
# environment, gates, protected paths, limits; and the patch that kills.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
need_way overlay
write_config </dev/null
mkdir -p "$T/cache"
echo cached >"$T/cache/tool"
cp "$CONF" "$CONF.plain"
sed -i "s|^    aliases: \[BRAUN\]|&\n    path_map: {/Users/me/app: $ws}\n    expose: [$T/cache]\n    env: [SEEN]\n    gates: [\"test ! -e forbidden\"]\n    protected: [keys]|" "$CONF"
SEEN=yes HIDDEN=no
export SEEN HIDDEN
mkdir "$ws/keys"
echo k >"$ws/keys/k"

cat >"$ws/crowd" <<'END'
for (1 .. 30) {
	my $pid = fork;
	last if !defined $pid;
	push @all, $pid;
	if (!$pid) { sleep 60; exit }
}
kill KILL => @all;
1 while wait > 0;
open my $k, ">", "keys/k";
END

ok 'runs with all settings' run_json <<END
{"id":"map","mutations":[{"path":"/Users/me/app/m","contents":"mapped\n"}],"validate":{"shell":["cat /Users/me/app/m","cat $T/cache/tool; ! echo x > $T/cache/new","echo \$SEEN-\$HIDDEN; echo x > keys/none || true; rm -f keys/none","yes | head -n 1"]}}
{"id":"gate","mutations":[{"path":"forbidden","contents":"x"}]}
{"id":"keys1","mutations":[{"path":"keys/k","contents":"x"}]}
{"id":"keys2","mutations":[{"path":"x","contents":"x"}],"postMutationBuild":{"shell":["echo x > keys/k"]}}
{"id":"keys4","limits":{"processes":12},"mutations":[{"path":"x","contents":"x"}],"postMutationBuild":{"shell":["perl crowd"]}}
{"id":"keys3","mutations":[{"path":"x","contents":"x"}],"postMutationBuild":{"shell":["rm -rf keys"]}}
END
is 'a mapped path is the workspace' "$(cat "$ws/m")" mapped
is 'for commands too' "$(outcome map '.commands[0].output_head')" mapped
like 'an exposed directory is seen, not written' \
    "$(outcome map '.commands[1] | "\(.exit_code) \(.output_head)"')" '^0 cached'
is 'named variables are passed, others not' \
    "$(outcome map '.commands[2].output_head')" yes-
is 'what nobody reads ends without a complaint' \
    "$(outcome map '.commands[3].output_head')" y
is 'a gate is passed by every patch' "$(outcome gate '"\(.stage) \(.commands[-1].phase)"')" \
    'validation gate'
is 'with a gate nothing is unvalidated' "$(outcome gate .unvalidated)" false
is 'a protected path is forbidden' "$(outcome keys1 .reason)" forbidden
is 'to commands as well' "$(outcome keys2 .state)" failed
case $(outcome keys4 .limits) in
cgroup?) ok 'forks are refused to one' \
	    test "$(outcome keys4 .usage.refused_forks)" -gt 0
	like 'which goes on, and fails for what it did' \
	    "$(outcome keys4 .error)" 'keys/k, which is a protected path' ;;
*)	skip 2 'no control group that refuses forks' ;;
esac
is 'which cannot take it away either' "$(outcome keys3 .state)" failed
is 'it is as it was' "$(cat "$ws/keys/k")" k
cp "$CONF.plain" "$CONF"

# --- limits

ok 'runs into its limits' run_json <<'END'
{"id":"mem","limits":{"memory":"64M"},"mutations":[{"path":"x","contents":"x"}],"validate":{"shell":["perl -e '$x = \"a\" x (256 << 20); print length $x'"]}}
{"id":"size","mutations":[{"path":"x","contents":"x"}],"validate":{"shell":["exec head -c 40000000 /dev/zero >big"]}}
{"id":"forks","limits":{"processes":20,"command_timeout":"5s"},"mutations":[{"path":"x","contents":"x"}],"validate":{"shell":["i=0; while [ $i -lt 60 ]; do sleep 3 & i=$((i+1)); done; wait"]}}
END
is 'memory' "$(outcome mem .state)" failed
is 'file size' "$(outcome size '"\(.stage) \(.commands[0].signal)"')" 'limit 25'
if [ "$(stat -c %u "$ws")" = 0 ]; then
	skip 1 'the kernel does not limit processes of uid 0'
else
	is 'processes' "$(outcome forks .state)" failed
fi

# --- the net namespace: packets are counted in it

# What waits for its time holds a port: the one that closes first keeps it.
cat >"$ws/shadow" <<'END'
use IO::Socket::INET;
my $l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $l->sockport) or die;
my $s = $l->accept or die;
close $s; sysread $c, my $end, 1; close $c;
END
cat >"$ws/packet" <<'END'
use IO::Socket::INET;
IO::Socket::INET->new(Proto => "udp", PeerAddr => "127.0.0.1", PeerPort => 9)->send("x");
END
ok 'patches use their loopback' run_json <<'END'
{"id":"net1","validate":{"shell":["readlink /proc/self/ns/net","perl packet"]}}
{"id":"net2","validate":{"shell":["awk '/lo:/ { print ($3 > 0) }' /proc/net/dev","perl packet"]}}
{"id":"net3","validate":{"shell":["awk '/lo:/ { print ($3 > 0) }' /proc/net/dev","perl packet"]}}
{"id":"net4","validate":{"shell":["awk '/lo:/ { print ($3 > 0) }' /proc/net/dev","perl shadow; grep -o 'tw [0-9]*' /proc/net/sockstat"]}}
{"id":"net5","validate":{"shell":["awk '/lo:/ { print ($3 > 0) }' /proc/net/dev","perl shadow; grep -o 'tw [0-9]*' /proc/net/sockstat"]}}
END
# net N [COMMAND]: what it said.
net() {
	outcome "net$1" ".commands[${2:-0}].output_head"
}
ok 'it is not that of the machine' \
    test "$(net 1)" != "$(readlink /proc/self/ns/net)"
is 'a connection leaves something there' "$(net 4 1)" 'tw 1'
is 'which the next patch does not find' "$(net 5 1)" 'tw 1'
is 'for it has a new one' "$(net 5)" 0
if [ "$(id -u)" -eq 0 ]; then
	like 'where nothing is left there is no need' \
	    "$(net 2)$(net 3)$(net 4)" 1
else
	is 'as a user always has' "$(net 2)$(net 3)$(net 4)" 000
fi

# --- a jail made ahead

ok 'ten patches in a row' run_json <<END
$(for i in 0 1 2 3 4 5 6 7 8 9; do
	echo "{\"id\":\"row$i\",\"validate\":{\"shell\":[\"ls /tmp/x /run/x /dev/shm/x 2>/dev/null; touch /tmp/x /run/x /dev/shm/x; stat -c %.9Z /home; date +%s.%N\"]}}"
done)
END
# row N: what is private to it; when that was made; when the patch ran.
row() {
	outcome "row$1" .commands[0].output_head
}
for i in 0 1 2 3 4 5 6 7 8 9; do
	row "$i" | grep "^/" >>"$T/found"
	row "$i" | grep '^[0-9.]*$' | tr '\n' ' ' >>"$T/made"
	echo >>"$T/made"
done
is 'nobody finds what the last one left' "$(cat "$T/found")" ''
ahead=$(awk 'NR > 1 && $1 < ran { n++ } { ran = $2 } END { print n + 0 }' \
    "$T/made")
ok 'of some the mounts were made while another one ran' test "$ahead" -gt 0
diag "$ahead of 9 were made ahead"

# What is written out for it is what a fork would have had: bytes that JSON has
# to escape, numbers, another choice of the network, and what is too large.
sed -i 's|^    aliases: .*|&\n    network: true|' "$CONF"
# kind_json N MUTATIONS NETWORK: the patch takes a tenth of a second.
kind_json() {
	printf '{"id":"kind%s","mutations":[%s],"limits":{"network":%s},' "$@"
	echo '"validate":{"shell":["readlink /proc/self/ns/net","sleep 0.1","stat -c %.9Z /home; date +%s.%N"]}}'
}
big=$(head -c 1200000 /dev/zero | tr '\0' b)
ok 'jobs of all kinds in a row' run_json <<END
$(kind_json 0 '{"path":"kind0","contents":"x"}' false
kind_json 1 '{"path":"kind1","contents":"a\u0001\u00e9\ud83d\ude00\"\\b"}' false
kind_json 2 '{"path":"kind2","contents":"{}"},{"path":"kind2","merge":{"r":0.1,"e":1e300,"i":9223372036854775807}}' true
kind_json 3 '{"path":"kind3","contents":"x"}' false)
{"id":"kind4","mutations":[{"path":"kind4","contents":"$big"}],"validate":{"shell":["true"]}}
{"id":"kind5","mutations":[{"path":"kind5","contents":"x"}],"validate":{"shell":["cmp kind0 kind5"]}}
END
# kind N COMMAND LINE: what it said.
kind() {
	outcome "kind$1" ".commands[$2].output_head" | sed -n "$3p"
}
is 'all bytes' "$(od -An -tx1 "$ws/kind1" | tr -d ' \n')" \
    6101c3a9f09f9880225c62
is 'all digits' "$(tr -d ' \n' <"$ws/kind2")" \
    '{"r":0.1,"e":1e+300,"i":9223372036854775807}'
is 'the machine'"'"'s network for who may' "$(kind 2 0 1)" \
    "$(readlink /proc/self/ns/net)"
ok 'and for nobody after him' test "$(kind 3 0 1)" != "$(kind 2 0 1)"
is 'the whole of a large one' "$(wc -c <"$ws/kind4")" 1200000
is 'and who comes behind it' "$(outcome kind5 .state)" completed
ahead=0
for i in 1 2 3; do
	before=$(kind $((i - 1)) 2 2)
	awk "BEGIN { exit !($(kind "$i" 2 1) < $before) }" && ahead=$((ahead + 1))
done
ok 'of which some were made ahead' test "$ahead" -gt 0
diag "$ahead of 3"
cp "$CONF.plain" "$CONF"

if ! unshare -m nsenter -t $$ -m true 2>/dev/null; then
	skip 3 'no mount namespace to change'
else
	cp "$CONF" "$CONF.plain"
	sed -i "s|^    aliases: \[BRAUN\]|&\n    expose: [$T/cache]|" "$CONF"
	mkfifo "$T/cache/go"
	queue_json >/dev/null <<END
{"id":"stale1","validate":{"shell":["timeout 60 cat $T/cache/go; ls -A /mnt"]}}
{"id":"stale2","validate":{"shell":["ls -A /mnt"]}}
END
	start executor unshare -m --propagation private \
	    "$BUILD_DIR/bin/executor" --once -c "$CONF" -q MAIN
	# The fifo is opened when its reader is there, in the first one.
	# shellcheck disable=SC2016 # not ours
	ok 'something is mounted while the first one runs' timeout 60 sh -c '
	    exec 9>"$1"; nsenter -t "$2" -m sh -c "
	    mount -t tmpfs none /mnt && touch /mnt/mounted"' \
	    sh "$T/cache/go" "$(pid_of executor)"
	await 'both have run' stopped executor
	is 'who began before it sees none of it' \
	    "$(outcome stale1 .commands[0].output_head)" "$(ls -A /mnt)"
	is 'the next one does' "$(outcome stale2 .commands[0].output_head)" \
	    mounted
	cp "$CONF.plain" "$CONF"
fi

# --- who outlives a command, and is hard to see

cp "$BUILD_DIR/tests/harness/wild" "$ws/wild"
ok 'commands leave somebody behind' run_json <<'END'
{"id":"ghost","limits":{"command_timeout":"1s"},"mutations":[{"path":"ghost","contents":"x"},{"shell":"./wild left ghost >/dev/null 2>&1 &"}]}
{"id":"hops","mutations":[{"path":"hops","contents":"x"},{"shell":"./wild left hops >/dev/null 2>&1 &"}]}
END
if [ -n "${PATCHFLOW_SANITIZED:-}" ]; then
	skip 2 'a sanitizer reserves more than their memory limit'
else
	is 'threads whose first one has ended are waited for' \
	    "$(outcome ghost '.commands[0] | "\(.timed_out) \(.backgrounded)"')" \
	    'true true'
	is 'who forks and goes as well' \
	    "$(outcome hops '"\(.state) \(.commands[0].duration_ms >= 900)"')" \
	    'completed true'
fi

# --- poison

# crashes N: as if it had taken the executor down so often already.
crashes() {
	key=$(ls "$SPOOL"/MAIN/patches/*poison*.json)
	key=${key##*/?-}
	key=${key%,1.json}
	line=$(jq -cn --argjson n "$1" '{format: "patchflow-tries-1", attempt: 1,
	    crashes: $n, requeues: 0, not_before_us: 0, hold: false,
	    last_death: "1"}')
	printf '%s\n{"bytes":%d,"sha256":"%s"}\n' "$line" \
	    "$(printf %s "$line" | wc -c)" \
	    "$(printf %s "$line" | sha256sum | cut -d' ' -f1)" \
	    >"$SPOOL/state/executor@MAIN/$key.json"
}
queue_json >/dev/null <<END
{"id":"poison","mutations":[{"path":"p","contents":"x"}],"validate":{"shell":["sleep 4713.$$"]}}
END
crashes 2
start executor executor -f -c "$CONF" -q MAIN
await 'a patch runs' pgrep -f "sleep 4713.$$"
stop executor KILL
ok 'its third executor is dead; the next one' once
is 'fails it as crashed' "$(outcome poison '"\(.state) \(.stage)"')" \
    'failed crashed'
ok 'and goes on' tidy
# What a power cut may leave of a BEGIN that nobody has synced.
queue_json >/dev/null <<END
{"id":"poison-torn","mutations":[{"path":"p","contents":"x"}],"validate":{"shell":["sleep 4714.$$"]}}
END
crashes 2
start executor executor -f -c "$CONF" -q MAIN
await 'a patch runs' pgrep -f "sleep 4714.$$"
stop executor KILL
await 'its processes are dead' sh -c "! pgrep -fx 'sleep 4714.$$'"
truncate -s 0 "$SPOOL/state/executor@MAIN/txn/$key,1/BEGIN"
ok 'the power went as well; the next one' once
is 'fails it as crashed' "$(outcome poison-torn '"\(.state) \(.stage)"')" \
    'failed crashed'
ok 'and goes on' tidy

# --- require_isolation holds no patch back where the overlay works
sed -i "s|^    aliases: \[BRAUN\]|&\n    require_isolation: overlay|" "$CONF"
ok 'runs where the overlay is required' run_json <<'END'
{"id":"strict","mutations":[{"path":"s","contents":"x"}]}
END
is 'and there' "$(outcome strict '"\(.state) \(.isolation)"')" 'completed overlay'
done_testing
