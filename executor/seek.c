/* SPDX-License-Identifier: ISC */
/*
 * Whether lines are alike must not depend on where they stand, so of the
 * indentation tier the words are compared first and the shift of a whole
 * occurrence then.
 */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/seek.h"

/* Lines: some seconds of them. */
#define WORK_MAX 10000000u

static bool
alike(const struct seek *s, const struct line *a, const struct line *b)
{
	switch (s->tier) {
	case MATCH_EXACT:
		return a->len == b->len && a->eol == b->eol &&
		       memcmp(a->s, b->s, a->len) == 0;
	case MATCH_BLANKS:
		return line_same(a, b);
	case MATCH_INDENT:
	case MATCH__MAX:
		break;
	}
	return line_same_words(a, b);
}

/* back[n]: of the first n lines of find so many end as find begins. */
static void
learn(struct seek *s)
{
	const struct line *f = s->find->items;
	size_t k = 0;

	s->back = xcalloc(s->find->count + 1, sizeof(*s->back));
	for (size_t i = 1; i < s->find->count; i++) {
		while (k > 0 && !alike(s, &f[i], &f[k]))
			k = s->back[k];
		k += alike(s, &f[i], &f[k]);
		s->back[i + 1] = k;
	}
}

void
seek_open(struct seek *s, const struct lines *text, size_t from,
    const struct lines *find, enum match_tier tier)
{
	*s =
	    (struct seek){.text = text, .find = find, .tier = tier, .at = from};
	learn(s);
}

/* Reads on until all of find matches the lines before s->at. */
static bool
advance(struct seek *s)
{
	const struct line *f = s->find->items;
	size_t n = s->find->count;

	if (n == 0)
		return false;
	if (s->done == n)
		s->done = s->back[n];
	while (s->at < s->text->count && s->done < n) {
		const struct line *t = &s->text->items[s->at++];

		while (s->done > 0 && !alike(s, t, &f[s->done]))
			s->done = s->back[s->done];
		s->done += alike(s, t, &f[s->done]);
	}
	return s->done == n;
}

bool
seek_next(struct seek *s, struct match *m)
{
	size_t n = s->find->count;

	while (s->work <= WORK_MAX && advance(s)) {
		*m = (struct match){.line = s->at - n};
		if (match_window(&s->text->items[m->line], s->find, s->tier, m))
			return true;
		s->work += n;
	}
	return false;
}

void
seek_skip(struct seek *s)
{
	s->done = 0;
}

bool
seek_gave_up(const struct seek *s)
{
	return s->work > WORK_MAX;
}

void
seek_close(struct seek *s)
{
	free(s->back);
	s->back = NULL;
}
