#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# ask.pl SPOOL WORDS...: one request to a supervisor's control socket.
use strict;
use warnings;
use Socket;

my $spool = shift;
chdir "$spool/run" or die "$spool/run: $!\n"; # an address is short
socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
connect($s, sockaddr_un("control.sock")) or die "connect: $!\n";
syswrite($s, "@ARGV\n") or die "write: $!\n";
my $all = '';
while (sysread($s, my $part, 65536)) { $all .= $part }
print $all;
exit($all =~ /^\{"ok":true/ ? 0 : 1);
