/* SPDX-License-Identifier: ISC */
/* The transaction, the marks that recovery needs, and the process. */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/sys.h"
#include "executor/clone.h"
#include "executor/gitlive.h"
#include "executor/group.h"
#include "executor/instant.h"
#include "executor/kept.h"
#include "executor/mask.h"
#include "executor/order.h"
#include "executor/settle.h"
#include "executor/start.h"

#define ORDER_MAX (1 << 20) /* bytes of a patch */

/* What recovery needs to prove that nobody of us is left. Not synced: after a
 * power cut nobody is, and one that is torn then still counts as a crash. */
static int
write_begin(struct executor *ex)
{
	struct run *r = &ex->run;
	json_t *doc = json_pack("{s:s,s:s,s:s,s:I,s:I,s:s,s:I}", "format",
	    "patchflow-begin-1", "file", r->file, "digest", r->job.env.digest,
	    "pid", (json_int_t)r->jail.pid, "start_time",
	    (json_int_t)jail_start_time(r->jail.pid), "boot_id",
	    clock_boot_id(), "wall_us", (json_int_t)r->started_us);
	enum spool_answer a = spool_note_json(r->txn.dir, "BEGIN", doc);

	json_decref(doc);
	return a == SPOOL_DONE ? 0 : -1;
}

/*
 * T0 is read from the filesystem's own clock, which may tick coarsely: it must
 * be later than our own last commit, or that would look like a stranger's.
 * Linux 6.13 and later give an inode that was looked at a finer time when it
 * changes again; before that, or elsewhere, the tick is waited for.
 */
static int
take_time(struct executor *ex)
{
	struct run *r = &ex->run;
	const struct timespec tick = {0, 1000000};
	struct stat st;

	r->ahead_us = instant_ahead_us();
	for (int i = 0; i < 50; i++) {
		if (i > 1)
			(void)nanosleep(&tick, NULL);
		if (i > 0 && sys_utimensat(r->txn.dir, "BEGIN", NULL) == -1)
			return -1;
		if (fstatat(r->txn.dir, "BEGIN", &st, 0) == -1)
			return -1;
		if (instant_is_after(&st.st_ctim, &ex->last_commit))
			break;
	}
	r->since = st.st_ctim;
	gitlive_note(ex);
	return 0;
}

void
start_worker(struct executor *ex)
{
	struct run *r = &ex->run;

	r->worker = (struct worker){
	    .plan = &r->plan,
	    .queue = ex->queue,
	    .env = &r->job.env,
	    .user = &ex->user,
	    .workspace = ex->workspace.path,
	    .txn = r->way == JAIL_BARE ? r->path : NULL,
	    .way = r->way,
	    .output_bytes = ex->settings->summaries.output_bytes,
	};
	/* For a limit by rlimits. A user namespace counts its own processes
	 * only. */
	if (r->way != JAIL_PLAIN && !r->plan.limits.grouped &&
	    (r->way == JAIL_BARE || ex->user.switches))
		r->worker.others = jail_count_processes(ex->user.uid);
	if (r->worker.output_bytes < 1024)
		r->worker.output_bytes = 1024;
}

static int
make_txn(struct executor *ex, const char *name, struct fault *f)
{
	struct run *r = &ex->run;

	if (!ex->dry.on)
		(void)kept_make_room(ex);
	/* What an interrupted run of this attempt left behind. */
	if (txn_drop(&ex->place, name) == 0 &&
	    txn_create(&r->txn, &ex->place, name, &ex->workspace) == 0 &&
	    (r->way != JAIL_OVERLAY || txn_add_work(&r->txn) == 0))
		return 0;
	(void)fault_errno(f, OUTCOME_PREPARE, "making the transaction");
	f->temporary = true;
	return -1;
}

static int
fail_start(struct fault *f)
{
	(void)fault_errno(f, OUTCOME_PREPARE, "starting the staging process");
	f->temporary = true;
	return -1;
}

