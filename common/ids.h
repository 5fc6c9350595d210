/* SPDX-License-Identifier: ISC */
/*
 * Every id ever accepted, write-once, for duplicates, revisions and `show`.
 * An entry is a symlink, so that making it is one call, whole or not at all:
 *
 *   ids/XX/H      ->  QUEUE/KEY.DIGEST            (XX: first two of H)
 *   ids/XX/H,REV  ->  QUEUE/KEY.DIGEST,ATTEMPT    from the second revision on
 *   ids/pending/  the same names, while being accepted
 *
 * H is the SHA-256 of "QUEUE\0ID". REV counts the documents with different
 * content that were accepted under one id: 1, 2, ... ; KEY is the same in all
 * revisions, ATTEMPT the attempt number under which that one was queued (of
 * the first it is 1).
 *
 * Acceptance, in crash order (DESIGN.md 3):
 *   1 the document is staged under its final name in the tmp directory
 *     beside its destination, and synced: what needs room comes first
 *   2 the entry is made in pending; pending is synced
 *   3 the staged file is published: renamed to its destination, which is
 *     synced
 *   4 the entry is renamed from pending to ids/XX, which is synced
 *   5 (the caller) the source's cursor is moved
 * Only the bridge accepts, one document at a time.
 *
 * ids_recover ends what a crash left in pending, and runs before any source
 * is read. The staged file is looked for first: publishing is a rename, so
 * while it is in tmp it was not published.
 *   staged and whole               published, entry moved: accepted
 *   the same, and another document
 *   has the name by now            both removed, as in the last case
 *   a queue file or an outcome of KEY, of this DIGEST: entry moved: accepted
 *   neither                        entry removed: it was never acknowledged,
 *                                  its source is read again
 */
#ifndef COMMON_IDS_H
#define COMMON_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/spool.h"
#include "common/state.h"
#include "common/tree.h"

struct ids_entry {
	char queue[QUEUE_MAX + 1];
	char key[KEY_SIZE];
	char digest[DIGEST_SIZE];
	int attempt;
	int rev;
	bool pending; /* not accepted yet: see ids_recover */
};

/*
 * All revisions of (queue, id), first to last: count, or -1. *out is the
 * caller's to free. Where the last one is pending the bridge calls
 * ids_recover and looks again; others take it as not there.
 */
int ids_lookup(struct tree *t, const char *queue, const char *id,
    struct ids_entry **out) __attribute__((warn_unused_result));

/*
 * Accepts doc as e->rev of (e->queue, id): into patches as DIGIT-KEY,ATTEMPT,
 * or for a refusal into outcomes/new. Idempotent under the same e.
 *
 * SPOOL_DONE     move the cursor
 * SPOOL_EXISTS   another document has that revision, or a file that name:
 *                look up again and take the next one
 * SPOOL_REFUSED  nothing happened, or at most an entry in pending that
 *                ids_recover removes: keep the cursor, try later
 * SPOOL_UNKNOWN  it may be visible: keep the cursor, call again with the same
 *                e (or, after a restart, ids_recover)
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

/*
 * An entry for a patch that was not handed in (undo:ID, by the executor), as
 * the next revision unless the last one is the same. 0, or -1 with errno.
 */
int ids_note(struct tree *t, const char *id, const struct ids_entry *e)
    __attribute__((warn_unused_result));

/*
 * Ends every pending entry: count, or -1 (some are left; errno of the first
 * trouble). Entries of queues that are no longer configured are left alone.
 */
int ids_recover(struct tree *t) __attribute__((warn_unused_result));

/*
 * Every entry, pending ones too, in no order: for fsck and for rebuilding.
 * H is the entry's name; e is NULL where the entry is not one of ours. The
 * walk ends early when each returns other than 0; that value, 0, or -1.
 */
int ids_walk(struct tree *t,
    int (*each)(void *owner, const char *h, const struct ids_entry *e),
    void *owner);

/*
 * TIME for the next KEY: max(now, last + 1), never used before on this spool.
 * The counter is kept in state/ghost-bridge/clock.json and reserved a second
 * ahead, so that it costs one durable write a second and not one a patch. One
 * that is missing or broken is rebuilt from the entries.
 */
struct ids_clock {
	struct state state;
	int64_t last_us;
	int64_t reserved_us;
};
int ids_clock_open(struct ids_clock *c, struct tree *t);
int64_t ids_next_time(struct ids_clock *c); /* or -1 with errno */
void ids_clock_close(struct ids_clock *c);

#endif
