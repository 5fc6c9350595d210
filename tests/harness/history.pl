#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# history.pl COMMITS SEED [all]: a made-up history as a git fast-import
# stream: sources, scripts, prose and settings that grow and change the way
# people change them. With CRLF, a BOM, bytes that are no UTF-8, files without
# a final newline, and blocks that repeat. With "all" files also come, go,
# move, change their mode, are links and are binary.
use strict;
use warnings;

my ($commits, $seed, $all) = @ARGV;
srand($seed);

my (%files, %modes, $serial);
$serial = 0;

sub pick { return $_[int(rand(@_))]; }

my @words = qw(open close read write queue lock buffer index node count
    limit state event path size offset name value list table);

sub name { return pick(@words) . '_' . pick(@words) . (rand() < 0.2 ? $serial++ : ''); }

sub statement {
	my ($in) = @_;
	return pick(
	    "${in}return 0;\n", "${in}" . name() . "(" . name() . ");\n",
	    "${in}int " . name() . " = " . int(rand(100)) . ";\n",
	    "${in}if (" . name() . " == NULL)\n$in\treturn -1;\n",
	    "${in}for (i = 0; i < " . name() . "; i++)\n$in\t" . name() . "(i);\n",
	    "\n", "$in/* " . name() . " before " . name() . " */\n");
}

sub c_function {
	my $f = name();
	my $body = join '', map { statement("\t") } 1 .. 2 + int(rand(10));
	return "static int\n$f(void)\n{\n${body}\treturn 0;\n}\n\n";
}

sub py_function {
	my $f = name();
	my $body = join '', map {
		pick("    " . name() . " = " . name() . "()\n",
		    "    if " . name() . ":\n        return None\n",
		    "    for x in " . name() . ":\n        x." . name() . "()\n",
		    "\n")
	} 1 .. 2 + int(rand(6));
	return "def $f(self):\n${body}    return True\n\n\n";
}

sub prose {
	return join(' ', map { pick(@words) } 1 .. 3 + int(rand(9))) .
	    pick(".\n", ".  \n", "\n", ".\n\n", ".\n- " . pick(@words) . "\n");
}

sub setting { return name() . " = " . int(rand(1000)) . "\n"; }

sub piece {
	my ($path) = @_;
	return c_function() if $path =~ /\.c$/;
	return py_function() if $path =~ /\.py$/;
	return setting() if $path =~ /\.ini$/;
	return prose();
}

sub finish {
	my ($path, $text) = @_;
	$text =~ s/\n/\r\n/g if $path =~ /dos/;
	$text = "\xef\xbb\xbf$text" if $path =~ /bom/;
	$text =~ s/e/\xe9/ if $path =~ /latin/;
	chomp $text if $path =~ /open/;
	return $text;
}

sub new_file {
	my $path = pick('src', 'lib/deep', 'doc', '.') . '/' .
	    pick('', '', '', 'dos-', 'bom-', 'latin-', 'open-') . name() .
	    $serial++ . pick('.c', '.c', '.py', '.ini', '.txt');
	$path =~ s{^\./}{};
	$files{$path} = finish($path,
	    join('', map { piece($path) } 1 .. 2 + int(rand(8))));
	$modes{$path} = rand() < 0.1 ? '100755' : '100644';
	return $path;
}

# A line that fits the file, with its line end.
sub line_for {
	my ($path) = @_;
	my ($line) = split /(?<=\n)/, piece($path);
	$line = $line eq "\n" ? "x\n" : $line;
	$line =~ s/\n/\r\n/ if $path =~ /dos/;
	return $line;
}

