/* SPDX-License-Identifier: ISC */
/*
 * triples with a matcher that lets one line of three or more differ: what a
 * guessing matcher would do, to see that triples tells. Every symbol of
 * match.o is here, so the archive's is not linked.
 */
#define match_window strict_window
#include "executor/match.c" /* NOLINT(bugprone-suspicious-include) */
#undef match_window

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

#include "tests/harness/triples.c" /* NOLINT(bugprone-suspicious-include) */
