#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# triples.pl REPOSITORY [COUNT]: every change of a text file in the history as
# "OLD NEW DIFF\n", lengths in bytes, and then the bytes themselves. Blobs and
# diff are git's own.
use strict;
use warnings;
use IPC::Open2;

my ($repo, $count) = @ARGV;
$count = 1e9 if !defined $count;
my @git = ('git', '-C', $repo);
my $pid = open2(my $from, my $to, @git, 'cat-file', '--batch');
binmode $_ for $from, $to, *STDOUT;

sub blob {
	my ($id) = @_;
	print {$to} "$id\n";
	$to->flush;
	my $head = <$from>;
	my ($size) = $head =~ /^\w+ blob (\d+)$/ or die "$id: $head";
	read($from, my $bytes, $size) == $size or die $id;
	read $from, my $newline, 1;
	return $bytes;
}

my (@raw, $diff);
sub flush {
	return if !defined $diff;
	my ($old, $new) = @{shift @raw};
	if ($diff =~ /^\@\@ /m && $count > 0) {
		$count--;
		my @bytes = (blob($old), blob($new), $diff);
		print join(' ', map { length } @bytes), "\n", @bytes;
	}
	undef $diff;
}

open my $log, '-|', @git, 'log', '--reverse', '--format=%x00', '--no-renames',
    '--diff-filter=M', '--raw', '-p', '--no-abbrev', '--no-textconv',
    '--no-ext-diff' or die;
binmode $log;
while (my $line = <$log>) {
	if ($line =~ /^\0/) {
		flush();
		@raw = ();
		last if $count <= 0;
	} elsif (!defined $diff && $line =~ /^:100\d+ 100\d+ (\w+) (\w+) M/) {
		push @raw, [$1, $2];
	} elsif ($line =~ /^diff --git /) {
		flush();
		$diff = $line;
	} elsif (defined $diff) {
		$diff .= $line;
	}
}
flush();
close $log;
close $to;
waitpid $pid, 0;
