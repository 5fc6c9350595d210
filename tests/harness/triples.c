/* SPDX-License-Identifier: ISC */
/*
 * triples [SEED]: changes of files from a repository's history (triples.pl)
 * on standard input, each made again in every way that a patch can say it,
 * and on files that were changed meanwhile. What is reported as success must
 * be, byte for byte, what git has or what the diff's own line numbers make of
 * the changed file; all else must be a refusal. Exit 1 where a wrong result
 * was reported as success, or a sure way refused more than now and then.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/difftext.h"
#include "executor/edit.h"
#include "executor/hunk.h"
#include "executor/pattern.h"

#define SURE 50 /* of so many at most one */
#define FILE_MAX ((size_t)64 << 20)

struct triple {
	struct buf old, new, diff;
	uintmax_t number;
};

struct tally {
	const char *name;
	bool sure; /* hardly ever refused */
	unsigned exact, refused, wrong, skipped;
};

enum way {
	DIFF,       /* as git wrote it */
	BARE,       /* no numbers in the headers */
	MISCOUNTED, /* wrong counts */
	EDITS,      /* each hunk as find and replace */
	PATTERN,    /* each hunk as a pattern */
	CRLF_DIFF,
	CRLF_EDITS,
	INDENT_DIFF,
	INDENT_EDITS,
	BLANKS_DIFF,
	DROPPED, /* a line of what a hunk wants to see is gone */
	DROPPED_EDITS,
	MOVED, /* lines came before the hunks: the numbers are off */
	TWICE, /* a hunk's place is there twice, the numbers are gone */
	TWICE_EDITS,
	WAYS
};

static struct tally tallies[WAYS] = {
    [DIFF] = {"diff", true, 0, 0, 0, 0},
    [BARE] = {"diff without numbers", false, 0, 0, 0, 0},
    [MISCOUNTED] = {"diff with wrong counts", true, 0, 0, 0, 0},
    [EDITS] = {"edits", false, 0, 0, 0, 0},
    [PATTERN] = {"pattern", false, 0, 0, 0, 0},
    [CRLF_DIFF] = {"diff, file is CRLF now", true, 0, 0, 0, 0},
    [CRLF_EDITS] = {"edits, file is CRLF now", false, 0, 0, 0, 0},
    [INDENT_DIFF] = {"diff, file is indented more", false, 0, 0, 0, 0},
    [INDENT_EDITS] = {"edits, file is indented more", false, 0, 0, 0, 0},
    [BLANKS_DIFF] = {"diff, blanks at line ends", true, 0, 0, 0, 0},
    [DROPPED] = {"diff, a line of it dropped", false, 0, 0, 0, 0},
    [DROPPED_EDITS] = {"edits, a line of it dropped", false, 0, 0, 0, 0},
    [MOVED] = {"diff, lines came before", false, 0, 0, 0, 0},
    [TWICE] = {"diff, its place twice", false, 0, 0, 0, 0},
    [TWICE_EDITS] = {"edits, its place twice", false, 0, 0, 0, 0},
};

static uint64_t seed;
static size_t
below(size_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % n;
}

/* got NULL: refused; want NULL: only that is right. */
static void
judge(enum way w, const struct triple *t, const struct buf *got,
    const struct buf *want, json_t *error)
{
	struct tally *y = &tallies[w];
	bool right =
	    got != NULL && want != NULL && got->len == want->len &&
	    (got->len == 0 || memcmp(got->bytes, want->bytes, got->len) == 0);

	y->refused += got == NULL;
	y->exact += right;
	y->wrong += got != NULL && !right;
	if (got != NULL && !right)
		printf("# %s: change %ju: wrong\n", y->name, t->number);
	json_decref(error);
}

static int
apply_diff(const struct buf *file, const struct buf *diff, struct buf *out,
    json_t **error)
{
	struct hunks h;
	const char *why;
	int answer = -1;

	if (!hunks_read(diff->bytes, diff->len, &h, &why))
		*error = json_pack("{s:s}", "code", why);
	else
		answer = hunks_apply(&h, file->bytes, file->len, out, error);
	hunks_free(&h);
	return answer;
}

