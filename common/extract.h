/* SPDX-License-Identifier: ISC */
/*
 * Chat text to candidate blocks: fenced code (CommonMark fences of backticks
 * or tildes, any info string, indented and inside lists) and un-fenced JSON
 * objects that begin at the start of a line. Pure: text in, blocks out.
 *
 * The same text cut at any byte gives the same blocks: what is not decided
 * yet (an open fence, an unbalanced object, a last line without newline) is
 * left behind `consumed` and comes again with more text. Passages between
 * patchflow's own summary markers, and fences in block quotes, are not
 * candidates; what looks like a patch there is a near-miss.
 */
#ifndef COMMON_EXTRACT_H
#define COMMON_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>

/* An appended summary stands between "<!-- patchflow:summary REF -->" and
 * "<!-- patchflow:end REF -->", each alone on a line; REF is ID@QUEUE,N. */
#define EXTRACT_MARK_BEGIN "<!-- patchflow:summary "
#define EXTRACT_MARK_END "<!-- patchflow:end "

enum extract_kind { EXTRACT_FENCED, EXTRACT_BARE };

struct extract_block {
	enum extract_kind kind;
	size_t offset;      /* of the block's first content byte in the text */
	size_t end;         /* first byte behind the block */
	int line;           /* of the content's first line, from 1 in text */
	int indent;         /* columns taken off each content line */
	char *text;         /* content with the indent taken off; owned */
	size_t len;
	char info[64];      /* the fence's info string, cut; "" when bare */
	char author[32];    /* lower case: user, assistant, ...; "" unknown */
	bool quoted;        /* in a block quote or between summary markers */
};

/* What survives between calls on a growing text. */
struct extract_state {
	char author[32];
	bool in_summary;
	char summary_ref[288];
};

struct extract_result {
	struct extract_block *blocks;
	size_t count;
	size_t consumed; /* nothing before this is needed again */
	bool open;       /* a fence or object is open at consumed */
};

/*
 * final: no more text will come; an open fence or object is a block too.
 * st is updated to the state at consumed. Free with extract_free.
 */
void extract_text(const char *text, size_t len, bool final,
    struct extract_state *st, struct extract_result *out);
void extract_free(struct extract_result *r);

#endif
