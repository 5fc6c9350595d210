/* SPDX-License-Identifier: ISC */
/* What the staging process left, compared with the workspace. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "executor/approval.h"
#include "executor/diff.h"
#include "executor/reads.h"
#include "executor/settle.h"
#include "executor/view.h"

void
view_drop(struct run *r)
{
	if (r->diff == NULL)
		return;
	ops_free(&r->diff->ops);
	changes_close(&r->diff->changes);
	json_decref(r->diff->warnings);
	free(r->diff);
	r->diff = NULL;
}

/* 0, or -1 with the run's fault set. */
static int
diff_view(struct executor *ex)
{
	struct run *r = &ex->run;
	struct diff *d = xcalloc(1, sizeof(*d));

	*d = (struct diff){.workspace = &ex->workspace,
	    .txn = &r->txn,
	    .queue = ex->queue,
	    .trusted = ex->user.switches,
	    .overlay = r->way == JAIL_OVERLAY,
	    .beat = executor_beat,
	    .owner = ex,
	    .warnings = json_array()};
	changes_open(&d->changes, (size_t)ex->settings->summaries.diff_bytes);
	d->changes.beat = executor_beat;
	d->changes.beat_owner = ex;
	approval_watch(ex, &d->changes);
	r->diff = d;
	if (r->way == JAIL_OVERLAY)
		return diff_overlay(d, &r->fault);
	return r->way == JAIL_PLAIN ? diff_scratch(d, &r->plan, &r->fault)
				    : diff_copy(d, &r->fault);
}

struct commit
view_commit(struct executor *ex)
{
	struct run *r = &ex->run;

	return (struct commit){.workspace = &ex->workspace,
	    .txn = &r->txn,
	    .beat = executor_beat,
	    .owner = ex,
	    .plan = &r->plan,
	    .bases = r->bases,
	    .since = r->since,
	    .ahead_us = r->ahead_us,
	    .ordered = settle_in_order(ex),
	    .split_links = strcmp(ex->queue->hard_links, "split") == 0};
}

int
view_look(struct executor *ex)
{
	struct run *r = &ex->run;
	struct commit c = view_commit(ex);
	int answer = diff_view(ex);

	r->way_was_wrong = r->diff->met_foreign;
	if (answer == -1 || r->way == JAIL_PLAIN)
		return answer;
	return reads_check(ex, &c, r->diff, &r->fault);
}

void
view_staged(struct executor *ex)
{
	struct run *r = &ex->run;

	if (r->way == JAIL_BARE || !r->ended || r->end != RUN_ON ||
	    r->fault.set || r->diff != NULL)
		return;
	(void)view_look(ex);
	r->looked_ms = clock_mono_ms();
}