static void
try_diff(enum way w, const struct triple *t, const struct buf *file,
    const struct buf *diff, const struct buf *want)
{
	struct buf out = {0};
	json_t *error = NULL;
	int answer = apply_diff(file, diff, &out, &error);

	judge(w, t, answer == 0 ? &out : NULL, want, error);
	buf_free(&out);
}

/* The reference: by line numbers and nothing else. shift: lines that came
 * before; eol: of new lines, NULL for the diff's; in: put before new lines. */
struct numbers {
	const struct buf *file;
	const char *eol, *in;
	size_t shift;
};

static void
put_added(const struct numbers *n, const struct line *l, bool open,
    struct buf *out)
{
	if (n->in != NULL && line_trim(l) > 0)
		buf_puts(out, n->in);
	buf_add(out, l->s, l->len);
	if (!open)
		buf_puts(out, n->eol != NULL ? n->eol
			      : l->eol == 2  ? "\r\n"
					     : "\n");
}

static void
by_numbers(const struct numbers *n, const struct buf *diff, struct buf *out)
{
	struct lines file;
	struct hunks h;
	const char *why;
	size_t at = 0;

	if (!hunks_read(diff->bytes, diff->len, &h, &why))
		errx(1, "git's own diff: %s", why);
	lines_split(n->file->bytes, n->file->len, &file);
	for (size_t i = 0; i < h.count; i++) {
		const struct hunk *k = &h.items[i];
		size_t first = k->hint + n->shift - (k->hint > 0);

		for (; at < first; at++)
			buf_add(out, file.items[at].s,
			    file.items[at].len + file.items[at].eol);
		for (size_t j = 0; j < k->lines.count; j++) {
			const struct line *l = &k->lines.items[j];

			if (k->signs[j] == '+')
				put_added(n, l, l->eol == 0, out);
			else if (k->signs[j] == ' ')
				buf_add(out, file.items[at].s,
				    file.items[at].len + file.items[at].eol);
			at += k->signs[j] != '+';
		}
	}
	for (; at < file.count; at++)
		buf_add(out, file.items[at].s,
		    file.items[at].len + file.items[at].eol);
	lines_free(&file);
	hunks_free(&h);
}

/* The diff with other headers: without numbers, or with wrong counts. */
static void
reheader(const struct buf *diff, bool bare, struct buf *out)
{
	struct lines rows;
	struct hunk_range r;

	lines_split(diff->bytes, diff->len, &rows);
	for (size_t i = 0; i < rows.count; i++) {
		const struct line *l = &rows.items[i];

		if (!difftext_range(l->s, l->len, &r))
			buf_add(out, l->s, l->len + l->eol);
		else if (bare)
			buf_puts(out, "@@ ... @@\n");
		else
			buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", r.old_line,
			    r.old_count + 2, r.new_line, r.new_count + 3);
	}
	lines_free(&rows);
}

/* One side of a hunk, as its author would quote it. */
static void
side(const struct hunk *k, char other, struct buf *out)
{
	buf_reserve(out, 1);
	for (size_t i = 0; i < k->lines.count; i++) {
		const struct line *l = &k->lines.items[i];

		if (k->signs[i] == other)
			continue;
		buf_add(out, l->s, l->len);
		if (l->eol > 0)
			buf_puts(out, l->eol == 2 ? "\r\n" : "\n");
	}
}

/* How often what the hunk wants to see is there; 2 stands for more, too. */
static int
occurrences(const struct buf *file, const struct hunk *k)
{
	const char *at = file->bytes, *end = file->bytes + file->len;
	struct buf find = {0};
	int n = 0;

	side(k, '+', &find);
	while (n < 2 && find.len > 0 &&
	       (at = memmem(at, (size_t)(end - at), find.bytes, find.len)) !=
		   NULL) {
		at++;
		n++;
	}
	buf_free(&find);
	return n;
}

