#!/bin/sh
# SPDX-License-Identifier: ISC
# time-limit: 300
# Somebody stages files of his own while patches commit: what his git said it
# had done is done, and so is what the outcomes say. PATCHFLOW_LONG=1 takes
# ten times as many patches.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
command -v git >/dev/null || skip_all 'git is not installed'
write_config </dev/null
sed -i "s|^    aliases: \[BRAUN\]|&\n    attempts: 9|" "$CONF"
patches=6
[ -z "${PATCHFLOW_LONG:-}" ] || patches=60

g() {
	git -C "$ws" "$@"
}
git init -q -b main "$ws"
echo a >"$ws/a"
g add a && g commit -q -m start
# Never clean: patches commit what they name, and no more.
echo 0 >"$ws/h0"
g add h0
for i in $(seq "$patches"); do
	printf '{"id":"p%d","mutations":[{"path":"p%d","contents":"%d\\n"}],"final":{"git":{"commit":"p%d"}}}\n' \
	    "$i" "$i" "$i" "$i"
done | queue_json >/dev/null

# The human, in pauses that leave room: names of what was staged in $T/added.
cat >"$T/human.pl" <<'END'
use strict;
use warnings;
use Time::HiRes qw(sleep);
my ($ws, $added, $stop) = @ARGV;
open(my $log, '>', $added) or die;
$log->autoflush(1);
my $n = 0;
srand(11);
until (-e $stop) {
	my $name = 'h' . ++$n;
	open(my $f, '>', "$ws/$name") or die;
	print $f "$n\n";
	close $f;
	print $log "$name\n"
	    if system("git -C '$ws' add $name 2>/dev/null") == 0;
	# In bursts: a patch has to get through between two of them.
	sleep($n % 5 ? 0.02 : 1 + rand(2));
}
END
start executor executor -f -c "$CONF" -q MAIN
perl "$T/human.pl" "$ws" "$T/added" "$T/stop" &
human=$!
ended() {
	[ "$(find "$SPOOL/MAIN/patches/.completed" "$SPOOL/MAIN/patches/.failed" \
	    -name '*.json' | wc -l)" -ge "$patches" ]
}
AWAIT=240 await 'all patches end beside a busy git' ended
: >"$T/stop"
wait $human
stop executor

g ls-files >"$T/index"
missing() {
	while read -r name; do
		grep -qx "$name" "$T/index" || echo "$name"
	done
}
is 'nothing that somebody staged is lost' "$(missing <"$T/added")" ''
g log --format=%s >"$T/commits"
for i in $(seq "$patches"); do
	[ "$(outcome "p$i" .state)" = completed ] || continue
	grep -qx "p$i" "$T/commits" && [ -e "$ws/p$i" ] || echo "p$i"
done >"$T/lost"
is 'no commit that was told is' "$(cat "$T/lost")" ''
is 'no commit holds what somebody else staged' \
    "$(g log --name-only --format= | grep '^h')" ''
is 'the repository is whole' "$(g fsck --no-progress 2>&1 | grep -v dangling)" ''
is 'and nobody locks it' "$(find "$ws/.git" -name '*.lock')" ''
diag "$(wc -l <"$T/added") times staged, $(wc -l <"$T/commits") commits," \
    "$(grep -c 'run again' "$T/log/executor") run again"
done_testing
