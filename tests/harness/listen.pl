#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# listen.pl DIR: accepts TCP and echoes UDP on one port of 127.0.0.1, accepts
# on the socket DIR/sock and on the abstract "\0patchflow-PORT", and holds a
# System V segment, semaphore and message queue whose key is the port, and the
# POSIX message queue "/patchflow-PORT". SIGURG makes the file DIR/signalled.
# Writes "PID PORT" to DIR/port and serves until killed.
use strict;
use warnings;
use Fcntl;
use IO::Select;
use IO::Socket::INET;
use Socket;

my $dir = shift;
my ($tcp, $udp);
until ($udp) {
	$tcp = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 50)
	    or die "listen: $!\n";
	$udp = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	    LocalPort => $tcp->sockport, Proto => 'udp');
}
my $port = $tcp->sockport;

sub unix_socket {
	my $name = shift;
	socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
	bind($s, pack_sockaddr_un($name)) or die "bind: $!\n";
	listen($s, 50) or die "listen: $!\n";
	return $s;
}
chdir $dir or die "$dir: $!\n"; # an address is short
my @unix = (unix_socket('sock'), unix_socket("\0patchflow-$port"));
# The full path is what /proc/net/unix should tell of it.
my $named = unix_socket(length("$dir/sock2") < 100 ? "$dir/sock2" : 'sock2');
my $segment = shmget($port, 4096, 01666);
my $semaphore = semget($port, 1, 01666);
my $messages = msgget($port, 01666);
my ($mq_open, $mq_unlink) = (240, 241); # of amd64
my $queue = "patchflow-$port";
syscall($mq_open, $queue, O_RDWR | O_CREAT, 0666, 0);
END {
	syscall($mq_unlink, $queue) if defined $queue;
	shmctl($segment, 0, 0) if defined $segment;
	semctl($semaphore, 0, 0, 0) if defined $semaphore;
	msgctl($messages, 0, 0) if defined $messages;
}
$SIG{URG} = sub { open my $f, '>', 'signalled' };
$SIG{TERM} = sub { exit 0 };

open my $f, '>', "port.tmp" or die "port: $!\n";
print $f "$$ $port\n";
close $f;
rename 'port.tmp', 'port';
my $all = IO::Select->new($tcp, $udp, @unix, $named);
while (1) {
	for my $s ($all->can_read) {
		if ($s == $udp) {
			my $from = recv($s, my $text, 1024, 0);
			send($s, $text, 0, $from) if defined $from;
		} else {
			accept(my $c, $s);
		}
	}
}