static int
edit_all(const struct buf *file, const struct hunks *h, struct buf *out,
    json_t **error)
{
	int answer = h->count > 0 ? 0 : -1;

	buf_add(out, file->bytes, file->len);
	for (size_t i = 0; i < h->count && answer == 0; i++) {
		struct buf find = {0}, with = {0}, next = {0};
		struct plan_edit e;

		side(&h->items[i], '+', &find);
		side(&h->items[i], '-', &with);
		e = (struct plan_edit){{find.bytes, find.len},
		    {with.bytes, with.len}, 1};
		answer = find.len == 0 ? -1
				       : edit_replace(out->bytes, out->len, &e,
					     &next, error);
		buf_free(out);
		*out = next;
		buf_free(&find);
		buf_free(&with);
	}
	return answer;
}

static void
try_edits(enum way w, const struct triple *t, const struct buf *file,
    const struct buf *want)
{
	struct buf out = {0};
	json_t *error = NULL;
	struct hunks h;
	const char *why;
	int answer;
	bool exact = false;

	(void)hunks_read(t->diff.bytes, t->diff.len, &h, &why);
	/* What is there to the byte after all is meant, and goes there as it is
	 * written: its indentation is not ours to guess. */
	for (size_t i = 0; w == INDENT_EDITS && i < h.count; i++)
		exact = exact || occurrences(file, &h.items[i]) > 0;
	answer = edit_all(file, &h, &out, &error);
	if (!exact)
		judge(w, t, answer == 0 ? &out : NULL, want, error);
	else
		json_decref(error);
	tallies[w].skipped += exact;
	hunks_free(&h);
	buf_free(&out);
}

static void
quote(const struct buf *text, const char *special, char with, struct buf *out)
{
	buf_reserve(out, 1);
	for (size_t i = 0; i < text->len; i++) {
		if (strchr(special, text->bytes[i]) != NULL)
			buf_putc(out, with);
		buf_putc(out, text->bytes[i]);
	}
}

/* A pattern takes the first place, so it is only right for what is there
 * once; 1: it is not. */
static int
one_pattern(const struct hunk *k, struct buf *text, json_t **error)
{
	struct buf find = {0}, with = {0}, p = {0}, r = {0}, next = {0};
	struct pattern pattern;
	int answer = 1;

	side(k, '+', &find);
	side(k, '-', &with);
	quote(&find, "\\^$.*+?()[]{}|/", '\\', &p);
	quote(&with, "$", '$', &r);
	pattern =
	    (struct pattern){{p.bytes, p.len}, {r.bytes, r.len}, "", FILE_MAX};
	if (occurrences(text, k) == 1) {
		answer = pattern_replace(&pattern, text->bytes, text->len,
		    &next, error);
		buf_free(text);
		*text = next;
	}
	buf_free(&find);
	buf_free(&with);
	buf_free(&p);
	buf_free(&r);
	return answer;
}

static void
try_pattern(const struct triple *t)
{
	struct buf text = {0};
	json_t *error = NULL;
	struct hunks h;
	const char *why;
	int answer = 0;

	buf_add(&text, t->old.bytes, t->old.len);
	(void)hunks_read(t->diff.bytes, t->diff.len, &h, &why);
	for (size_t i = 0; i < h.count && answer == 0; i++)
		answer = one_pattern(&h.items[i], &text, &error);
	if (answer == 1)
		tallies[PATTERN].skipped++;
	else
		judge(PATTERN, t, answer == 0 ? &text : NULL, &t->new, error);
	hunks_free(&h);
	buf_free(&text);
}

