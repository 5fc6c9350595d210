#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# Our supervisor beside others, all at once on this machine, the same five
# trivial services each (tests/harness/service.c): memory of the supervising
# processes, how often they woke up in $IDLE seconds, and how long after a
# SIGKILL the first instruction of the successor runs: for a service that has
# been up for a while, and for one killed again 50 ms after it was back.
# The kills are interleaved, in another order each round, so that what else the
# machine does falls on all alike. "plain loop" is no supervisor: waitpid() and
# posix_spawn(), what the machine itself needs (tests/harness/respawn.c).
# s6 and runit run a script, by their conventions a shell's; "bare" is them with
# the service itself in the script's place.
#
# private is what would be free without the process, dirty the part of it that
# is no file's; "most" is the most of it that a look each second has found in the
# idle time, and "used" what it is at the end, when all has been used once.
# Debian's packages are unpacked into a scratch folder, not installed; what is
# not to be had is said.
#
# Environment: IDLE (30), ROUNDS (20), AGAIN (6), ONLY (names, comma-separated).
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use List::Util qw(max shuffle);
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);

my $IDLE = $ENV{IDLE} || 30;
my $ROUNDS = $ENV{ROUNDS} || 20;
my $AGAIN = $ENV{AGAIN} || 6;
my $WAIT = 15; # seconds for a successor
my $build = abs_path($ENV{BUILD_DIR} || 'build');
my $service = "$build/tests/harness/service";
my $T = tempdir('patchflow-bench.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $packages = "$T/packages";
my @names = qw(a b c d e);
my $path = $ENV{PATH};
my $self = $$;
my %running; # pid => 1
$SIG{INT} = $SIG{TERM} = sub { exit 1 };

sub slurp {
	my ($path) = @_;
	open my $f, '<', $path or return '';
	local $/;
	return scalar <$f> // '';
}

sub spew {
	my ($path, $text, $mode) = @_;
	open my $f, '>', $path or die "$path: $!\n";
	print $f $text;
	close $f or die "$path: $!\n";
	chmod $mode // 0644, $path;
}

# A package's files below $packages; "" or why not.
sub fetch {
	my (@names) = @_;
	make_path("$T/debs");
	my $said = `cd $T/debs && timeout 60 apt-get -q download @names 2>&1`;
	return 'cannot be fetched' if $? != 0;
	system("for d in $T/debs/*.deb; do dpkg-deb -x \$d $packages; done") == 0
	    or return 'cannot be unpacked';
	# /bin, /sbin and /lib are links into /usr.
	for my $dir (grep { -d "$packages/$_" } qw(bin sbin lib)) {
		make_path("$packages/usr/$dir");
		system("cp -a $packages/$dir/. $packages/usr/$dir/") == 0
		    or return 'cannot be copied';
	}
	return '';
}

sub start {
	my ($dir, $env, @command) = @_;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		%ENV = (%ENV, %$env);
		setpgrp;
		chdir $dir or POSIX::_exit(126);
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$dir/out";
		open STDERR, '>&', \*STDOUT;
		exec @command or POSIX::_exit(127);
	}
	$running{$pid} = 1;
	return $pid;
}

# --- the supervisors: each makes its files in $dir and starts

sub ours {
	my ($dir, $env) = @_;
	make_path("$dir/libexec", "$dir/ws/1", "$dir/ws/2");
	system('cp', $service, "$dir/libexec/$_") == 0 or die "cp\n"
	    for qw(alertd summarizer executor ghost-bridge);
	spew("$dir/conf.yaml", <<"END");
spool: $dir/spool
queues:
  - {name: one, workspace: $dir/ws/1, default: true}
  - {name: two, workspace: $dir/ws/2}
logs: {directory: $dir/logs}
END
	return start($dir, {%$env, PATCHFLOW_LIBEXEC => "$dir/libexec"},
	    "$build/bin/watchdog", '-c', "$dir/conf.yaml");
}

sub run_scripts {
	my ($dir, $before) = @_;
	for my $n (@names) {
		make_path("$dir/scan/$n");
		if (!defined $before) {
			symlink $service, "$dir/scan/$n/run" or die "run: $!\n";
			next;
		}
		spew("$dir/scan/$n/run", "#!/bin/sh\n${before}exec $service " .
		    "-q $n\n", 0755);
	}
}

sub plain_loop {
	my ($dir, $env) = @_;
	return start($dir, $env, "$build/tests/harness/respawn", $service, @names);
}

sub s6 {
	my ($dir, $env, $bare) = @_;
	run_scripts($dir, $bare ? undef : '');
	$env->{BENCH_READY_FD} = 3;
	spew("$dir/scan/$_/notification-fd", "3\n") for @names;
	# s6-svscan looks for its other half in /usr/bin and nowhere else: let it
	# be there, for these processes alone.
	return start($dir, $env, 'unshare', '-m', 'sh', '-c',
	    "mount -t overlay -o lowerdir=$packages/usr:/usr overlay /usr && " .
	    "exec /usr/bin/s6-svscan $dir/scan");
}

