#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# zoo.pl MARK KIND...|all: starts processes that do not want to die, one group a
# kind, and then waits. MARK stands in the arguments of each. Bounded: a few
# dozen processes at most, each for a minute.
use strict;
use warnings;
use POSIX qw(setsid);
use Socket;

my ($mark, @kinds) = @ARGV;
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
	passed => sub {
		socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0);
		child { setsid(); close $a; print {*STDOUT} ''; sysread $b, my $x, 1 };
		child { setsid(); close $b; sysread $a, my $x, 1 };
	},
	busy => sub { child { deaf(); setsid(); 1 while time < $end } },
);
@kinds = grep { $_ ne 'busy' } sort keys %zoo if "@kinds" eq 'all';
$zoo{$_}->() for @kinds;
open my $ready, '>', 'zoo-ready' or die "zoo-ready: $!\n";
close $ready;
linger() unless $ENV{ZOO_LEAVE};
exit 1;