my @edits = (
    sub { # one line differs
	my ($l, $p) = @_;
	my $i = int(rand(@$l));
	my $w = pick(@words);
	$l->[$i] =~ s/\b[a-z]+/$w/ or $l->[$i] = line_for($p);
    },
    sub { # a line comes
	my ($l, $p) = @_;
	splice @$l, int(rand(@$l)), 0, line_for($p);
    },
    sub { # a block comes
	my ($l, $p) = @_;
	my $t = piece($p);
	$t =~ s/\n/\r\n/g if $p =~ /dos/;
	splice @$l, int(rand(@$l)), 0, split /(?<=\n)/, $t;
    },
    sub { # lines go
	my ($l) = @_;
	my $n = 1 + int(rand(4));
	splice @$l, int(rand(@$l)), $n if @$l > $n + 3;
    },
    sub { # a block moves
	my ($l) = @_;
	return if @$l < 12;
	my @b = splice @$l, int(rand(@$l - 5)), 4;
	splice @$l, int(rand(@$l)), 0, @b;
    },
    sub { # a word is another throughout
	my ($l) = @_;
	my ($from, $to) = (pick(@words), pick(@words));
	s/\b$from/$to/g for @$l;
    },
    sub { # a block is indented more, or less
	my ($l) = @_;
	my $i = int(rand(@$l));
	my $in = pick("\t", '    ', undef);
	for my $k ($i .. $i + int(rand(6))) {
		last if $k > $#$l;
		defined $in ? $l->[$k] =~ s/^(?=\S)/$in/
		    : $l->[$k] =~ s/^(\t| {4})//;
	}
    },
    sub { # a block stands there twice
	my ($l) = @_;
	my $i = int(rand(@$l));
	my $n = 1 + int(rand(6));
	$n = @$l - $i if $i + $n > @$l;
	my @b = @$l[$i .. $i + $n - 1];
	splice @$l, int(rand(@$l)), 0, @b;
    },
    sub { # the file's end
	my ($l) = @_;
	$l->[-1] =~ s/\r?\n\z// or $l->[-1] .= "\n";
    },
    sub { # blanks at a line's end
	my ($l) = @_;
	my $i = int(rand(@$l));
	$l->[$i] =~ s/[ \t]+(?=\r?\n)// or $l->[$i] =~ s/(?=\r?\n)/  /;
    });

sub edit {
	my ($path) = @_;
	my @lines = split /(?<=\n)/, $files{$path};
	for (1 .. pick(1, 1, 1, 2, 3, 5)) {
		last if !@lines;
		pick(@edits)->(\@lines, $path);
		# A line without an end in the middle is one with the next.
		@lines = split /(?<=\n)/, join '', @lines;
	}
	my $text = join '', @lines;
	# A file that shrank to nothing, or grew too far, begins again.
	$text = piece($path) x 2 if length $text < 20 || length $text > 60000;
	$files{$path} = $text;
}

my %others = (
    add => sub { return pick_put(new_file()); },
    delete => sub {
	my ($p) = @_;
	delete $files{$p};
	return "D $p\n";
    },
    move => sub {
	my ($p) = @_;
	my $to = pick('src', 'moved/to', 'doc') . '/' . name() . $serial++ .
	    ($p =~ /(\.\w+)$/ ? $1 : '');
	$files{$to} = delete $files{$p};
	$modes{$to} = delete $modes{$p};
	edit($to) if rand() < 0.3 && $modes{$to} !~ /^12/ && $to =~ /\.(c|py|ini|txt)$/;
	return "D $p\n" . put($to);
    },
    mode => sub {
	my ($p) = @_;
	return '' if $modes{$p} =~ /^12/;
	$modes{$p} = $modes{$p} eq '100644' ? '100755' : '100644';
	return put($p);
    },
    link => sub {
	my $p = 'links/' . name() . $serial++;
	$files{$p} = pick('../src', 'nowhere', 'a/b');
	$modes{$p} = '120000';
	return put($p);
    },
    relink => sub { # a link where a file was, and back
	my ($p) = @_;
	if ($modes{$p} =~ /^12/) {
		$modes{$p} = '100644';
		$files{$p} = piece('x.txt');
	} else {
		$modes{$p} = '120000';
		$files{$p} = 'elsewhere/' . pick(@words);
	}
	return put($p);
    },
    binary => sub {
	my $p = 'bin/' . name() . $serial++ . '.bin';
	$files{$p} = join '', map { chr(int(rand(256))) } 1 .. 200 + int(rand(3000));
	$modes{$p} = '100644';
	return put($p);
    },
    empty => sub {
	my $p = 'empty/' . name() . $serial++;
	$files{$p} = '';
	$modes{$p} = '100644';
	return put($p);
    });

sub put {
	my ($p) = @_;
	return "M $modes{$p} inline $p\ndata " . length($files{$p}) . "\n$files{$p}\n";
}
sub pick_put { return put($_[0]); }

sub change {
	my @paths = sort keys %files;
	my $p = pick(@paths);
	return put(new_file()) if @paths < 8;
	if ($all && rand() < 0.4) {
		return $others{pick(sort keys %others)}->($p);
	}
	my @text = grep { $modes{$_} !~ /^12/ && length $files{$_} &&
	    /\.(c|py|ini|txt)$/ } @paths;
	return put(new_file()) if !@text || rand() < 0.05 && @paths < 60;
	$p = pick(@text);
	edit($p);
	return put($p);
}

binmode STDOUT;
for my $n (1 .. $commits) {
	my %done;
	my @changes = map { change() } 1 .. ($n == 1 ? 8 : pick(1, 1, 2, 3));
	print "commit refs/heads/main\ncommitter t <t\@example.invalid> " .
	    (1700000000 + $n) . " +0000\ndata 9\n" .
	    sprintf("c %06d\n", $n) . join('', @changes) . "\n";
}
