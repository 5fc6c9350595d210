#!/bin/sh
# SPDX-License-Identifier: ISC
# People work in the workspace while patches run: no edit of theirs is lost,
# whichever way their editor saves. PATCHFLOW_LONG=1 takes ten times as many.
. "$(dirname "$0")/../harness/lib.sh"
. "$(dirname "$0")/executor.sh"
write_config </dev/null
place=$SPOOL/state/executor@MAIN/txn
sed -i 's/timeout: [16]0s/timeout: 100s/' "$CONF"
cp "$CONF" "$CONF.plain"

# with KEY VALUE: a setting of the queue, until the next one.
with() {
	sed "s|^    aliases: \[BRAUN\]|&\n    $1: $2|" "$CONF.plain" >"$CONF"
}

# --- hard links

echo one >"$ws/h1"
ln "$ws/h1" "$ws/h2"
ok 'runs on a file with two names' run_json <<'END'
{"id":"half","mutations":[{"path":"h1","contents":"two\n"}]}
{"id":"both","mutations":[{"path":"h1","contents":"two\n"},{"path":"h2","contents":"two\n"}]}
END
is 'changing one of them is refused' \
    "$(outcome half '"\(.state) \(.stage)"')" 'failed prepare'
is 'changing both is not' "$(outcome both .state) $(cat "$ws/h1" "$ws/h2" |
    tr '\n' ,)" 'completed two,two,'
ln -f "$ws/h1" "$ws/h2"
with hard_links split
ok 'where they may be split' run_json <<'END'
{"id":"split","mutations":[{"path":"h1","contents":"three\n"}]}
END
is 'one is changed' "$(cat "$ws/h1" "$ws/h2" | tr '\n' ,)" three,two,
cp "$CONF.plain" "$CONF"

# --- a file that somebody writes

echo w >"$ws/w"
perl -e 'open(my $f, ">>", $ARGV[0]) or die; open(my $r, ">", $ARGV[1]);
    close $r; select undef, undef, undef, 60' "$ws/w" "$T/open" &
writer=$!
await 'a process has a file open for writing' test -e "$T/open"
queue_json >/dev/null <<'END'
{"id":"open","mutations":[{"path":"w","contents":"x\n"}]}
END
once >"$T/said" 2>&1
is 'the patch waits for it' "$(where_is open)" held
like 'which is said' "$(cat "$T/said")" \
    'will be run again: w is open for writing by another process'
like 'and by log' "$(patchflow -c "$CONF" log open)" \
    'requeued .*reason="w is open for writing'
kill $writer
wait $writer 2>/dev/null
start executor executor -f -c "$CONF" -q MAIN
await 'then it runs' ended_as open completed
exec 9<"$ws/w"
queue_json >/dev/null <<'END'
{"id":"read","mutations":[{"path":"w","contents":"y\n"}]}
END
await 'beside a reader another one does' ended_as read completed
exec 9<&-
is 'at once' "$(grep -c 'read.* will be run again' "$T/log/executor")" 0
stop executor

# Who comes to write while it is looked at is told to wait, and the executor
# gets a signal that is deadly where nobody has chosen another one.
opener() {
	perl -MFcntl -MErrno=EWOULDBLOCK -e 'for (1 .. 12000) {
		my $open = sysopen(my $f, $ARGV[0], O_WRONLY | O_NONBLOCK);
		exit 0 if !$open && $! == EWOULDBLOCK;
		close $f if $open;
		exit 1 if -e $ARGV[1];
		select undef, undef, undef, 0.01 }' "$ws/w" "$T/over"
}
slowly="strace -qq -o $T/calls -P $ws/w -e trace=fcntl
    -e inject=fcntl:delay_exit=2000000:when=2"
if ! $slowly true 2>/dev/null; then
	skip 3 'no call can be made slow here'
else
	queue_json >/dev/null <<'END'
{"id":"leased","mutations":[{"path":"w","contents":"z\n"}]}
END
	opener &
	opener=$!
	# shellcheck disable=SC2086 # words
	start executor env \
	    ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" $slowly \
	    executor -f -c "$CONF" -q MAIN
	await 'one whose file is opened while it is looked at' \
	    ended_as leased completed
	: >"$T/over"
	if wait $opener; then
		pass 'lives, and who opened it was told to wait'
	else
		skip 1 'nobody came in time'
	fi
	# strace keeps the signal for itself.
	pkill -TERM -P "$(pid_of executor)" -x executor
	await 'and stops' stopped executor
fi
start executor executor -f -c "$CONF" -q MAIN

# --- files that commands may have read

# It sleeps until we wake it, when the stranger has been there.
nap="sleep 301.$$"
cat >"$T/read.json" <<END
{"id":"ID","mutations":[{"path":"x","contents":"ID"}],"validate":{"shell":["cat w; $nap || true"]}}
END
meet() {
	sed "s/ID/$1/g" "$T/read.json" | queue_json >/dev/null
	await "$1 is in its validation" pgrep -fx "$nap"
	echo theirs >>"$ws/w"
	touch "$ws/new-$1$(printf '\377')" # a name that is no text
}
meet warned
await 'it is completed' woken_and ended_as warned completed
# A copy may have been made of one half before and one after: again.
told='somebody else changed: .*w'
[ "$(way_here)" = overlay ] || told='warned.*will be run again'
like 'and warns of what changed meanwhile' \
    "$(outcome warned '.warnings[]'; cat "$T/log/executor")" "$told"
