/* SPDX-License-Identifier: ISC */
/* Where the hunks of a diff go, and the text that they make of it. */
#include <stdlib.h>
#include <string.h>

#include "executor/edit.h"
#include "executor/hunk.h"
#include "executor/near.h"

#define BOM "\xef\xbb\xbf"

/* One application under way. */
struct apply {
	const char *text;
	size_t len;
	struct lines file; /* behind a BOM that the diff does not show */
	size_t from;       /* lines before it are done with */
	size_t done;       /* bytes copied to out */
	long drift;        /* of the hunk before: found below its hint by */
};

struct spot {
	size_t line; /* of the file, from 0 */
	enum match_tier tier;
	struct match shift;
	size_t count; /* places that fit */
	size_t hinted;
};

static bool
fits_at(const struct apply *a, const struct hunk *h, size_t at,
    enum match_tier tier, struct match *m)
{
	bool ends = at + h->old.count == a->file.count;

	if ((h->old_open || h->new_open) && !ends)
		return false;
	return match_window(&a->file.items[at], &h->old, tier, m);
}

static long
expected(const struct apply *a, const struct hunk *h, bool drifted)
{
	return h->hint == 0 ? -1 : (long)h->hint - 1 + (drifted ? a->drift : 0);
}

static void
look(const struct apply *a, const struct hunk *h, enum match_tier tier,
    struct spot *s, struct match_list *all)
{
	long plain = expected(a, h, false), drifted = expected(a, h, true);

	s->tier = all->tier = tier;
	for (size_t i = a->from; i + h->old.count <= a->file.count; i++) {
		struct match m = {.line = i};
		bool here = (long)i == plain || (long)i == drifted;

		if (!fits_at(a, h, i, tier, &m))
			continue;
		m.start = (size_t)(a->file.items[i].s - a->text);
		if (s->count == 0 || here) {
			s->line = i;
			s->shift = m;
		}
		s->count++;
		s->hinted += here;
		match_add(all, &m);
	}
}

/* The one place that fits, or of several the one that the header names: then
 * where it says and where the hunks before moved it must not both fit. */
static bool
locate(const struct apply *a, const struct hunk *h, struct spot *s,
    struct match_list *all)
{
	memset(s, 0, sizeof(*s));
	memset(all, 0, sizeof(*all));
	if (h->old.count == 0)
		return false;
	for (int t = MATCH_EXACT; t < MATCH__MAX && s->count == 0; t++)
		look(a, h, (enum match_tier)t, s, all);
	return s->count == 1 || s->hinted == 1;
}

/* Line ends between what is written: put when the next line comes. */
struct joint {
	const char *eol;
	size_t len;
};

static void
put_joint(struct joint *j, const char *eol, struct buf *out)
{
	if (j->len > 0)
		buf_add(out, j->eol, j->len);
	else if (j->eol != NULL) /* the file's last line, and more follows */
		buf_puts(out, eol);
	j->eol = NULL;
	j->len = 0;
}

/* An exact context shows which line ends the author saw. */
static bool
knows_eol(const struct hunk *h, const struct spot *s)
{
	return s->tier == MATCH_EXACT && h->old.items[0].eol > 0;
}

static bool
put_new(const struct hunk *h, const struct spot *s, size_t i, const char *eol,
    struct joint *j, struct buf *out)
{
	const struct line *l = &h->lines.items[i];

	if (!edit_put_line(l, &s->shift, out))
		return false;
	if (knows_eol(h, s) && l->eol > 0)
		eol = l->eol == 2 ? "\r\n" : "\n";
	*j = (struct joint){eol, strlen(eol)};
	return true;
}

/* Does the last line that the hunk leaves have a newline? */
static bool
keeps_newline(const struct apply *a, const struct hunk *h, const struct spot *s)
{
	if (s->line + h->old.count < a->file.count)
		return true;
	if (h->old_open == h->new_open)
		return a->file.terminated;
	return h->old_open;
}

static bool
put_hunk(struct apply *a, const struct hunk *h, const struct spot *s,
    struct buf *out)
{
	size_t at = s->line, start = (size_t)(a->file.items[at].s - a->text);
	const char *eol = edit_eol(a->text, a->len, start);
	struct joint j = {NULL, 0};

