#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# replay.pl REPOSITORY DIRECTORY [COMMAND]: each commit of the history, the
# oldest first, as a patch document DIRECTORY/NNNNNN.json, and the same with
# nothing but whole files as NNNNNN.plain; COMMAND is its validation. Prints
# the commits. Files that git calls text become contents, edits and diffs in
# turn.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use IPC::Open2;
use JSON::PP;
use MIME::Base64;

my ($repo, $dir, $command) = @ARGV;
my @git = ('git', '-C', $repo);
my $pid = open2(my $from, my $to, @git, 'cat-file', '--batch');
binmode $_ for $from, $to;
my $json = JSON::PP->new->utf8->canonical;

sub blob {
	my ($id) = @_;
	print {$to} "$id\n";
	$to->flush;
	my $head = <$from>;
	my ($size) = $head =~ /^\w+ blob (\d+)$/ or die "$id: $head";
	my $bytes = '';
	read $from, $bytes, $size;
	read $from, my $newline, 1;
	return $bytes;
}

# As characters; undef where the bytes are not UTF-8 or hold a NUL.
sub text {
	my ($bytes) = @_;
	return $bytes !~ /\0/ && utf8::decode($bytes) ? $bytes : undef;
}

sub write_file {
	my ($c, $create) = @_;
	my $bytes = blob($c->{new});
	my $text = text($bytes);
	return {path => $c->{to}, delete => JSON::PP::true},
	    {path => $c->{to}, symlink => $bytes}
	    if $c->{mode} eq '120000' && !$create;
	return {path => $c->{to}, symlink => $bytes} if $c->{mode} eq '120000';
	my $m = {path => $c->{to}, contents => $text,
	    mode => $c->{mode} eq '100755' ? '0755' : '0644'};
	@$m{'contents', 'encoding'} = (encode_base64($bytes, ''), 'base64')
	    if !defined $text;
	$m->{create} = JSON::PP::true if $create;
	return $m;
}

# The hunks of the diff as edits that name their place by text alone.
sub edits {
	my ($c) = @_;
	my ($old, @edits) = (blob($c->{old}));
	for my $hunk (split /^\@\@ .*\n/m, $c->{diff}) {
		next if $hunk =~ /^diff /;
		return if $hunk =~ /^\\/m;
		my @lines = split /(?<=\n)/, $hunk;
		my $find = join '', map { substr $_, 1 } grep { !/^\+/ } @lines;
		my $with = join '', map { substr $_, 1 } grep { !/^-/ } @lines;
		return if !defined text("$find$with");
		# Elsewhere too, also after the edits before: not by edits.
		my $n = () = $old =~ /(?=\Q$find\E)/g;
		return if $n != 1 || $find eq '' || @edits;
		push @edits, {find => text($find), replace => text($with)};
	}
	return {path => $c->{to}, edits => \@edits};
}

sub modify {
	my ($c, $plain) = @_;
	my @mode = $c->{mode} eq $c->{before} ? () : {path => $c->{to},
	    chmod => $c->{mode} eq '100755' ? '0755' : '0644'};
	return ({path => $c->{to}, delete => JSON::PP::true},
	    write_file($c, 1))
	    if substr($c->{mode}, 0, 3) ne substr($c->{before}, 0, 3);
	return @mode if $c->{old} eq $c->{new};
	my $way = hex(substr $c->{new}, 0, 4) % 3;
	my $m;
	if (!$plain && $c->{mode} ne '120000' && $c->{diff} =~ /^\@\@/m) {
		my $diff = text($c->{diff});
		$m = {path => $c->{to}, diff => $diff =~ s/\A.*?^(?=\@\@)//smr}
		    if $way == 0 && defined $diff;
		$m = edits($c) if $way == 1;
	}
	return defined $m ? ($m, @mode) : write_file($c, 0);
}

my %order = (R => 0, D => 1, T => 2, M => 3, A => 4);
sub mutations {
	my ($plain, @changes) = @_;
	my @out;
	for my $c (sort { $order{$a->{kind}} <=> $order{$b->{kind}} } @changes) {
		if ($c->{kind} eq 'A') {
			push @out, write_file($c, 1);
		} elsif ($c->{kind} eq 'D') {
			push @out, {path => $c->{from}, delete => JSON::PP::true};
		} else {
			push @out, {path => $c->{from}, rename => $c->{to}}
			    if $c->{kind} eq 'R';
			push @out, modify($c, $plain);
		}
	}
	return \@out;
}

sub put {
	my ($name, $id, $mutations) = @_;
	my $doc = {id => $id, role => 'command_patch', mutations => $mutations};
	$doc->{validate} = {shell => [$command]} if defined $command;
	open my $f, '>', "$dir/$name" or die "$dir/$name: $!";
	print {$f} $json->encode($doc);
	close $f;
}

my ($n, $commit, @changes, $at) = (0);
sub finish {
	return if !@changes; # an empty commit
	my $name = sprintf '%06d', ++$n;
	put("$name.json", "c$name", mutations(0, @changes));
	put("$name.plain", "c$name-plain", mutations(1, @changes));
	print "$commit\n";
}

open my $log, '-|', @git, 'log', '--reverse', '--format=%x00%H', '-M', '--raw',
    '-p', '--no-abbrev', '--no-ext-diff' or die;
binmode $log;
while (my $line = <$log>) {
	if ($line =~ /^\0(\w+)/) {
		finish();
		($commit, $at, @changes) = ($1, undef);
	} elsif (!defined $at && $line =~
	    /^:(\d+) (\d+) (\w+) (\w+) ([AMDRT])\d*\t([^\t\n]+)(?:\t(.*))?$/) {
		push @changes, {before => $1, mode => $2, old => $3, new => $4,
		    kind => $5, from => $6, to => defined $7 ? $7 : $6,
		    diff => ''};
	} elsif ($line =~ /^diff --git /) {
		$at = defined $at ? $at + 1 : 0;
		# A change of type is two sections: one goes, one comes.
		$at-- if $at > $#changes || $at > 0 &&
		    $changes[$at - 1]{kind} eq 'T' && !$changes[$at - 1]{seen}++;
		$changes[$at]{diff} = $line;
	} elsif (defined $at) {
		$changes[$at]{diff} .= $line;
	}
}
finish();
close $log;
close $to;
waitpid $pid, 0;