stop executor
with stale_reads conflict
start executor executor -f -c "$CONF" -q MAIN
meet strict
await 'it is completed' woken_and ended_as strict completed
like 'where that is a conflict, by a second run' "$(cat "$T/log/executor")" \
    'strict.*will be run again: while its commands ran'
is 'which nothing has disturbed' "$(outcome strict '.warnings | length')" 0
stop executor
cp "$CONF.plain" "$CONF"

# --- an editor at work

# Appends unique lines in every way that editors have, to FILE0 .. FILE7.
cat >"$T/editor.pl" <<'END'
use strict;
use warnings;
use Time::HiRes qw(sleep);
my ($dir, $name, $log, $stop) = @ARGV;
my $n = 0;
sub slurp { open(my $f, '<', $_[0]) or return ''; local $/; my $s = <$f>; $s }
my %save = (
	rename => sub {
		my ($p, $line) = @_;
		my $all = slurp($p) . $line;
		open(my $f, '>', "$p~") or return 0;
		print $f $all;
		close $f;
		return rename("$p~", $p);
	},
	append => sub {
		my ($p, $line) = @_;
		open(my $f, '>>', $p) or return 0;
		print $f $line;
		return close $f;
	},
	slow => sub {
		my ($p, $line) = @_;
		open(my $f, '>>', $p) or return 0;
		sleep(0.02);
		print $f $line;
		return close $f;
	},
	backdated => sub {
		my ($p, $line) = @_;
		open(my $f, '>>', $p) or return 0;
		print $f $line;
		close $f;
		return utime(1e9, 1e9, $p);
	},
);
my @ways = sort keys %save;
srand(7);
open(my $log_file, '>>', $log) or die;
$log_file->autoflush(1);
until (-e $stop) {
	my $way = $ways[rand @ways];
	my $p = "$dir/$name" . int(rand(8));
	my $line = "E" . ++$n . "-$way\n";
	print $log_file "$p $line" if $save{$way}->($p, $line);
	sleep(0.03 + rand(0.05));
}
END

# lost: edits that are neither in the workspace nor kept and recognised.
lost() {
	cat "$ws"/f? >"$T/lines"
	find "$place" -path '*/.kept-*' -type f -exec cat {} + >>"$T/lines"
	awk 'NR == FNR { there[$0]; next } !($2 in there)' "$T/lines" "$T/edits"
}

# patches PREFIX COUNT: each appends to one of eight files; some run commands.
patches() {
	seq "$2" | awk -v p="$1" '{
		v = $1 % 3 ? "" : ",\"validate\":{\"shell\":[\"true\"]}"
		printf "{\"id\":\"%s%d\",\"mutations\":[{\"path\":\"f%d\",\"append\":\"P%d\\n\"}]%s}\n",
		    p, $1, $1 * 5 % 8, $1, v }' | queue_json >/dev/null
}
ended() {
	[ "$(find "$SPOOL/MAIN/patches/.completed" "$SPOOL/MAIN/patches/.failed" \
	    -name "*-$1[0-9]*" | wc -l)" -ge "$2" ]
}
conflicts() {
	grep -c 'will be run again' "$T/log/executor"
}
for i in 0 1 2 3 4 5 6 7; do
	echo start >"$ws/f$i"
	echo start >"$ws/g$i"
done
count=50
[ -z "${PATCHFLOW_LONG:-}" ] || count=500
: >"$T/edits"
: >"$T/log/executor"
start executor executor -f -c "$CONF" -q MAIN
perl "$T/editor.pl" "$ws" f "$T/edits" "$T/stop" &
editor=$!
patches many "$count"
AWAIT=300 await 'all patches end below an editor' ended many "$count"
# Where none met with it they have ended within a second.
at_work() {
	[ "$(wc -l <"$T/edits")" -ge 20 ]
}
await 'who was at work' at_work
: >"$T/stop"
wait $editor
stop executor
# A write into a file that was displaced is noticed when that is to go.
head -c 3000000 /dev/zero >"$ws/big"
printf 'retention:\n  transactions_bytes: 1M\n' >>"$CONF"
ok 'kept transactions go' run_json <<'END'
{"id":"big","mutations":[{"path":"big","contents":"small"}]}
END
is 'all of them' "$(find "$place/.undo" -mindepth 1)" ''
cp "$CONF.plain" "$CONF"
is 'no edit is lost' "$(lost)" ''
echo "$ws/f0 E0-never" >>"$T/edits"
is 'one that was is found' "$(lost)" "$ws/f0 E0-never"
diag "$(wc -l <"$T/edits") edits, $(conflicts) conflicts in $count patches," \
    "$(find "$SPOOL/MAIN/patches/.failed" -name '*-many*' | wc -l) given up," \
    "$(find "$place" -maxdepth 1 -name '.kept-*' | wc -l) kept aside"
is 'what was kept aside is told' "$(find "$place" -maxdepth 1 -name '.kept-*' |
    wc -l)" "$(cat "$SPOOL"/alerts/new/* | grep -o '\.kept-[^ "]*' |
    sort -u | wc -l)"
start executor executor -f -c "$CONF" -q MAIN

# The same beside files that no patch names: nothing is in its way.
rm "$T/stop"
before=$(conflicts)
perl "$T/editor.pl" "$ws" g "$T/other" "$T/stop" &
editor=$!
patches calm 10
await 'patches of other files end' ended calm 10
: >"$T/stop"
wait $editor
is 'without a false conflict' "$(($(conflicts) - before))" 0
stop executor
done_testing
