/* SPDX-License-Identifier: ISC */
/*
 * Occurrences of lines among lines, by the algorithm of Knuth, Morris and
 * Pratt: in time that grows with what is read, however much it repeats itself.
 * Pure.
 */
#ifndef EXECUTOR_SEEK_H
#define EXECUTOR_SEEK_H

#include "executor/match.h"

struct seek {
	const struct lines *text;
	const struct lines *find;
	enum match_tier tier;
	size_t at;   /* the next line of the text */
	size_t done; /* lines of find that match those before it */
	size_t work; /* lines of those whose words fit and nothing else */
	size_t *back;
};

/* From the line from on. Free with seek_close. */
void seek_open(struct seek *s, const struct lines *text, size_t from,
    const struct lines *find, enum match_tier tier);
/* The next occurrence, which may overlap the one before, with its line and
 * its shift in m. False where there is none. */
bool seek_next(struct seek *s, struct match *m);
/* What follows does not overlap the last occurrence. */
void seek_skip(struct seek *s);
/* The text repeats itself too much to tell: what was found says nothing. */
bool seek_gave_up(const struct seek *s);
void seek_close(struct seek *s);

#endif
