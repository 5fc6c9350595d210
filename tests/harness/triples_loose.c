/* SPDX-License-Identifier: ISC */
/*
 * triples with a matcher that lets one line of three or more differ: what a
 * guessing matcher would do, to see that triples tells. Every symbol of
 * match.o and of seek.o is here, so the archive's are not linked.
 */
#include <string.h>

#define match_window strict_window
#include "executor/match.c" /* NOLINT(bugprone-suspicious-include) */
#undef match_window
#include "executor/seek.h"

bool match_window(const struct line *t, const struct lines *find,
    enum match_tier tier, struct match *m);

bool
match_window(const struct line *t, const struct lines *find,
    enum match_tier tier, struct match *m)
{
	size_t good = 0;

	if (tier != MATCH_BLANKS || find->count < 3)
		return strict_window(t, find, tier, m);
	for (size_t j = 0; j < find->count; j++)
		good += line_same(&t[j], &find->items[j]);
	return good + 1 >= find->count;
}

void
seek_open(struct seek *s, const struct lines *text, size_t from,
    const struct lines *find, enum match_tier tier)
{
	*s =
	    (struct seek){.text = text, .find = find, .tier = tier, .at = from};
}

/* Each window of the text in turn. */
bool
seek_next(struct seek *s, struct match *m)
{
	size_t n = s->find->count;

	while (n > 0 && s->at + n <= s->text->count) {
		*m = (struct match){.line = s->at++};
		if (match_window(&s->text->items[m->line], s->find, s->tier, m))
			return true;
	}
	return false;
}

void
seek_skip(struct seek *s)
{
	s->at += s->find->count - 1;
}

bool
seek_gave_up(const struct seek *s)
{
	(void)s;
	return false;
}

void
seek_close(struct seek *s)
{
	memset(s, 0, sizeof(*s));
}

#include "tests/harness/triples.c" /* NOLINT(bugprone-suspicious-include) */
