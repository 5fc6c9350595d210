/* SPDX-License-Identifier: ISC */
/* What the files of extract share among themselves; for nobody else. */
#ifndef COMMON_EXTRACT_PART_H
#define COMMON_EXTRACT_PART_H

#include "common/extract.h"

struct scan {
	const char *text;
	size_t len;
	bool final;
	struct extract_state *st;
	struct extract_result *out;
	size_t pos; /* start of the next line */
	int number; /* of that line, from 1 */
};

/* A line taken apart: block quotes, then indentation, then list markers. */
struct line {
	size_t start;
	size_t end;  /* of its text, before CR and LF */
	size_t next; /* start of the line behind it */
	int number;
	int quote;   /* depth of block quotes */
	size_t rest; /* behind the quote markers */
	int column;  /* of the body, counted from rest */
	size_t body; /* first byte that is no blank, behind list markers */
	int list;    /* content column of a list marker on this line, or 0 */
	bool blank;
	bool code; /* indented so deep that it is an indented code block */
};

struct fence {
	char mark; /* '`' or '~' */
	size_t length;
	size_t info; /* offset of the info string */
};

/* The line at s->pos: false where it is not there or not whole yet. */
bool extract_line_next(const struct scan *s, size_t pos, int number,
    struct line *l);
/* The first byte of the body; NUL where there is none. */
char extract_line_first(const struct scan *s, const struct line *l);
bool extract_line_opens_fence(const struct scan *s, const struct line *l,
    struct fence *f);
bool extract_line_closes_fence(const struct scan *s, const struct line *l,
    const struct line *open, const struct fence *f);
/* "## User" and its like: the author in out; word only where it stands
 * alone on its line (a heading or bold). */
bool extract_line_is_role(const struct scan *s, const struct line *l,
    char out[static 32], bool *alone);
/* A summary marker at column 0: 1 begin, -1 end, 0 none; ref is filled. */
int extract_line_marker(const struct scan *s, const struct line *l,
    char ref[static 288]);
/* Offset in l behind at most depth quote markers. */
size_t extract_line_unquote(const struct scan *s, const struct line *l,
    int depth);
/* Offset in l behind the prefix that open had; *pad is what a tab leaves
 * over. */
size_t extract_line_skip(const struct scan *s, const struct line *l,
    const struct line *open, int *pad);

/* Weighs bytes that begin at offset at; stops where the object is over. */
void extract_bare_feed(struct extract_bare *b, const char *bytes, size_t len,
    size_t at);
/* In o the line that begins at o->at; true when the object ended in front of
 * it, or ends with it, or is none: then o->line says which. */
bool extract_bare_line(const struct scan *s, struct extract_open *o,
    const struct line *l);
/* The line that opens it; false where it is no object. */
bool extract_bare_begin(const struct scan *s, struct extract_open *o,
    const struct line *open);
bool extract_bare_is_prose(const struct extract_open *o);
/*
 * The end of the object or array that begins at open: 1 with *end and *next
 * (the line to go on with), 0 still open (o is what waits), -1 no candidate.
 */
int extract_bare_end(const struct scan *s, const struct line *open,
    struct extract_open *o, size_t *end, struct line *next);
bool extract_may_be_bare(const struct scan *s, const struct line *l);

/* One line within a fence: true when it ends there, *closed by its own end
 * or else in front of the line. */
bool extract_fence_line(const struct scan *s, struct extract_open *o,
    const struct line *l, bool *closed);

/* In extract_wait.c: len bytes of text lie behind o->at, no line ends in
 * them. */
void extract_wait_rest(struct extract_open *o, const char *text, size_t len);
/* The line that text begins with has no end yet. */
void extract_wait_line(const struct scan *s, struct extract_result *out);

#endif