	buf_add(out, a->text + a->done, start - a->done);
	for (size_t i = 0; i < h->lines.count; i++) {
		const struct line *kept = &a->file.items[at];

		at += h->signs[i] != '+';
		if (h->signs[i] == '-')
			continue;
		put_joint(&j, eol, out);
		if (h->signs[i] == '+' && !put_new(h, s, i, eol, &j, out))
			return false;
		if (h->signs[i] == '+')
			continue;
		buf_add(out, kept->s, kept->len);
		j = (struct joint){kept->s + kept->len, kept->eol};
	}
	if (j.eol != NULL && keeps_newline(a, h, s))
		put_joint(&j, eol, out);
	a->from = at;
	a->done = at < a->file.count ? (size_t)(a->file.items[at].s - a->text)
				     : a->len;
	a->drift = h->hint > 0 ? (long)s->line - (long)(h->hint - 1) : a->drift;
	return true;
}

/* One side of a hunk as text. */
static struct plan_text
side(const struct hunk *h, char other)
{
	struct buf b = {0};
	size_t len;

	buf_reserve(&b, 1);
	for (size_t i = 0; i < h->lines.count; i++) {
		if (h->signs[i] == other)
			continue;
		buf_add(&b, h->lines.items[i].s, h->lines.items[i].len);
		buf_putc(&b, '\n');
	}
	len = b.len;
	return (struct plan_text){buf_take(&b), len};
}

static json_t *
explain(const struct apply *a, const struct hunk *h,
    const struct match_list *all)
{
	struct plan_edit e;
	json_t *error;

	if (h->old.count == 0)
		return json_pack("{s:s, s:s}", "code", "no-context", "hint",
		    "give lines of the file around what is added; or use "
		    "insertAfter, append or contents");
	e = (struct plan_edit){side(h, '+'), side(h, '-'), 1};
	error = near_explain(a->text, a->len, &e, all);
	if (all->count > 0)
		json_object_set_new(error, "hint",
		    json_string("add lines of context to the hunk until it is "
				"unique, or give the right line number in its "
				"@@ header"));
	free(e.find.bytes);
	free(e.replace.bytes);
	return error;
}

static bool
shows_bom(const struct hunks *h)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct line *l = h->items[i].old.items;

		if (h->items[i].old.count > 0 && l->len >= 3 &&
		    memcmp(l->s, BOM, 3) == 0)
			return true;
	}
	return false;
}

static void
open_apply(struct apply *a, const struct hunks *h, const char *text, size_t len)
{
	size_t bom =
	    len >= 3 && memcmp(text, BOM, 3) == 0 && !shows_bom(h) ? 3 : 0;

	*a = (struct apply){.text = text, .len = len};
	lines_split(text + bom, len - bom, &a->file);
}

static int
put_one(struct apply *a, const struct hunks *h, size_t i, struct buf *out,
    json_t **error)
{
	const struct hunk *k = &h->items[i];
	struct match_list all;
	struct spot s;
	bool found = locate(a, k, &s, &all);

	if (found && !put_hunk(a, k, &s, out)) {
		/* What comes is indented less than what goes. */
		all.count = 0;
		found = false;
	}
	if (!found) {
		*error = explain(a, k, &all);
		json_object_set_new(*error, "op_index",
		    json_integer((json_int_t)i));
	}
	match_free(&all);
	return found ? 0 : -1;
}

/* A new file, or one that is empty: nothing but what is added. */
static void
put_created(const struct hunks *h, struct buf *out)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct hunk *k = &h->items[i];

		for (size_t j = 0; j < k->lines.count; j++) {
			const struct line *l = &k->lines.items[j];

			buf_add(out, l->s, l->len);
			if (l->eol > 0)
				buf_puts(out, l->eol == 2 ? "\r\n" : "\n");
		}
	}
}

int
hunks_apply(const struct hunks *h, const char *text, size_t len,
    struct buf *out, json_t **error)
{
	struct apply a;
	int answer = 0;

	if (len == 0 && h->count == 1 && h->items[0].old.count == 0) {
		put_created(h, out);
		return 0;
	}
	open_apply(&a, h, text, len);
	for (size_t i = 0; i < h->count && answer == 0; i++)
		answer = put_one(&a, h, i, out, error);
	if (answer == 0)
		buf_add(out, text + a.done, len - a.done);
	lines_free(&a.file);
	return answer;
}

int
hunks_cover(const struct hunks *h, const char *text, size_t len, json_t **error)
{
	const struct hunk *k = h->items;
	struct match_list none = {0};
	struct match m = {0};
	struct apply a;
	bool all;

	if (h->count == 0) {
		if (len == 0)
			return 0;
		*error = json_pack("{s:s, s:s}", "code", "not-empty", "hint",
		    "use delete: true, or give the lines that go");
		return -1;
	}
	open_apply(&a, h, text, len);
	all = h->count == 1 && k->old.count == a.file.count &&
	      match_window(a.file.items, &k->old, MATCH_BLANKS, &m);
	if (!all)
		*error = explain(&a, k, &none);
	lines_free(&a.file);
	return all ? 0 : -1;
}
