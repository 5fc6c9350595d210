/* SPDX-License-Identifier: ISC */
/* Files of a unified diff: headers, and the extent of the hunks. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/difftext_path.h"
#include "common/difftext.h"

struct row {
	const char *s;
	size_t len; /* without the line end */
	const char *next;
};

static bool
take(const char *at, const char *end, struct row *out)
{
	const char *nl;

	if (at >= end)
		return false;
	nl = memchr(at, '\n', (size_t)(end - at));
	out->s = at;
	out->len = (size_t)((nl != NULL ? nl : end) - at);
	out->next = nl != NULL ? nl + 1 : end;
	if (out->len > 0 && at[out->len - 1] == '\r')
		out->len--;
	return true;
}

static bool
begins(const struct row *r, const char *word)
{
	size_t n = strlen(word);

	return r->len >= n && memcmp(r->s, word, n) == 0;
}

static bool
begins_at(const char *at, const char *end, const char *word)
{
	struct row r;

	return take(at, end, &r) && begins(&r, word);
}

static bool
is_blank(const struct row *r)
{
	for (size_t i = 0; i < r->len; i++)
		if (r->s[i] != ' ' && r->s[i] != '\t')
			return false;
	return true;
}

/* "--- X" with "+++ Y" behind it. */
static bool
is_header(const struct row *r, const char *end)
{
	return begins(r, "--- ") && begins_at(r->next, end, "+++ ");
}

static size_t
number(const char **s, const char *end)
{
	size_t n = 0;

	while (*s < end && isdigit((unsigned char)**s) && n < 100000000)
		n = n * 10 + (size_t)(*(*s)++ - '0');
	return n;
}

/* "-12,3" or "-12", which is one line. */
static bool
side(const char **s, const char *end, char sign, size_t *line, size_t *count)
{
	if (end - *s < 2 || **s != sign || !isdigit((unsigned char)(*s)[1]))
		return false;
	(*s)++;
	*line = number(s, end);
	*count = 1;
	if (end - *s < 2 || **s != ',' || !isdigit((unsigned char)(*s)[1]))
		return true;
	(*s)++;
	*count = number(s, end);
	return true;
}

bool
difftext_range(const char *line, size_t len, struct hunk_range *r)
{
	const char *s = line + 3, *end = line + len;

	memset(r, 0, sizeof(*r));
	if (len < 3 || memcmp(line, "@@ ", 3) != 0 ||
	    !side(&s, end, '-', &r->old_line, &r->old_count) || s == end ||
	    *s++ != ' ' || !side(&s, end, '+', &r->new_line, &r->new_count))
		return false;
	return end - s >= 3 && memcmp(s, " @@", 3) == 0;
}

/* What a hunk's own header leaves to come, to tell its lines from others. */
struct tally {
	bool known;
	size_t old_left, new_left;
};

static void
count_line(struct tally *t, char sign)
{
	if (sign != '+' && sign != '\\' && t->old_left > 0)
		t->old_left--;
	if (sign != '-' && sign != '\\' && t->new_left > 0)
		t->new_left--;
}

static bool
is_full(const struct tally *t)
{
	return t->known && t->old_left == 0 && t->new_left == 0;
}

static bool
only_blanks(const char *at, const char *end)
{
	struct row r;

	for (; take(at, end, &r); at = r.next)
		if (!is_blank(&r))
			return begins(&r, "diff --git ") || is_header(&r, end);
	return true;
}

/*
 * Is this line outside the hunk? A file header looks like a line that goes
 * and one that comes: it is those only where the numbers say so exactly.
 */
static bool
ends_body(const struct row *r, const char *end, const struct tally *t)
{
	struct row plus;

	if (begins(r, "diff --git ") || begins(r, "Index: "))
		return true;
	if (is_full(t) && ((r->len <= 3 && begins(r, "--") &&
			       (r->len == 2 || r->s[2] == ' ')) ||
			      (r->len == 0 && only_blanks(r->s, end))))
		return true;
	if (!is_header(r, end) ||
	    (t->known && t->old_left == 1 && t->new_left == 1))
		return false;
	return take(r->next, end, &plus) && begins_at(plus.next, end, "@@");
}

static const char *
find_end(const char *at, const char *end)
{
	struct tally t = {false, 0, 0};
	struct hunk_range range;
	struct row r;

	for (; take(at, end, &r); at = r.next) {
		if (begins(&r, "@@")) {
			t.known = difftext_range(r.s, r.len, &range);
			t.old_left = range.old_count;
			t.new_left = range.new_count;
			continue;
		}
		if (ends_body(&r, end, &t))
			return at;
		count_line(&t, r.len > 0 ? r.s[0] : ' ');
	}
	return end;
}

static int
mode_of(const struct row *r, const char *word)
{
	int mode = 0;

	for (size_t i = strlen(word); i < r->len && i < strlen(word) + 6; i++)
		mode = mode * 8 + (r->s[i] & 7);
	return mode;
}

