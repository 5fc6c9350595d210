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
	struct buf text; /* the file's bytes from the cursor on */
	bool open;       /* text begins with an open block */
	bool more;       /* stopped before the end */
	bool failed;     /* a document was not put; errno is in error */
	bool told;       /* documents or near-misses since the last save */
	int error;
	int64_t began_ms;
};

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
