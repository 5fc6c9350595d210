#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# patient.pl SPOOL PID COUNT: connects COUNT clients to the supervisor PID,
# which is stopped while they speak and for longer than a silent client's time;
# prints how many were answered.
use strict;
use warnings;
use Socket;

my ($spool, $pid, $count) = @ARGV;
chdir "$spool/run" or die "$spool/run: $!\n"; # an address is short
$SIG{PIPE} = 'IGNORE';
$SIG{ALRM} = sub { kill 'CONT', $pid; die "no answer\n" };
alarm 60;

my @clients;
for (1 .. $count) {
	socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
	connect($s, sockaddr_un("control.sock")) or die "connect: $!\n";
	push @clients, $s;
}
# One that is answered now was accepted behind them: they all have a place.
socket(my $last, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
connect($last, sockaddr_un("control.sock")) or die "connect: $!\n";
syswrite($last, "ping\n");
sysread($last, my $pong, 100) or die "no answer\n";

kill 'STOP', $pid or die "stop: $!\n";
syswrite($_, "ping\n") for @clients;
select undef, undef, undef, 2.5;
kill 'CONT', $pid;
my $answered = 0;
for (@clients) { $answered++ if sysread($_, my $part, 100) }
print "$answered\n";
