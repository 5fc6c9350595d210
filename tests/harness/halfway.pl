#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# halfway.pl SPOOL: a client that is in the middle of its request while another
# asks for an upgrade. Exit 0 once it is let go, answered or not.
use strict;
use warnings;
use Socket;

chdir "$ARGV[0]/run" or die "$ARGV[0]/run: $!\n"; # an address is short
$SIG{PIPE} = 'IGNORE';
alarm 30;

sub client {
	my ($says) = @_;
	socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
	connect($s, sockaddr_un("control.sock")) or die "connect: $!\n";
	syswrite($s, $says) or die "write: $!\n";
	return $s;
}

my $half = client("pi");
my $asks = client("upgrade\n");
sysread($asks, my $answer, 65536) or die "no answer\n";
print $answer;
1 while sysread($half, my $part, 65536);