/* The file with every line changed alike. */
static void
alter(const struct buf *file, const char *in, const char *behind,
    const char *eol, struct buf *out)
{
	struct lines lines;

	lines_split(file->bytes, file->len, &lines);
	buf_reserve(out, 1);
	for (size_t i = 0; i < lines.count; i++) {
		const struct line *l = &lines.items[i];

		if (in != NULL && line_trim(l) > 0)
			buf_puts(out, in);
		buf_add(out, l->s, l->len);
		if (behind != NULL)
			buf_puts(out, behind);
		if (eol != NULL && l->eol > 0)
			buf_puts(out, eol);
		else
			buf_add(out, l->s + l->len, l->eol);
	}
	lines_free(&lines);
}

static void
try_altered(const struct triple *t, const struct numbers *how, enum way diff,
    enum way edits)
{
	struct buf want = {0};

	by_numbers(how, &t->diff, &want);
	try_diff(diff, t, how->file, &t->diff, &want);
	if (edits != WAYS)
		try_edits(edits, t, how->file, &want);
	buf_free(&want);
}

static void
try_all_altered(const struct triple *t)
{
	struct buf file = {0};
	bool cr = memchr(t->old.bytes, '\r', t->old.len) != NULL ||
		  memchr(t->diff.bytes, '\r', t->diff.len) != NULL;
	bool bom = memmem(t->diff.bytes, t->diff.len, "\xef\xbb\xbf", 3) ||
		   memmem(t->old.bytes, t->old.len, "\xef\xbb\xbf", 3);

	if (!cr) {
		alter(&t->old, NULL, NULL, "\r\n", &file);
		try_altered(t, &(struct numbers){&file, "\r\n", NULL, 0},
		    CRLF_DIFF, CRLF_EDITS);
		buf_free(&file);
	}
	if (!bom) {
		alter(&t->old, "\t", NULL, NULL, &file);
		try_altered(t, &(struct numbers){&file, NULL, "\t", 0},
		    INDENT_DIFF, INDENT_EDITS);
		buf_free(&file);
		alter(&t->old, NULL, " ", NULL, &file);
		try_altered(t, &(struct numbers){&file, NULL, NULL, 0},
		    BLANKS_DIFF, WAYS);
		buf_free(&file);
	}
}

/* Lines first to first + count - 1 of the file, from 0. */
static void
put_range(const struct buf *file, size_t first, size_t count, struct buf *out)
{
	struct lines lines;

	lines_split(file->bytes, file->len, &lines);
	buf_reserve(out, 1);
	for (size_t i = first; i < first + count && i < lines.count; i++)
		buf_add(out, lines.items[i].s,
		    lines.items[i].len + lines.items[i].eol);
	lines_free(&lines);
}

static bool
is_like(const struct line *a, const struct line *b)
{
	size_t ai = line_indent(a), bi = line_indent(b);
	size_t an = line_trim(a), bn = line_trim(b);

	an = an > ai ? an - ai : 0;
	bn = bn > bi ? bn - bi : 0;
	return an == bn && memcmp(a->s + ai, b->s + bi, an) == 0;
}

/* Is it there but for blanks at the lines' sides? */
static bool
occurs_loosely(const struct buf *file, const struct hunk *k)
{
	struct lines lines;
	bool found = false;

	lines_split(file->bytes, file->len, &lines);
	for (size_t i = 0; !found && i + k->old.count <= lines.count; i++) {
		size_t j = 0;

		while (j < k->old.count &&
		       is_like(&lines.items[i + j], &k->old.items[j]))
			j++;
		found = j == k->old.count;
	}
	lines_free(&lines);
	return found;
}

/* A line that the first hunk wants to see is gone: nothing can be right. */
static void
try_dropped(const struct triple *t, const struct hunk *k)
{
	size_t at = k->hint - 1 + below(k->old.count);
	struct buf file = {0};

	put_range(&t->old, 0, at, &file);
	put_range(&t->old, at + 1, SIZE_MAX / 2, &file);
	/* Of equal neighbours it does not show which one is missing; text that
	 * is still there elsewhere is what an edit names. */
	if (k->old.count > 1 && occurrences(&t->old, k) == 1 &&
	    !occurs_loosely(&file, k)) {
		try_diff(DROPPED, t, &file, &t->diff, NULL);
		if (occurrences(&file, k) == 0)
			try_edits(DROPPED_EDITS, t, &file, NULL);
	}
	buf_free(&file);
}