/* What the patch itself decides is not in it. */
static struct jail_spec
spec_of(struct executor *ex)
{
	struct run *r = &ex->run;

	return (struct jail_spec){.way = r->way,
	    .workspace = ex->workspace.path,
	    .place = ex->place.path,
	    .user = &ex->user,
	    .queue = ex->queue,
	    .net = &ex->net,
	    .prepare = r->way == JAIL_PLAIN ? worker_seed : clone_workspace,
	    .run = worker_run,
	    .owner = &r->worker};
}

/* A large patch is not written out for it: a fork copies nothing. It waits for
 * the next one then. */
static bool
take_ahead(struct executor *ex, const struct jail_spec *spec, int *order)
{
	struct run *r = &ex->run;
	struct stat st;

	return spec->way >= JAIL_COPY &&
	       fstatat(ex->q->dir[Q_RUNNING], r->file, &st, 0) == 0 &&
	       st.st_size <= ORDER_MAX &&
	       ahead_take(&ex->ahead, spec, &r->jail, order);
}

static int
give_order(struct executor *ex, int order, char *const *masks)
{
	return order == -1 ? 0 : order_write(order, ex, masks);
}

/* 1: one that was made ahead is gone by now, and another one may do. */
static int
release_jail(struct executor *ex, int order, char *const *masks)
{
	struct run *r = &ex->run;

	if (write_begin(ex) == -1 || take_time(ex) == -1)
		return fail_start(&r->fault);
	if (give_order(ex, order, masks) == -1 || jail_release(&r->jail) == -1)
		return order != -1 ? 1 : fail_start(&r->fault);
	if (r->way != JAIL_PLAIN && settle_sync(ex) == -1)
		return fail_start(&r->fault);
	return 0;
}

/* T is made while the new process finds its feet: until its release it does
 * not look for it. One that was made ahead has found them. As release_jail. */
static int
start_with(struct executor *ex, const char *name, struct jail_spec *spec)
{
	struct run *r = &ex->run;
	int order = -1, answer = -1, status;

	if (!take_ahead(ex, spec, &order) && jail_start(&r->jail, spec) == -1)
		return fail_start(&r->fault);
	if (make_txn(ex, name, &r->fault) == 0)
		answer = release_jail(ex, order, spec->masks);
	if (order != -1)
		(void)close(order);
	if (answer == 0)
		return 0;
	jail_kill(&r->jail);
	(void)jail_reap(&r->jail, JAIL_KILL_MS, &status);
	if (answer == 1) {
		jail_close(&r->jail);
		txn_close(&r->txn);
	}
	return answer;
}

int
start_jail(struct executor *ex, const char *name)
{
	struct run *r = &ex->run;
	struct jail_spec spec = spec_of(ex);
	char **masks = r->way >= JAIL_COPY ? mask_list(ex) : NULL;
	int answer;

	(void)snprintf(r->path, sizeof(r->path), "%s/%s", ex->place.path, name);
	spec.txn = r->path;
	spec.network = r->plan.network;
	spec.limits = &r->plan.limits;
	spec.masks = masks;
	spec.cgroup = r->way != JAIL_PLAIN ? group_begin(ex) : NULL;
	r->plan.limits.grouped = spec.cgroup != NULL;
	start_worker(ex);
	answer = start_with(ex, name, &spec);
	if (answer == 1) /* now there is none made ahead */
		answer = start_with(ex, name, &spec);
	mask_free(masks);
	return answer;
}

void
start_next(struct executor *ex)
{
	struct jail_spec spec = spec_of(ex);

	if (ex->run.way < JAIL_COPY || ex->index.next >= ex->index.count)
		return;
	spec.cgroup = ex->cgroup.kind != CGROUP_NONE ? &ex->cgroup : NULL;
	spec.accept = order_accept;
	spec.owner = ex;
	ahead_make(&ex->ahead, &spec);
}
