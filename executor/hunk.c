/* SPDX-License-Identifier: ISC */
/* Reading hunks. */
#include <stdlib.h>
#include <string.h>

#include "common/difftext.h"
#include "executor/hunk.h"

static void
push(struct lines *l, const struct line *line)
{
	/* Grows by powers of two. */
	if ((l->count & (l->count - 1)) == 0)
		l->items = xreallocarray(l->items,
		    l->count == 0 ? 1 : l->count * 2, sizeof(*l->items));
	l->items[l->count++] = *line;
	l->terminated = line->eol > 0;
}

/* A line as it stands in the diff; a blank one may have lost its sign. */
static void
add_line(struct hunk *h, const struct line *row)
{
	struct line l = *row;
	char sign = ' ';

	if (l.len > 0) {
		sign = l.s[0];
		l.s++;
		l.len--;
	}
	if (l.eol == 0) /* the diff's own last newline is missing */
		l.eol = h->lines.count > 0
			    ? h->lines.items[h->lines.count - 1].eol
			    : 1;
	if ((h->lines.count & (h->lines.count - 1)) == 0)
		h->signs = xreallocarray(h->signs,
		    h->lines.count == 0 ? 1 : h->lines.count * 2, 1);
	h->signs[h->lines.count] = sign;
	push(&h->lines, &l);
}

/* "\ No newline at end of file" speaks of the line before it. That line's CR
 * is the file's last byte, unless the diff's own lines end with one. */
static void
mark_open(struct hunk *h, bool framed)
{
	struct line *l;
	char sign;

	if (h->lines.count == 0)
		return;
	l = &h->lines.items[h->lines.count - 1];
	sign = h->signs[h->lines.count - 1];
	if (l->eol == 2 && !framed)
		l->len++;
	l->eol = 0;
	h->old_open |= sign != '+';
	h->new_open |= sign != '-';
}

/* Blank lines behind a hunk are the document's unless it counts them. */
static void
drop_blanks(struct hunk *h, size_t wanted)
{
	size_t olds = 0;

	for (size_t i = 0; i < h->lines.count; i++)
		olds += h->signs[i] != '+';
	while (h->lines.count > 0 && olds > wanted) {
		const struct line *l = &h->lines.items[h->lines.count - 1];

		/* One that kept its sign was meant. */
		if (h->signs[h->lines.count - 1] != ' ' || l->len > 0 ||
		    l->s[-1] == ' ')
			break;
		h->lines.count--;
		olds--;
	}
}

static void
end_hunk(struct hunk *h, size_t wanted)
{
	drop_blanks(h, wanted);
	for (size_t i = 0; i < h->lines.count; i++)
		if (h->signs[i] != '+')
			push(&h->old, &h->lines.items[i]);
}

static struct hunk *
begin_hunk(struct hunks *h)
{
	h->items = xreallocarray(h->items, h->count + 1, sizeof(*h->items));
	memset(&h->items[h->count], 0, sizeof(*h->items));
	return &h->items[h->count++];
}

static bool
is_sign(char c)
{
	return c == ' ' || c == '+' || c == '-';
}

static bool
read_body(const struct diff_file *f, struct hunks *out, const char **why)
{
	struct hunk_range range = {0};
	struct hunk *h = NULL;
	struct lines rows;
	size_t frame = 1; /* bytes that lines end with which are no file's */
	bool ok = true;

	lines_split(f->body, f->body_len, &rows);
	for (size_t i = 0; ok && i < rows.count; i++) {
		const struct line *r = &rows.items[i];

		if (r->len >= 2 && memcmp(r->s, "@@", 2) == 0) {
			if (h != NULL)
				end_hunk(h, range.old_count);
			h = begin_hunk(out);
			frame = r->eol;
			(void)difftext_range(r->s, r->len, &range);
			h->hint = range.old_line;
			continue;
		}
		if (h == NULL)
			h = begin_hunk(out);
		if (r->len > 0 && r->s[0] == '\\')
			mark_open(h, (r->eol > 0 ? r->eol : frame) == 2);
		else if (r->len == 0 || is_sign(r->s[0]))
			add_line(h, r);
		else
			ok = false;
	}
	if (h != NULL)
		end_hunk(h, range.old_count);
	lines_free(&rows);
	if (!ok)
		*why = "a line of a hunk begins with neither a blank, - nor +";
	return ok;
}

/* Nothing of a version comes behind its line without a newline: the two would
 * become one. */
static bool
is_open_at_end(const struct hunk *k)
{
	bool old = false, new = false;

	for (size_t i = 0; i < k->lines.count; i++) {
		char sign = k->signs[i];

		if ((old && sign != '+') || (new &&sign != '-'))
			return false;
		old |= k->lines.items[i].eol == 0 && sign != '+';
		new |= k->lines.items[i].eol == 0 && sign != '-';
	}
	return true;
}

static bool
check_hunks(const struct hunks *h, const char **why)
{
	if (h->count == 0 && !h->creates && !h->deletes) {
		*why = "the diff has no hunk";
		return false;
	}
	for (size_t i = 0; i < h->count; i++) {
		const struct hunk *k = &h->items[i];

		*why = "a hunk changes nothing";
		if (k->lines.count == 0 ||
		    (memchr(k->signs, '+', k->lines.count) == NULL &&
			memchr(k->signs, '-', k->lines.count) == NULL))
			return false;
		*why = "a line comes behind one without a newline at its end";
		if (!is_open_at_end(k))
			return false;
		*why = "a diff that makes a file removes nothing";
		if (h->creates && k->old.count > 0)
			return false;
		*why = "a diff that deletes a file adds nothing";
		if (h->deletes && k->old.count < k->lines.count)
			return false;
	}
	return true;
}

bool
hunks_read(const char *diff, size_t len, struct hunks *out, const char **why)
{
	struct difftext d = {diff, diff + len, false};
	struct diff_file f;
	bool ok;

	memset(out, 0, sizeof(*out));
	*why = "this is not a unified diff";
	if (!difftext_next(&d, &f))
		return false;
	out->creates = f.creates;
	out->deletes = f.deletes;
	ok = !f.binary && !f.combined && read_body(&f, out, why) &&
	     check_hunks(out, why);
	diff_file_free(&f);
	if (ok && difftext_next(&d, &f)) {
		*why = "the diff is of more than one file";
		diff_file_free(&f);
		ok = false;
	}
	return ok;
}

void
hunks_free(struct hunks *h)
{
	for (size_t i = 0; i < h->count; i++) {
		free(h->items[i].signs);
		lines_free(&h->items[i].lines);
		lines_free(&h->items[i].old);
	}
	free(h->items);
	memset(h, 0, sizeof(*h));
}
