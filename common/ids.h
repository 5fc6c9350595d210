/* SPDX-License-Identifier: ISC */
/*
 * Every id ever accepted, write-once, for duplicates, revisions and `show`.
 * An entry is a symlink, so that making it is one durable call:
 *
 *   ids/XX/H      ->  QUEUE/KEY.DIGEST            (XX: first two of H)
 *   ids/XX/H,REV  ->  QUEUE/KEY.DIGEST,ATTEMPT    from the second revision on
 *   ids/pending/  the same names, while being accepted
 *
 * H is the SHA-256 of "QUEUE\0ID". REV counts the documents with different
 * content that were accepted under one id: 1, 2, ... ; KEY is the same in all
 * revisions, ATTEMPT the attempt number under which that one was queued.
 *
 * Acceptance, in crash order (DESIGN.md 3): the queue file staged in
 * patches/.tmp, the entry in pending, publish, the entry moved from pending,
 * then the source's cursor. ids_recover finishes what a crash left: an entry
 * whose KEY,ATTEMPT (or a later one) is in a state directory, or whose
 * outcome is in a box, is moved; one whose staged file is whole is published
 * and moved; one with neither was never acknowledged and is removed, because
 * its source is read again.
 */
#ifndef COMMON_IDS_H
#define COMMON_IDS_H

#include "common/digest.h"
#include "common/spool.h"
#include "common/tree.h"

struct ids_entry {
	char queue[QUEUE_MAX + 1];
	char key[KEY_SIZE];
	char digest[DIGEST_SIZE];
	int attempt;
	int rev;
	bool pending;
};

/*
 * All revisions of (queue, id), first to last: count, or -1. *out is the
 * caller's to free.
 */
int ids_lookup(struct tree *t, const char *queue, const char *id,
    struct ids_entry **out) __attribute__((warn_unused_result));

/*
 * Accepts doc as e->rev of (e->queue, id): stages and publishes it as name
 * into dst of q (patches, or outcomes/new for a refusal: see dst), making the
 * entry around it. SPOOL_EXISTS: another document took that revision first;
 * look up again. Every step is idempotent under the same e.
 */
enum ids_dst { IDS_QUEUE, IDS_OUTCOME };
struct ids_accept {
	struct tree *tree;
	const char *id;
	const struct ids_entry *entry;
	enum ids_dst dst;
	int digit; /* of the queue file; unused for an outcome */
	const json_t *doc;
};
enum spool_answer ids_accept(const struct ids_accept *a)
    __attribute__((warn_unused_result));

/* Finishes every pending entry: count, or -1. */
int ids_recover(struct tree *t) __attribute__((warn_unused_result));

/*
 * TIME for the next KEY: max(now, last + 1), never used before on this spool.
 * The counter is kept in state/ghost-bridge/clock and reserved a second
 * ahead, so that it costs one durable write a second and not one a patch.
 */
struct ids_clock {
	int state;
	int tmp;
	int64_t last_us;
	int64_t reserved_us;
};
int ids_clock_open(struct ids_clock *c, struct tree *t);
int64_t ids_next_time(struct ids_clock *c); /* or -1 with errno */
void ids_clock_close(struct ids_clock *c);

#endif
