/* SPDX-License-Identifier: ISC */
/* Where the hunks of a diff go, and the text that they make of it. */
#include <stdlib.h>
#include <string.h>

#include "executor/edit.h"
#include "executor/hunk.h"
#include "executor/near.h"
#include "executor/seek.h"

#define BOM "\xef\xbb\xbf"
#define RIVAL 20 /* lines: numbers in headers may be off by so many */
#define SLIP 3   /* lines that may have come or gone before a place */
/* Lines looked at; beyond, any place may be meant. */
#define WORK_MAX 40000000u

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
	struct match shift;
	bool eols;       /* the hunk shows the file's line ends */
	const char *eol; /* the file's there */
};

/* Where the header says, with the drift of the hunk before; -1: not said. */
static long
expected(const struct apply *a, const struct hunk *h, bool drifted)
{
	return h->hint == 0 ? -1 : (long)h->hint - 1 + (drifted ? a->drift : 0);
}

static bool
is_hinted(const struct apply *a, const struct hunk *h, size_t line)
{
	return (long)line == expected(a, h, false) ||
	       (long)line == expected(a, h, true);
}

/* A version without a newline at its end has its last line in the hunk. */
static void
look(const struct apply *a, const struct hunk *h, struct match_list *all)
{
	size_t end = a->file.count, n = h->old.count, from = a->from;
	struct match m;
	struct seek s;

	if ((h->old_open || h->new_open) && end >= n && end - n > from)
		from = end - n;
	seek_open(&s, &a->file, from, &h->old, all->tier);
	while (seek_next(&s, &m)) {
		m.start = (size_t)(a->file.items[m.line].s - a->text);
		match_add(all, &m);
	}
	if (seek_gave_up(&s))
		all->count = 0;
	seek_close(&s);
}

/* Of several places the one that the header names. Numbers are easily a few
 * lines off, so it counts for nothing where another place is that near. */
static const struct match *
choose(const struct apply *a, const struct hunk *h,
    const struct match_list *all)
{
	const struct match *chosen = NULL;

	for (size_t i = 0; i < all->count; i++) {
		const struct match *m = &all->items[i];

		if (!is_hinted(a, h, m->line))
			continue;
		if (chosen != NULL || (i > 0 && m->line - m[-1].line < RIVAL) ||
		    (i + 1 < all->count && m[1].line - m->line < RIVAL))
			return NULL;
		chosen = m;
	}
	return chosen;
}

/* Does most of what the hunk wants to see stand around there, in order? */
static bool
resembles(const struct apply *a, const struct hunk *h, long at)
{
	size_t last = (size_t)at + h->old.count + SLIP;
	size_t next = at > SLIP ? (size_t)at - SLIP : 0;
	size_t hits = 0, solid = 0, work = 0;

	if (at < 0)
		return false;
	for (size_t j = 0; j < h->old.count; j++) {
		const struct line *want = &h->old.items[j];
		size_t i = next;

		if (line_trim(want) == 0)
			continue;
		solid++;
		while (i < a->file.count && i < last &&
		       !line_same(&a->file.items[i], want))
			i++;
		work += i - next;
		if (work > WORK_MAX)
			return true;
		if (i < a->file.count && i < last) {
			hits++;
			next = i + 1;
		}
	}
	return solid > 1 && hits * 3 >= solid * 2;
}

/* The only place that fits, unless the header names another one that nearly
 * does: then that was meant, and has changed. */
static bool
is_meant(const struct apply *a, const struct hunk *h, const struct match *m)
{
	for (int drifted = 0; drifted < 2; drifted++) {
		long at = expected(a, h, drifted == 1);
		size_t away = (size_t)labs((long)m->line - at);

		if (at >= 0 && away >= h->old.count + SLIP &&
		    resembles(a, h, at))
			return is_hinted(a, h, m->line);
	}
	return true;
}

static bool
locate(const struct apply *a, const struct hunk *h, struct spot *s,
    struct match_list *all)
{
	const struct match *m = NULL;

	memset(all, 0, sizeof(*all));
	for (int t = MATCH_EXACT;
	     h->old.count > 0 && t < MATCH__MAX && all->count == 0; t++) {
		all->tier = (enum match_tier)t;
		look(a, h, all);
	}
	if (all->count == 1 && is_meant(a, h, all->items))
		m = all->items;
	else if (all->count > 1)
		m = choose(a, h, all);
	if (m == NULL)
		return false;
	s->line = m->line;
	s->shift = *m;
	s->eol = edit_eol(a->text, a->len, m->start);
	s->eols = match_eols(&a->file.items[m->line], &h->old);
	return true;
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

static bool
put_new(const struct hunk *h, const struct spot *s, size_t i, struct joint *j,
    struct buf *out)
{
	const char *eol = s->eol;
	const struct line *l = &h->lines.items[i];

	if (!edit_put_line(l, &s->shift, out))
		return false;
	if (s->eols && l->eol > 0)
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
	struct joint j = {NULL, 0};
	bool own = false; /* the last line is the file's, with its line end */

	buf_add(out, a->text + a->done, start - a->done);
	for (size_t i = 0; i < h->lines.count; i++) {
		const struct line *kept = &a->file.items[at];

		at += h->signs[i] != '+';
		if (h->signs[i] == '-')
			continue;
		put_joint(&j, s->eol, out);
		own = h->signs[i] == ' ' && kept->eol > 0;
		if (h->signs[i] == '+' && !put_new(h, s, i, &j, out))
			return false;
		if (h->signs[i] == '+')
			continue;
		buf_add(out, kept->s, kept->len);
		j = (struct joint){kept->s + kept->len, kept->eol};
	}
	if (j.eol != NULL && (own || keeps_newline(a, h, s)))
		put_joint(&j, s->eol, out);
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
	if (all->count == 1) {
		json_object_set_new(error, "code", json_string("elsewhere"));
		json_object_set_new(error, "hint",
		    json_string("the hunk fits at the candidate only, but most "
				"of it stands where its @@ header says: look "
				"at both, then correct the number or the "
				"lines"));
	} else if (all->count > 1) {
		json_object_set_new(error, "hint",
		    json_string("add lines of context to the hunk until it is "
				"unique, or give the right line number in its "
				"@@ header"));
	}
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
