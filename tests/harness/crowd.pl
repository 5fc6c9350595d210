#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# crowd.pl SPOOL IDLE ROUNDS: with IDLE silent connections and as many that
# send noise, asks for the status ROUNDS times; prints the slowest answer and
# the 99th of 100 in milliseconds.
use strict;
use warnings;
use Socket;
use Time::HiRes qw(time);

my ($spool, $idle, $rounds) = @ARGV;
chdir "$spool/run" or die "$spool/run: $!\n";
$SIG{PIPE} = 'IGNORE';

sub connection {
	socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
	connect($s, sockaddr_un("control.sock")) or die "connect: $!\n";
	return $s;
}

my (@crowd, @took);
for my $n (1 .. $rounds) {
	shift @crowd while @crowd > $idle;
	push @crowd, connection();
	my $noisy = connection();
	syswrite($noisy, join '', map { chr int rand 256 } 1 .. 300);
	push @crowd, $noisy if $n % 3;
	my $begin = time;
	my $s = connection();
	syswrite($s, "status\n");
	my $all = '';
	while (sysread($s, my $part, 65536)) { $all .= $part }
	$all =~ /^\{"ok":true.*\}\n\z/s or die "no status: $all\n";
	push @took, (time() - $begin) * 1000;
}
@took = sort { $a <=> $b } @took;
printf "%.1f %.1f\n", $took[-1], $took[int(@took * 0.99)];