sub runit {
	my ($dir, $env, $bare) = @_;
	run_scripts($dir, $bare ? undef : '');
	return start($dir, $env, find('runsvdir'), "$dir/scan");
}

sub supervisord {
	my ($dir, $env) = @_;
	spew("$dir/conf", "[supervisord]\nnodaemon=true\nlogfile=$dir/log\n" .
	    "pidfile=$dir/pid\n" . join '', map {
		"[program:$_]\ncommand=$service -q $_\nautorestart=true\n"
	    } @names);
	return start($dir,
	    {%$env, PYTHONPATH => "$packages/usr/lib/python3/dist-packages"},
	    'python3', '-c', 'from supervisor.supervisord import main; main()',
	    '-n', '-c', "$dir/conf");
}

sub monit {
	my ($dir, $env) = @_;
	make_path("$dir/pids");
	spew("$dir/conf", "set daemon 1\nset pidfile $dir/pid\n" .
	    "set idfile $dir/id\nset statefile $dir/state\n" .
	    join('', map {
		"check process $_ with pidfile \"$dir/pids/service\@$_\"\n" .
		"  start program = \"$dir/start $_\"\n"
	    } @names), 0600);
	# monit gives a start program an empty environment.
	spew("$dir/start", "#!/bin/sh\nBENCH_LOG=$env->{BENCH_LOG} " .
	    "BENCH_PIDS=$dir/pids BENCH_MARK=$T setsid $service -q \$1 " .
	    "</dev/null >/dev/null 2>&1 &\n", 0755);
	return start($dir, $env, find('monit'), '-I', '-c', "$dir/conf");
}

sub dinit {
	my ($dir, $env) = @_;
	make_path("$dir/d");
	spew("$dir/d/$_", "type = process\ncommand = $service -q $_\n" .
	    "restart = true\nsmooth-recovery = true\nrestart-limit-count = 0\n")
	    for @names;
	spew("$dir/d/boot", "type = internal\n" . join '', map {
	    "depends-on = $_\n" } @names);
	return start($dir, $env, find('dinit'), '-d', "$dir/d", '-p',
	    "$dir/ctl");
}

sub find {
	my ($program) = @_;
	for my $dir (qw(bin sbin)) {
		my $path = "$packages/usr/$dir/$program";
		return $path if -x $path;
	}
	return $program;
}

my @s6 = qw(s6 libs6-2.11 libskarnet2.13 libexecline2.9);
my @peers = (
    ['plain loop', \&plain_loop],
    ['patchflow', \&ours],
    ['s6', \&s6, @s6],
    ['s6 bare', sub { s6(@_, 1) }, @s6],
    ['runit', \&runit, 'runit'],
    ['runit bare', sub { runit(@_, 1) }, 'runit'],
    ['dinit', \&dinit, 'dinit'],
    ['supervisord', \&supervisord, 'supervisor'],
    ['monit', \&monit, 'monit'],
);
my %only = map { $_ => 1 } split /,/, $ENV{ONLY} || '';
@peers = grep { $only{$_->[0]} } @peers if %only;

# --- looking

# Everything below pid that is no service: the supervising processes.
sub supervising {
	my ($top) = @_;
	my (%parent, @found);
	for my $stat (glob '/proc/[0-9]*/stat') {
		my ($pid, $parent) = slurp($stat) =~ /^(\d+) .*\) \S (\d+)/s
		    or next;
		$parent{$pid} = $parent;
	}
	for my $pid (keys %parent) {
		my $up = $pid;
		$up = $parent{$up} // 0 while $up > 1 && $up != $top;
		my $exe = readlink "/proc/$pid/exe" // '';
		push @found, $pid if $up == $top &&
		    ($exe // '') !~ m{/(service|libexec/[a-z-]+)$};
	}
	return @found;
}

sub measure {
	my ($p) = @_;
	my %sum = (rss => 0, private => 0, dirty => 0, wakeups => 0,
	    processes => 0);
	for my $pid (supervising($p->{pid})) {
		my $maps = slurp("/proc/$pid/smaps_rollup");
		my $status = slurp("/proc/$pid/status");
		$sum{processes}++;
		$sum{rss} += $1 if $maps =~ /^Rss:\s+(\d+)/m;
		$sum{private} += $1 while $maps =~ /^Private_\w+:\s+(\d+)/mg;
		$sum{dirty} += $1 if $maps =~ /^Private_Dirty:\s+(\d+)/m;
		$sum{wakeups} += $1
		    if $status =~ /^voluntary_ctxt_switches:\s+(\d+)/m;
	}
	return \%sum;
}

