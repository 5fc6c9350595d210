#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# zoo.pl MARK KIND...|all: starts processes that do not want to die, one group a
# kind, and then waits. MARK stands in the arguments of each. Bounded: a few
# dozen processes at most, each for a minute. wild, beside this file, keeps
# some of the kinds.
use strict;
use warnings;
use POSIX qw(:sys_wait_h setsid);

my ($mark, @kinds) = @ARGV;
my $program = $0;
$0 = "zoo $mark";
my $end = time + 60;

sub linger { select undef, undef, undef, 1 while time < $end; exit 0 }
sub child(&) {
	my $code = shift;
	my $pid = fork // return;
	return $pid if $pid;
	$code->();
	linger();
}
sub deaf { $SIG{$_} = 'IGNORE' for qw(TERM INT HUP QUIT PIPE USR1 USR2 ALRM) }

# A chain: each makes its successor and goes.
sub chain {
	my $n = shift;
	while ($n-- > 0 && time < $end) {
		my $pid = fork // next;
		exit 0 if $pid;
		select undef, undef, undef, 0.01;
	}
}

# A bomb with a bound of its own: five children at a time, always new ones.
sub bomb {
	my $left = 3000;
	while ($left-- > 0 && time < $end) {
		1 while waitpid(-1, WNOHANG) > 0;
		my $pid = fork;
		select undef, undef, undef, defined $pid && !$pid ? 0.05 : 0.01;
		exit 0 if defined $pid && !$pid;
	}
}

sub wild {
	my $kind = shift;
	my $here = $program =~ s|[^/]*$||r || './';
	child { exec { "${here}wild" } 'zoo', $mark, $kind };
}

my %zoo = (
	plain => sub { child {} },
	setsid => sub { child { setsid() } },
	double => sub { child { setsid(); exit 0 if fork } },
	nohup => sub { child { $SIG{HUP} = 'IGNORE' } },
	deaf => sub { child { deaf(); setsid() } },
	stopped => sub { child { setsid(); kill 'STOP', $$ } },
	holder => sub { child { deaf(); open my $keep, '>&', \*STDOUT } },
	disown => sub { system "(perl -e 'sleep 60' zoo $mark &) &" },
	chain => sub { child { setsid(); chain(3000) } },
	tree => sub {
		child { deaf(); setsid(); for (1 .. 4) { fork // last } }
	},
	bomb => sub { child { deaf(); setsid(); fork for 1 .. 3; bomb() } },
	(map { my $kind = $_; $kind => sub { wild($kind) } }
	    qw(vfork storm traced passed)),
	busy => sub { child { deaf(); setsid(); 1 while time < $end } },
);
@kinds = grep { $_ ne 'busy' } sort keys %zoo if "@kinds" eq 'all';
$zoo{$_}->() for @kinds;
open my $ready, '>', 'zoo-ready' or die "zoo-ready: $!\n";
close $ready;
syswrite STDOUT, "all there\n";
linger() unless $ENV{ZOO_LEAVE};
exit 1;
