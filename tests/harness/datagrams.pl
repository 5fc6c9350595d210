#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# datagrams.pl SOCKET: stands in for syslog or journald: prints each datagram
# and a line "--" behind it, until killed.
use strict;
use warnings;
use Socket;

my $path = shift;
unlink $path;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!\n";
bind($s, sockaddr_un($path)) or die "$path: $!\n";
chmod 0666, $path;
$| = 1;
while (defined recv($s, my $datagram, 65536, 0)) { print "$datagram\n--\n" }
