/* SPDX-License-Identifier: ISC */
/* Making a success known, at once or beside the next patch. */
#include <errno.h>
#include <string.h>

#include "common/sys.h"
#include "executor/ballast.h"
#include "executor/kept.h"
#include "executor/settle.h"
#include "executor/tail.h"
#include "executor/undo.h"

/* Settled long ago: an undo had only fetched it from where it was kept. */
static bool
is_settled(struct executor *ex, const struct record *r)
{
	return !spool_exists(ex->q->dir[Q_RUNNING], r->file) &&
	       (spool_exists(ex->q->dir[Q_COMPLETED], r->file) ||
		   spool_exists(ex->q->dir[Q_ARCHIVE], r->file));
}

int
tail_settle(struct executor *ex, const struct txn *t, struct record *r,
    bool displaced)
{
	if (is_settled(ex, r))
		settle_close(ex, r->outcome); /* a kill may have been before */
	else if (settle_outcome(ex, r->outcome, Q_RUNNING, r->file) == -1)
		return -1;
	if (displaced)
		return kept_displaced(ex, t->name);
	kept_put(ex, t);
	return 0;
}

/* It carries the record, its operations, and all that was done before. Of the
 * outcome the bytes have to be there, too, before it gets its name. */
static int
make_durable(struct executor *ex, const struct tail *tail)
{
	int answer;

	settle_sync_draft(ex);
	do
		answer = sys_fsync(tail->txn.dir);
	while (answer == -1 && ballast_spend(ex, errno));
	if (answer == -1) {
		executor_hold(ex, "%s: not synced: %s", tail->txn.name,
		    strerror(errno));
		return -1;
	}
	settle_show(ex, tail->record.outcome);
	return settle_sync_shown(ex);
}

int
tail_finish(struct executor *ex)
{
	struct tail tail = ex->tail;
	int answer = 0;

	if (!tail.waits)
		return 0;
	ex->tail.waits = false;
	(void)strlcpy(ex->draft, tail.draft, sizeof(ex->draft));
	if (tail.unsynced)
		answer = make_durable(ex, &tail);
	if (answer == 0)
		answer =
		    tail_settle(ex, &tail.txn, &tail.record, tail.displaced);
	settle_undraft(ex);
	txn_close(&tail.txn);
	record_free(&tail.record);
	return answer;
}

int
tail_begin(struct executor *ex, struct txn *t, struct record *r, bool displaced,
    bool unsynced)
{
	struct tail *tail = &ex->tail;

	*tail = (struct tail){.waits = true,
	    .unsynced = unsynced,
	    .displaced = displaced,
	    .txn = *t,
	    .record = *r};
	(void)strlcpy(tail->draft, ex->draft, sizeof(tail->draft));
	ex->draft[0] = '\0';
	txn_reset(t);
	memset(r, 0, sizeof(*r));
	return unsynced ? 0 : tail_finish(ex);
}

bool
tail_concerns(const struct executor *ex, const char *key, const json_t *patch)
{
	const json_t *needed = json_object_get(patch, "dependencies");

	return ex->tail.waits &&
	       (undo_is(patch) || json_array_size(needed) > 0 ||
		   ex->settings->retention.transactions_age == 0 ||
		   strncmp(ex->tail.txn.name, key, strlen(key)) == 0);
}