# For $IDLE seconds nobody does anything to them.
sub idle {
	my (@present) = @_;
	my $until = clock_gettime(CLOCK_MONOTONIC) + $IDLE;
	while (clock_gettime(CLOCK_MONOTONIC) < $until) {
		sleep 1;
		$_->{most} = max($_->{most} // 0, measure($_)->{private})
		    for @present;
	}
}

# name => [pid, start in ns] of the last life of each service.
sub lives {
	my ($p) = @_;
	my %last;
	for (split /\n/, slurp($p->{log})) {
		my ($name, $pid, $at) = split;
		$last{$name} = [$pid, $at] if defined $at;
	}
	return \%last;
}

sub await {
	my ($seconds, $what) = @_;
	my $until = clock_gettime(CLOCK_MONOTONIC) + $seconds;
	while (clock_gettime(CLOCK_MONOTONIC) < $until) {
		my $got = $what->();
		return $got if $got;
		sleep 0.0005;
	}
	return undef;
}

# Kills name's process; ms to its successor, or undef.
sub restart {
	my ($p, $name) = @_;
	my $old = lives($p)->{$name}[0];
	my $begin = clock_gettime(CLOCK_MONOTONIC);
	kill KILL => $old;
	my $new = await($WAIT, sub {
		my $l = lives($p)->{$name};
		return $l->[0] != $old ? $l : undef;
	});
	return $new ? $new->[1] / 1e6 - $begin * 1e3 : undef;
}

sub percentile {
	my ($share, @all) = @_;
	return 'never' unless @all;
	@all = sort { $a <=> $b } @all;
	my $n = int($share * @all + 0.5) - 1;
	$n = $n < 0 ? 0 : $n > $#all ? $#all : $n;
	return sprintf $all[$n] < 100 ? '%.1f' : '%.0f', $all[$n];
}

# --- the run

# A program that was just linked lies in dirty pages, which are no process's.
system 'sync';
my @present;
my %fetched;
for (@peers) {
	my ($name, $begin, @debs) = @$_;
	my $why = @debs ? $fetched{$debs[0]} //= fetch(@debs) : '';
	my $dir = "$T/$name";
	$dir =~ tr/ ,/_/d;
	make_path($dir);
	if ($why ne '') {
		print "$name: $why, left out\n";
		next;
	}
	my $p = {name => $name, log => "$dir/lives", first => [], second => []};
	spew($p->{log}, '');
	$ENV{LD_LIBRARY_PATH} = join ':', glob("$packages/usr/lib/*-linux-gnu");
	$ENV{PATH} = "$packages/usr/bin:$packages/usr/sbin:$path";
	$ENV{BENCH_MARK} = $T;
	$p->{pid} = $begin->($dir, {BENCH_LOG => $p->{log}, BENCH_MARK => $T});
	if (!await(20, sub { keys %{lives($p)} == 5 })) {
		print "$name: does not start five services, left out: ",
		    substr(slurp("$dir/out"), 0, 200), "\n";
		next;
	}
	push @present, $p;
}
sleep 5;
$_->{before} = measure($_) for @present;
idle(@present);
$_->{after} = measure($_) for @present;
for my $round (1 .. $ROUNDS + $AGAIN) {
	for my $p (shuffle(@present)) {
		my @services = sort keys %{lives($p)};
		my $name = $services[$round % 5];
		my $first = restart($p, $name);
		push @{$p->{first}}, $first if defined $first;
		next if !defined $first;
		sleep 0.05;
		next if $round <= $ROUNDS;
		my $second = restart($p, $name);
		push @{$p->{second}}, $second if defined $second;
	}
	sleep 0.5;
}
$_->{used} = measure($_) for @present;

my $form = "%-12s %5s %7s %8s %7s %7s %7s %9s | %7s %7s %8s %8s\n";
printf $form, 'supervisor', 'procs', 'RSS kB', 'private', '(dirty)', 'most',
    'used', 'wakeups/s', 'p50 ms', 'p99 ms', '2nd p50', '2nd p99';
for my $p (@present) {
	my $at = $p->{after};
	printf $form, $p->{name}, $at->{processes}, $at->{rss}, $at->{private},
	    $at->{dirty}, $p->{most}, $p->{used}{private},
	    sprintf('%.2f', ($at->{wakeups} - $p->{before}{wakeups}) / $IDLE),
	    percentile(0.5, @{$p->{first}}), percentile(0.99, @{$p->{first}}),
	    percentile(0.5, @{$p->{second}}), percentile(0.99, @{$p->{second}});
}
print "goals of patchflow: private <= 300 kB, <= 0.5 wakeups/s, p50 <= 2 ms, ",
    "2nd p50 <= 300 ms\n";

END {
	my $status = $?;
	if ($$ == $self) {
		kill KILL => keys %running;
		# Services and all else that we started carry our mark.
		for my $turn (1 .. 5) {
			for (glob '/proc/[0-9]*/environ') {
				my ($pid) = m{(\d+)};
				kill KILL => $pid if $pid != $$ &&
				    slurp($_) =~ /(?:^|\0)BENCH_MARK=\Q$T\E\0/;
			}
			sleep 0.05;
		}
		1 while waitpid(-1, WNOHANG) > 0;
	}
	$? = $status;
}
