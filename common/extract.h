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
 *
 * A fence ends at its closing fence. One that a cut-off message left open
 * ends also at a summary marker, at the end of its block quote and, if it
 * holds JSON or YAML, at a role heading ("## User").
 *
 * An object ends where its brackets balance, strings respected, unless the
 * rest of that line shows that it was closed too early ("},"). An unbalanced
 * one holds the text back only up to the next role heading, fence, summary
 * marker, end of its block quote, '{' on a line behind a blank one, or
 * EXTRACT_BARE_MAX bytes; one that does not go on with '"' (prose in braces)
 * up to the next blank line. What is there then is a block like any other,
 * so that a broken patch is reported and never skipped. A line that begins
 * with '[' counts only as the array around objects: it is one block.
 *
 * A summary that has no end marker within EXTRACT_SUMMARY_MAX bytes is none.
 */
#ifndef COMMON_EXTRACT_H
#define COMMON_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

/* An appended summary stands between "<!-- patchflow:summary REF -->" and
 * "<!-- patchflow:end REF -->", each alone on a line; REF is ID@QUEUE,N. */
#define EXTRACT_MARK_BEGIN "<!-- patchflow:summary "
#define EXTRACT_MARK_END "<!-- patchflow:end "

#define EXTRACT_BARE_MAX (16U << 20)
#define EXTRACT_SUMMARY_MAX (1U << 20)

enum extract_kind { EXTRACT_FENCED, EXTRACT_BARE };

struct extract_block {
	enum extract_kind kind;
	size_t offset; /* of the block's first content byte in the text */
	size_t end;    /* start of the line behind the block */
	int line;      /* of the content's first line, from 1 in text */
	int indent;    /* columns taken off each content line */
	char *text;    /* content with the indent taken off; owned */
	size_t len;
	char info[64];   /* the fence's info string, cut; "" when bare */
	char author[32]; /* lower case: user, assistant, ...; "" unknown */
	bool quoted;     /* in a block quote or between summary markers */
};

/* What survives between calls on a growing text. */
struct extract_state {
	char author[32];
	bool in_summary;
	char summary_ref[288];
	size_t summary_bytes; /* of the region so far */
	int list;   /* content column of the list item we are in, or 0 */
	bool blank; /* the line before was blank */
	bool aider; /* an aider history: all blocks are the assistant's */
	bool begun; /* something was consumed: no BOM is expected */
};

/* A bare object as far as its bytes were weighed. */
struct extract_bare {
	int depth;
	bool quoted; /* in a string */
	bool escaped;
	bool balanced; /* at end; what follows on the line decides */
	bool over;
	bool blank; /* the line before was blank */
	char first; /* first byte behind the opening bracket that prints */
	size_t end; /* behind its last bracket */
};

/*
 * What waits at consumed for more text, so that a block that trickles in is
 * not looked at from its beginning each time. Offsets count from consumed.
 */
struct extract_open {
	enum { EXTRACT_IN_FENCE, EXTRACT_IN_BARE, EXTRACT_IN_LINE } kind;
	size_t at;   /* of the line that is not judged yet, as it has no end */
	size_t seen; /* the bytes before this one were looked at */
	/* For extract alone: */
	char mark;    /* of the fence; or the first bracket; 0: none */
	size_t marks; /* length of the fence */
	int quote;    /* of the line that opens it, as the next */
	int column;
	bool document;            /* a fence that holds JSON or YAML */
	bool begun;               /* it has a line that is not blank */
	struct extract_bare line; /* at `at` */
	struct extract_bare byte; /* at `seen` */
};

struct extract_result {
	struct extract_block *blocks;
	size_t count;
	size_t consumed; /* nothing before this is needed again */
	bool open;       /* a fence or object is open at consumed */
	bool waits;      /* waiting is set: what is open, or a long line */
	struct extract_open waiting;
};

/*
 * final: no more text will come; an open fence or object is a block too.
 * st is updated to the state at consumed. Free with extract_free.
 */
void extract_text(const char *text, size_t len, bool final,
    struct extract_state *st, struct extract_result *out);
void extract_free(struct extract_result *r);

/*
 * For what waits, instead of extract_text on all of it again; st is the state
 * at consumed. extract_peek: bytes that begin at o->seen; true when a line
 * ends in them, which extract_ended then wants from o->at on: true when the
 * block ends in what it is given (or turns out to be none), for extract_text
 * to say how. extract_tail_ends: would the block end if the text ended at
 * o->seen, with a line end? line is what lies between o->at and o->seen, NULL
 * where that is more than EXTRACT_TAIL_MAX.
 */
#define EXTRACT_TAIL_MAX 4096
bool extract_peek(struct extract_open *o, const char *bytes, size_t len);
bool extract_ended(struct extract_open *o, const struct extract_state *st,
    const char *text, size_t len);
bool extract_tail_ends(const struct extract_open *o,
    const struct extract_state *st, const char *line);

/* For whoever keeps the state over a restart. A NULL or foreign value loads
 * as the state at a text's start. */
json_t *extract_state_json(const struct extract_state *st);
void extract_state_load(struct extract_state *st, const json_t *value);

#endif