/* The lines between "diff --git" and the hunks. */
static bool
take_extended(const struct row *r, struct diff_file *f)
{
	static const char *const passed[] = {"index ", "similarity index ",
	    "dissimilarity index "};

	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (begins(r, passed[i]))
			return true;
	if (begins(r, "old mode ")) {
		f->old_mode = mode_of(r, "old mode ");
	} else if (begins(r, "new mode ")) {
		f->new_mode = mode_of(r, "new mode ");
	} else if (begins(r, "new file mode ")) {
		f->creates = true;
		f->new_mode = mode_of(r, "new file mode ");
	} else if (begins(r, "deleted file mode ")) {
		f->deletes = true;
		f->old_mode = mode_of(r, "deleted file mode ");
	} else if (begins(r, "rename from ") || begins(r, "rename to ")) {
		f->renames = true;
		diff_path_set(begins(r, "rename to ") ? &f->new_path
						      : &f->old_path,
		    strchr(r->s + 7, ' ') + 1, r->s + r->len);
		f->prefixed = false;
	} else if (begins(r, "copy from ") || begins(r, "copy to ")) {
		f->copies = true;
	} else if (begins(r, "GIT binary patch") ||
		   begins(r, "Binary files ")) {
		f->binary = true;
	} else {
		return false;
	}
	return true;
}

static void
take_names(const struct row *minus, const struct row *plus, struct diff_file *f)
{
	if (f->renames)
		return;
	diff_path_set(&f->old_path, minus->s + 4, minus->s + minus->len);
	diff_path_set(&f->new_path, plus->s + 4, plus->s + plus->len);
	if (f->old_path != NULL && strcmp(f->old_path, "/dev/null") == 0) {
		f->creates = true;
		free(f->old_path);
		f->old_path = NULL;
	}
	if (f->new_path != NULL && strcmp(f->new_path, "/dev/null") == 0) {
		f->deletes = true;
		free(f->new_path);
		f->new_path = NULL;
	}
	f->prefixed = diff_path_prefixed(f->old_path, f->new_path);
}

/* Reads the headers at *at; the hunks come behind them. */
static void
take_headers(const char **at, const char *end, struct diff_file *f)
{
	struct row r, plus;

	if (take(*at, end, &r) && begins(&r, "diff --git ")) {
		diff_path_pair(r.s + 11, r.s + r.len, &f->old_path,
		    &f->new_path);
		f->prefixed = diff_path_prefixed(f->old_path, f->new_path);
		*at = r.next;
		while (take(*at, end, &r) && take_extended(&r, f))
			*at = r.next;
	}
	if (take(*at, end, &r) && is_header(&r, end) &&
	    take(r.next, end, &plus)) {
		take_names(&r, &plus, f);
		*at = plus.next;
	}
}

/* Lines of a hunk, or the @@ before them. */
static bool
is_hunk(const struct row *r)
{
	char c = r->len > 0 ? r->s[0] : '\0';

	return c == '@' || c == '+' || c == '-' || c == ' ';
}

/* Where a file begins: its header, or bare hunks at the text's start. */
static const char *
find_start(const struct difftext *d)
{
	bool first = !d->begun;
	struct row r;

	for (const char *at = d->at; take(at, d->end, &r); at = r.next) {
		if (begins(&r, "diff --git ") || begins(&r, "diff --c") ||
		    is_header(&r, d->end) || begins(&r, "@@"))
			return at;
		if (first && !is_blank(&r) && is_hunk(&r))
			return at;
		first = first && is_blank(&r);
	}
	return NULL;
}

static bool
is_combined(const struct row *r)
{
	return begins(r, "diff --c") || begins(r, "@@@");
}

bool
difftext_next(struct difftext *d, struct diff_file *out)
{
	struct row r;

	memset(out, 0, sizeof(*out));
	out->old_mode = out->new_mode = -1;
	out->body = d->end;
	d->at = find_start(d);
	d->begun = true;
	if (d->at == NULL || !take(d->at, d->end, &r)) {
		d->at = d->end;
		return false;
	}
	if (!is_combined(&r))
		take_headers(&d->at, d->end, out);
	/* Behind --- and +++, too. */
	if (take(d->at, d->end, &r) && is_combined(&r)) {
		out->combined = true;
		d->at = d->end;
		return true;
	}
	out->body = d->at;
	if (take(d->at, d->end, &r) && is_hunk(&r) && !is_header(&r, d->end))
		d->at = find_end(d->at, d->end);
	out->body_len = (size_t)(d->at - out->body);
	return true;
}

const char *
diff_file_old(const struct diff_file *f)
{
	return diff_path_bare(f->old_path, f->prefixed);
}

const char *
diff_file_new(const struct diff_file *f)
{
	return diff_path_bare(f->new_path, f->prefixed);
}

void
diff_file_free(struct diff_file *f)
{
	free(f->old_path);
	free(f->new_path);
	memset(f, 0, sizeof(*f));
}
