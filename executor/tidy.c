/* SPDX-License-Identifier: ISC */
/*
 * Retention: .completed and .failed go to .archive, and from there for good,
 * but none before its outcome is in done and its summary was delivered.
 */
#include <string.h>

#include "common/log.h"
#include "common/retain.h"
#include "common/spool.h"
#include "executor/executor.h"
#include "executor/kept.h"

static bool
is_delivered(const struct executor *ex, const char *summary)
{
	const struct queue_tree *q = ex->q;

	if (spool_exists(q->summaries[S_COMPLETED], summary) ||
	    spool_exists(q->summaries[S_FAILED], summary))
		return true;
	if (spool_exists(q->summaries[S_READY], summary))
		/* Nowhere to be delivered to: there it stays. */
		return ex->settings->summaries.destination_count == 0;
	/* Delivered and gone by its own retention. */
	return true;
}

static bool
may_go(void *owner, const char *file)
{
	struct executor *ex = owner;
	struct queue_name n;
	char summary[NAME_SIZE];

	if (key_parse_queue_file(file, &n) == -1)
		return false;
	key_summary_file(n.key, n.attempt, summary);
	switch (tree_find_outcome(ex->q, n.key, n.attempt)) {
	case BOX_TMP:
	case BOX_NEW:
	case BOX_CUR:
		return false;
	case BOX_DONE:
	case BOX__MAX:
		break;
	}
	return is_delivered(ex, summary);
}

static void
tidy_dir(struct executor *ex, enum queue_dir dir, int64_t age, int64_t bytes)
{
	struct retain r = {.age_ms = age,
	    .bytes = bytes,
	    .move_to = dir == Q_ARCHIVE ? -1 : ex->q->dir[Q_ARCHIVE],
	    .may_remove = may_go,
	    .owner = ex};

	if (retain_dir(ex->q->dir[dir], &r) == -1)
		log_warn("%s: retention failed", queue_dir_path[dir]);
	executor_beat(ex);
}

/* Only we take files out of these: a queue that was long stays slow to list
 * until its directory is replaced. */
static void
renew(struct executor *ex, int dir, const char *what)
{
	int done = tree_renew(ex->tree, dir, TREE_GIANT);

	if (done == -1)
		log_warn("%s: not renewed", what);
	else if (done == 1)
		log_info("%s: renewed, it had grown", what);
}

void
tidy_queue(struct executor *ex)
{
	const struct retention_settings *r = &ex->settings->retention;
	struct retain requests = {.age_ms = r->inbox_age,
	    .bytes = r->inbox_bytes,
	    .move_to = -1};

	tidy_dir(ex, Q_COMPLETED, r->completed_age, r->completed_bytes);
	tidy_dir(ex, Q_FAILED, r->failed_age, r->failed_bytes);
	tidy_dir(ex, Q_ARCHIVE, r->archive_age, r->archive_bytes);
	kept_tidy(ex);
	if (retain_dir(ex->q->requests.dir[BOX_DONE], &requests) == -1 ||
	    retain_dir(ex->q->asks.dir[BOX_DONE], &requests) == -1)
		log_warn("requests/done: retention failed");
	renew(ex, ex->q->dir[Q_PATCHES], queue_dir_path[Q_PATCHES]);
	renew(ex, ex->q->dir[Q_HELD], queue_dir_path[Q_HELD]);
	renew(ex, ex->q->requests.dir[BOX_NEW], "requests/new");
	renew(ex, ex->q->requests.dir[BOX_CUR], "requests/cur");
	renew(ex, ex->q->asks.dir[BOX_NEW], "requests/ask/new");
	renew(ex, ex->q->asks.dir[BOX_CUR], "requests/ask/cur");
}
