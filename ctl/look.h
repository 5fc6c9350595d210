/* SPDX-License-Identifier: ISC */
/*
 * Where a patch is: (queue, id) to its state, attempts, outcome and summary,
 * read from the ids index and the spool. A look is a photograph: everything
 * moves while it is taken, so refresh takes it again.
 */
#ifndef CTL_LOOK_H
#define CTL_LOOK_H

#include <limits.h>

#include "common/ids.h"
#include "common/outcome.h"
#include "ctl/ctl.h"

struct look {
	char id[ID_MAX + 1];
	struct queue_tree *queue;
	struct ids_entry *revs; /* owned; rev_count of them, first to last */
	int rev_count;
	struct queue_name name; /* of the last attempt found */
	enum queue_dir dir;     /* Q__MAX: in no state directory */
	const char *state;      /* "queued" ... "completed", "rejected",
				   "accepting", "gone" */
	bool ended;             /* no executor will touch this attempt again */
	json_t *job;            /* queue file of one that has not ended, owned,
				   or NULL */
	struct outcome out;     /* where has_outcome */
	bool has_outcome;
	char summary[PATH_MAX]; /* "" while it is not published */
};

/*
 * All that ref (ID or ID@QUEUE) names: count, 0 after a complaint, -1 on
 * error (said). *out is the caller's: looks_free.
 */
int looks_find(struct ctl *c, const char *ref, struct look **out);
/* Without a complaint; true too where looks_find has another one. */
bool look_is_known(struct ctl *c, const char *ref);
/* Nothing was handed in that has not been given its id yet. */
bool look_inbox_is_empty(struct ctl *c);
void looks_free(struct look *looks, int count);
/* 0, or -1 with errno. */
int look_refresh(struct ctl *c, struct look *l);
/* "ID@QUEUE"; valid until the next call. */
const char *look_ref(const struct look *l);
/* The last attempt has ended and its summary is published, or has gone by
 * retention, as its outcome has. */
bool look_is_over(const struct look *l);
/* CTL_DONE for completed and undone, CTL_FAILED for the rest, also where it
 * is not known any more. */
int look_status(const struct look *l);
/* The checked file of KEY,ATTEMPT's outcome: 1 read, 0 none, -1 error. */
int look_outcome(const struct queue_tree *q, const char *key, int attempt,
    struct outcome *o);

#endif