static void
try_moved(const struct triple *t, const struct hunk *k)
{
	size_t n = 1 + below(9);
	struct buf file = {0}, want = {0};
	struct numbers how = {&file, NULL, NULL, n};

	if (k->hint < 2)
		return;
	for (size_t i = 0; i < n; i++)
		buf_printf(&file, "moved %zu\n", i);
	buf_add(&file, t->old.bytes, t->old.len);
	by_numbers(&how, &t->diff, &want);
	try_diff(MOVED, t, &file, &t->diff, &want);
	buf_free(&file);
	buf_free(&want);
}

/* All that the first hunk sees stands there once more, at the file's end. */
static void
try_twice(const struct triple *t, const struct hunk *k)
{
	struct buf file = {0}, bare = {0};

	if (k->old.count == 0 || k->old_open || t->old.len == 0 ||
	    t->old.bytes[t->old.len - 1] != '\n' ||
	    occurrences(&t->old, k) != 1)
		return;
	buf_add(&file, t->old.bytes, t->old.len);
	put_range(&t->old, k->hint - 1, k->old.count, &file);
	reheader(&t->diff, true, &bare);
	if (!k->new_open)
		try_diff(TWICE, t, &file, &bare, NULL);
	try_edits(TWICE_EDITS, t, &file, NULL);
	buf_free(&file);
	buf_free(&bare);
}

static void
try_damaged(const struct triple *t)
{
	struct hunks h;
	const char *why;

	(void)hunks_read(t->diff.bytes, t->diff.len, &h, &why);
	try_dropped(t, &h.items[0]);
	try_moved(t, &h.items[0]);
	try_twice(t, &h.items[0]);
	hunks_free(&h);
}

static void
try_one(const struct triple *t)
{
	struct buf bare = {0}, counts = {0};

	reheader(&t->diff, true, &bare);
	reheader(&t->diff, false, &counts);
	try_diff(DIFF, t, &t->old, &t->diff, &t->new);
	try_diff(BARE, t, &t->old, &bare, &t->new);
	try_diff(MISCOUNTED, t, &t->old, &counts, &t->new);
	try_edits(EDITS, t, &t->old, &t->new);
	try_pattern(t);
	try_all_altered(t);
	try_damaged(t);
	buf_free(&bare);
	buf_free(&counts);
}

static void
take(struct buf *b, size_t len)
{
	buf_clear(b);
	buf_reserve(b, len + 1);
	if (fread(b->bytes, 1, len, stdin) != len)
		errx(1, "the input ends early");
	b->len = len;
	b->bytes[len] = '\0';
}

static bool
next(struct triple *t)
{
	char head[80], *end = head;

	if (fgets(head, sizeof(head), stdin) == NULL)
		return false;
	t->number++;
	t->old.len = strtoull(end, &end, 10);
	t->new.len = strtoull(end, &end, 10);
	take(&t->old, t->old.len);
	take(&t->new, t->new.len);
	take(&t->diff, strtoull(end, &end, 10));
	return true;
}

int
main(int argc, char *argv[])
{
	struct triple t = {0};
	bool bad = false;

	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	while (next(&t))
		try_one(&t);
	printf("# %ju changes\n", t.number);
	for (size_t i = 0; i < WAYS; i++) {
		const struct tally *y = &tallies[i];

		printf("# %-32s %6u exact %6u refused %4u wrong %5u skipped\n",
		    y->name, y->exact, y->refused, y->wrong, y->skipped);
		bad |= y->wrong > 0 || y->exact + y->refused == 0 ||
		       (y->sure && y->refused * SURE > y->exact);
	}
	return bad ? 1 : 0;
}
