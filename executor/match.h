/* SPDX-License-Identifier: ISC */
/*
 * Where a text occurs in a file. Pure. The ladder: exact bytes; whole lines
 * that differ in trailing blanks or line ends only; whole lines that are all
 * indented more, or all less, by the same blanks. The first tier that hits
 * decides, and nothing below it is ever guessed.
 */
#ifndef EXECUTOR_MATCH_H
#define EXECUTOR_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "executor/plan.h"

struct line {
	const char *s;
	size_t len; /* without the line end */
	size_t eol; /* bytes of the line end: 0, 1 or 2 */
};

struct lines {
	struct line *items;
	size_t count;
	bool terminated; /* the last line has a line end */
};

enum match_tier { MATCH_EXACT, MATCH_BLANKS, MATCH_INDENT, MATCH__MAX };
extern const char *const match_tier_name[MATCH__MAX];

struct match {
	size_t start; /* byte offsets in the text */
	size_t end;
	size_t line;        /* first line, from 0; of the tiers below exact */
	const char *indent; /* what the file has more, or less */
	size_t indent_len;
	bool deeper; /* the file is indented more than find */
};

struct match_list {
	enum match_tier tier;
	struct match *items;
	size_t count;
};

void lines_split(const char *text, size_t len, struct lines *out);
void lines_free(struct lines *l);
/* Length without trailing blanks (and without a lone CR). */
size_t line_trim(const struct line *l);
/* Bytes of leading blanks. */
size_t line_indent(const struct line *l);
bool line_same(const struct line *a, const struct line *b);
/* Equal but for blanks on either side. */
bool line_same_words(const struct line *a, const struct line *b);

/* Finds all, not overlapping. find is not empty. Free with match_free. */
void match_find(const char *text, size_t len, const struct plan_text *find,
    struct match_list *out);
void match_free(struct match_list *m);
/* Of one match: adds one that overlaps it. Then it is not the only place. */
void match_overlap(const char *text, size_t len, const struct plan_text *find,
    struct match_list *m);
void match_add(struct match_list *m, const struct match *found);
/* Do the lines from t on match all of find's? m takes the shift; there are at
 * least as many of them. */
bool match_window(const struct line *t, const struct lines *find,
    enum match_tier tier, struct match *m);
/* Bytes of the text's BOM, where find does not show it as well: else 0. */
size_t match_bom(const char *text, size_t len, const struct plan_text *find);
/* Are find's line ends those of the lines from t on, so that its author saw
 * them? False where it has none. */
bool match_eols(const struct line *t, const struct lines *find);
/* The line (from 1) that offset lies in. */
size_t match_line(const char *text, size_t offset);

#endif
