#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# crowd.pl SPOOL IDLE FLOOD ROUNDS [PAUSE_MS]: with IDLE silent connections and FLOOD that
# are made, fed with noise, halves of requests and requests whose answer nobody
# reads, and made again as fast as they go, asks for the status ROUNDS times,
# with a pause between; prints the slowest answer, the 99th of 100 and the middle
# one in milliseconds.
use strict;
use warnings;
use Socket;
use Time::HiRes qw(time sleep);

my ($spool, $idle, $flood, $rounds, $pause) = @ARGV;
chdir "$spool/run" or die "$spool/run: $!\n";
$SIG{PIPE} = 'IGNORE';

sub connection {
	socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
	connect($s, sockaddr_un("control.sock")) or die "connect: $!\n";
	return $s;
}

my @rude = (
    sub { join '', map { chr int rand 256 } 1 .. 300 },
    sub { 'sta' }, sub { '' }, sub { "\n\n\0status\n" },
    sub { "status\nstatus\n" }, sub { "restart " . 'x' x 100 . "\n" },
);

# A flooder keeps its share of the connections, and ends with us.
sub flood {
	my ($parent, $share) = @_;
	my @mine;
	while (getppid() == $parent) {
		shift @mine while @mine >= $share;
		push @mine, connection();
		syswrite($mine[-1], $rude[rand @rude]->());
		sleep 0.001;
	}
	exit 0;
}

my $parent = $$;
my @flooders;
for (1 .. ($flood > 0 ? 2 : 0)) {
	my $pid = fork // die "fork: $!\n";
	flood($parent, $flood / 2) if $pid == 0;
	push @flooders, $pid;
}
my (@crowd, @took);
for my $n (1 .. $rounds) {
	# Silent ones are cut off after a while: one new one a round.
	shift @crowd if @crowd >= $idle;
	push @crowd, connection() if $idle > 0;
	push @crowd, connection() while $n == 1 && @crowd < $idle;
	my $begin = time;
	my $s = connection();
	syswrite($s, "status\n");
	my $all = '';
	while (sysread($s, my $part, 65536)) { $all .= $part }
	$all =~ /^\{"ok":true.*\}\n\z/s or die "no status: $all\n";
	push @took, (time() - $begin) * 1000;
	sleep $pause / 1000 if $pause;
}
kill TERM => @flooders;
waitpid $_, 0 for @flooders;
@took = sort { $a <=> $b } @took;
printf "%.1f %.1f %.1f\n", $took[-1], $took[int(@took * 0.99)],
    $took[int(@took / 2)];
