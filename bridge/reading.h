/* SPDX-License-Identifier: ISC */
/* One scan of a transcript, shared by source_transcript.c and reading.c. */
#ifndef BRIDGE_READING_H
#define BRIDGE_READING_H

#include "bridge/transcript.h"
#include "common/buf.h"

#define CHUNK_BYTES ((size_t)256 << 10)

struct reading {
	struct source *s;
	struct desk *k;
	struct transcript t;
	struct buf text; /* the file's bytes from cursor + base on */
	size_t base;     /* not 0: what waits is carried on, in resume.c */
	size_t need;     /* of text before it is worth a look */
	bool open;       /* an open block begins at the cursor */
	bool more;       /* stopped before the end */
	bool failed;     /* a document was not put; errno is in error */
	bool told;       /* documents or near-misses since the last save */
	int error;
	int64_t began_ms;
};

/* In resume.c. Carries on what the last scan left waiting, if it is the same
 * file up to there. */
void resume_begin(struct reading *r);
/* Of the new bytes: true while the end of what waits is not among them; then
 * they need not be kept. Else text is, or is about to be, all from the cursor
 * on. */
bool resume_goes_on(struct reading *r);
/* Is a block whole, if the last line is? */
bool resume_tail_ends(struct reading *r);
/* All of it again; true where text is not that already. */
bool resume_whole(struct reading *r);
/* What the next scan needs to know it again. */
void resume_end(struct reading *r);

/* Moves the cursor over the first len bytes of text; st is the state there. */
void reading_advance(struct reading *r, size_t len,
    const struct extract_state *st);
/* A block that is meant as a patch; error: why it cannot be read, or NULL. */
enum accept_answer reading_hand_in(struct reading *r,
    const struct extract_block *b, const char *error)
    __attribute__((warn_unused_result));
/* The block that text begins with is too large to be a document: refused as
 * it stands, and passed over up to the end of its fence. */
void reading_refuse_oversized(struct reading *r);
/* Drops whole lines up to and with the one that closes the fence. */
void reading_pass_over(struct reading *r);

#endif
