/* SPDX-License-Identifier: ISC */
/*
 * Myers' greedy O(ND) line diff. Beyond EDITS_MAX differences the rest is
 * shown as one replacement: correct, only longer than it could be.
 */
#include <stdlib.h>
#include <string.h>

#include "executor/match.h"
#include "executor/udiff.h"

#define EDITS_MAX 1000
#define CONTEXT 3

struct udiff {
	struct lines a, b;
	bool *gone; /* of a */
	bool *come; /* of b */
	bool mixed; /* some lines of them end with CRLF, some do not */
};

static bool
same(const struct udiff *d, size_t i, size_t j)
{
	const struct line *x = &d->a.items[i], *y = &d->b.items[j];

	return x->len == y->len && x->eol == y->eol &&
	       memcmp(x->s, y->s, x->len) == 0;
}

struct range {
	size_t a0, a1, b0, b1; /* what differs, ends trimmed */
};

/* Furthest reaching paths; trace[d] is a copy of v before step d. */
static long
search(const struct udiff *d, const struct range *r, long **trace, long *v,
    long max)
{
	long n = (long)(r->a1 - r->a0), m = (long)(r->b1 - r->b0);

	for (long step = 0; step <= max; step++) {
		trace[step] =
		    xreallocarray(NULL, (size_t)(2 * max + 3), sizeof(long));
		memcpy(trace[step], v, (size_t)(2 * max + 3) * sizeof(long));
		for (long k = -step; k <= step; k += 2) {
			bool down =
			    k == -step || (k != step && v[max + 1 + k - 1] <
							    v[max + 1 + k + 1]);
			long x =
			    down ? v[max + 1 + k + 1] : v[max + 1 + k - 1] + 1;
			long y = x - k;

			while (x < n && y < m &&
			       same(d, r->a0 + (size_t)x, r->b0 + (size_t)y))
				x++, y++;
			v[max + 1 + k] = x;
			if (x >= n && y >= m)
				return step;
		}
	}
	return -1;
}

static void
backtrack(struct udiff *d, const struct range *r, long **trace, long steps,
    long max)
{
	long x = (long)(r->a1 - r->a0), y = (long)(r->b1 - r->b0);

	for (long step = steps; step > 0; step--) {
		const long *v = trace[step];
		long k = x - y;
		bool down = k == -step || (k != step && v[max + 1 + k - 1] <
							    v[max + 1 + k + 1]);
		long before = down ? k + 1 : k - 1;

		x = v[max + 1 + before];
		y = x - before;
		/* (x, y) is where the step's one insert or delete begins. */
		if (down)
			d->come[r->b0 + (size_t)y] = true;
		else
			d->gone[r->a0 + (size_t)x] = true;
	}
}

static void
mark(struct udiff *d, const struct range *r)
{
	size_t all = (r->a1 - r->a0) + (r->b1 - r->b0);
	long max = all < EDITS_MAX ? (long)all : EDITS_MAX;
	long **trace = xcalloc((size_t)max + 1, sizeof(*trace));
	long *v = xcalloc((size_t)(2 * max + 3), sizeof(*v));
	long steps = search(d, r, trace, v, max);

	if (steps >= 0) {
		backtrack(d, r, trace, steps, max);
	} else {
		for (size_t i = r->a0; i < r->a1; i++)
			d->gone[i] = true;
		for (size_t j = r->b0; j < r->b1; j++)
			d->come[j] = true;
	}
	for (long i = 0; i <= max; i++)
		free(trace[i]);
	free(trace);
	free(v);
}

static void
put(const struct udiff *d, char sign, const struct line *l, struct buf *out)
{
	buf_putc(out, sign);
	buf_add(out, l->s, l->len);
	buf_puts(out, d->mixed && l->eol == 2 ? "^M\n" : "\n");
	if (l->eol == 0)
		buf_puts(out, "\\ No newline at end of file\n");
}

/* Lines i..i1 of a beside j..j1 of b. */
static void
put_hunk(const struct udiff *d, const struct range *h, struct buf *out)
{
	size_t i = h->a0, j = h->b0;

	buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", h->a0 + (h->a1 > h->a0),
	    h->a1 - h->a0, h->b0 + (h->b1 > h->b0), h->b1 - h->b0);
	while (i < h->a1 || j < h->b1) {
		if (i < h->a1 && d->gone[i])
			put(d, '-', &d->a.items[i++], out);
		else if (j < h->b1 && d->come[j])
			put(d, '+', &d->b.items[j++], out);
		else
			put(d, ' ', &d->a.items[i++], out), j++;
	}
}

static bool
at_change(const struct udiff *d, size_t i, size_t j)
{
	return (i < d->a.count && d->gone[i]) || (j < d->b.count && d->come[j]);
}

/* Grows the hunk until more than twice the context is unchanged. */
static void
extend(const struct udiff *d, struct range *h)
{
	size_t i = h->a1, j = h->b1, quiet = 0;

	while ((i < d->a.count || j < d->b.count) && quiet <= 2 * CONTEXT) {
		if (i < d->a.count && d->gone[i]) {
			i++;
			quiet = 0;
		} else if (j < d->b.count && d->come[j]) {
			j++;
			quiet = 0;
		} else {
			i++, j++;
			quiet++;
		}
	}
	quiet = quiet > CONTEXT ? quiet - CONTEXT : 0;
	h->a1 = i - quiet;
	h->b1 = j - quiet;
}

static void
put_hunks(const struct udiff *d, struct buf *out)
{
	size_t i = 0, j = 0, last = 0;

	while (i < d->a.count || j < d->b.count) {
		struct range h;
		size_t lead;

		if (!at_change(d, i, j)) {
			i++, j++;
			continue;
		}
		lead = i - last < CONTEXT ? i - last : CONTEXT;
		h = (struct range){i - lead, i, j - lead, j};
		extend(d, &h);
		put_hunk(d, &h, out);
		i = last = h.a1;
		j = h.b1;
	}
}

/* Lines that end with CRLF, and those that end without. */
static void
count_ends(const struct lines *l, size_t *crlf, size_t *lf)
{
	for (size_t i = 0; i < l->count; i++) {
		*crlf += l->items[i].eol == 2;
		*lf += l->items[i].eol == 1;
	}
}

void
udiff_text(const char *a, size_t a_len, const char *b, size_t b_len,
    struct buf *out)
{
	struct udiff d = {0};
	struct range r = {0};
	size_t crlf = 0, lf = 0;

	lines_split(a, a_len, &d.a);
	lines_split(b, b_len, &d.b);
	count_ends(&d.a, &crlf, &lf);
	count_ends(&d.b, &crlf, &lf);
	d.mixed = crlf > 0 && lf > 0;
	d.gone = xcalloc(d.a.count + 1, sizeof(bool));
	d.come = xcalloc(d.b.count + 1, sizeof(bool));
	r.a1 = d.a.count;
	r.b1 = d.b.count;
	while (r.a0 < r.a1 && r.b0 < r.b1 && same(&d, r.a0, r.b0))
		r.a0++, r.b0++;
	while (r.a0 < r.a1 && r.b0 < r.b1 && same(&d, r.a1 - 1, r.b1 - 1))
		r.a1--, r.b1--;
	mark(&d, &r);
	put_hunks(&d, out);
	lines_free(&d.a);
	lines_free(&d.b);
	free(d.gone);
	free(d.come);
}
