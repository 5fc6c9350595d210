/* SPDX-License-Identifier: ISC */
/* The staging process is dead: what it left is committed or dropped. */
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "executor/approval.h"
#include "executor/ballast.h"
#include "executor/carry.h"
#include "executor/commit.h"
#include "executor/dry_run.h"
#include "executor/executor.h"
#include "executor/guard.h"
#include "executor/gitindex.h"
#include "executor/gitlive.h"
#include "executor/gitlock.h"
#include "executor/reasons.h"
#include "executor/settle.h"
#include "executor/view.h"

static void
forget(struct executor *ex)
{
	struct run *r = &ex->run;

	settle_undraft(ex);
	view_drop(r);
	if (r->plan.limits.grouped)
		cgroup_drop(&ex->cgroup);
	jail_close(&r->jail);
	txn_close(&r->txn);
	job_free(&r->job);
	plan_free(&r->plan);
	buf_free(&r->pending);
	fault_free(&r->fault);
	json_decref(r->commands);
	json_decref(r->running);
	json_decref(r->warnings);
	json_decref(r->git);
	json_decref(r->bases);
	free(r->approved);
	r->commands = r->running = r->warnings = r->git = r->bases = NULL;
	r->approved = NULL;
	r->active = false;
	hand_drop(ex);
	if (r->shown)
		status_write(ex);
	executor_wake(ex, 0);
}

/* A worker that ended without a word did not succeed. */
static void
judge_exit(struct executor *ex, int status)
{
	struct run *r = &ex->run;

	if (r->fault.set || r->ended)
		return;
	if (r->end == RUN_TIMED_OUT)
		(void)fault_fail(&r->fault, OUTCOME_TIMEOUT,
		    "the patch did not end within %lld ms",
		    (long long)r->plan.timeout_ms);
	else if (WIFSIGNALED(status) || WEXITSTATUS(status) > 128)
		(void)fault_fail(&r->fault, OUTCOME_COMMAND,
		    "the staging process was killed by signal %d",
		    WIFSIGNALED(status) ? WTERMSIG(status)
					: WEXITSTATUS(status) - 128);
	else
		(void)fault_fail(&r->fault, OUTCOME_PREPARE,
		    "the staging process ended with status %d and said no "
		    "reason",
		    WEXITSTATUS(status));
}

/* The command that fails for it says so in words of its own. */
static bool
lacks_network(const struct run *r)
{
	const json_t *limits = json_object_get(r->job.patch, "limits");

	return json_is_true(json_object_get(limits, "network")) &&
	       r->plan.timeout_ms > 0 && !r->plan.network;
}

static json_t *
merged_warnings(const struct run *r, json_t *more)
{
	json_t *all = json_array();

	if (lacks_network(r))
		json_array_append_new(all,
		    json_string("the queue allows no network: its key network "
				"is false"));
	if (r->job.warnings != NULL)
		json_array_extend(all, r->job.warnings);
	if (r->warnings != NULL)
		json_array_extend(all, r->warnings);
	if (more != NULL)
		json_array_extend(all, more);
	return all;
}

/* What every outcome of an attempt tells. */
static json_t *
describe_run(struct executor *ex, json_t *more_warnings)
{
	const struct run *r = &ex->run;
	json_t *approval = approval_describe(ex, r->name.key);
	char from[ISO_TIME_SIZE], to[ISO_TIME_SIZE];
	json_t *doc = json_object();

	clock_iso(r->started_us, from);
	clock_iso(clock_wall_us(), to);
	json_object_set_new(doc, "started_at", json_string(from));
	json_object_set_new(doc, "finished_at", json_string(to));
	json_object_set_new(doc, "duration_ms",
	    json_integer(clock_mono_ms() - r->started_ms));
	json_object_set_new(doc, "unvalidated",
	    json_boolean(r->plan.unvalidated));
	if (r->plan.description != NULL)
		json_object_set_new(doc, "description",
		    json_string(r->plan.description));
	if (json_object_size(r->plan.final) > 0)
		json_object_set(doc, "final", r->plan.final);
	if (approval != NULL)
		json_object_set_new(doc, "approval", approval);
	if (r->commands != NULL)
		json_object_set(doc, "commands", r->commands);
	json_object_set_new(doc, "warnings", merged_warnings(r, more_warnings));
	if (r->jail.usage != NULL)
		limits_describe(r->jail.usage, r->limits_by,
		    r->plan.limits.grouped ? "" : ex->cgroup.why, doc);
	return doc;
}

static void
settle_failure(struct executor *ex)
{
	struct run *r = &ex->run;
	struct settle_at at = {Q_RUNNING, r->file};
	json_t *extra = describe_run(ex, NULL);

	/* A failure that nobody has given a reason for is one all the same. */
	if (!r->fault.set)
		(void)fault_fail(&r->fault, OUTCOME_PREPARE,
		    "it was not carried out, and nothing says why");
	if (ex->dry.on)
		dry_run_fail(ex, extra);
	else if (settle_fault(ex, &r->job.env, &r->fault, extra, &at) == 0 &&
		 r->txn.dir != -1)
		settle_drop(ex, r->txn.name);
	json_decref(extra);
}

/* True when another run may succeed and is allowed. */
static bool
requeue(struct executor *ex)
{
	struct run *r = &ex->run;
	struct tries t;

	if (!r->fault.temporary || ex->dry.on ||
	    tries_load(&ex->state, r->name.key, &t) == -1)
		return false;
	if (t.attempt != r->name.attempt)
		tries_begin(&t, r->name.attempt);
	if (++t.requeues >= ex->queue->attempts)
		return false;
	log_info("%s: will be run again: %s", r->name.key, r->fault.text);
	if (r->txn.dir != -1)
		settle_drop(ex, r->txn.name);
	(void)settle_requeue(ex, r->file, r->name.key, &t,
	    tries_delay_ms(t.requeues));
	return true;
}

static json_t *
success_doc(struct executor *ex, struct diff *d)
{
	struct run *r = &ex->run;
	json_t *doc = outcome_new(&r->job.env, OUTCOME_COMPLETED,
	    OUTCOME_NO_STAGE, OUTCOME_NO_REASON);
	json_t *extra = describe_run(ex, d->warnings);

	settle_common(ex, doc);
	json_object_update_missing(doc, extra);
	json_decref(extra);
	changes_describe(&d->changes, doc);
	if (r->git != NULL)
		json_object_set(doc, "git", r->git);
	json_object_set_new(doc, "transaction", json_string(r->txn.name));
	return doc;
}

/* Some `git status` may rewrite it before it is undone. */
static void
note_index(const struct txn *t, struct record *rec)
{
	char name[OP_NAME_SIZE];

	for (size_t i = 0; i < rec->ops.count; i++) {
		const struct op *o = &rec->ops.items[i];

		if (o->kind != OP_PUT || strcmp(o->path, GITINDEX_PATH) != 0)
			continue;
		op_name(o, name);
		if (gitindex_id(t->new, name, rec->index_id) == -1)
			rec->index_id[0] = '\0';
	}
}

static void
fill_record(struct executor *ex, struct diff *d, struct record *rec)
{
	memset(rec, 0, sizeof(*rec));
	strlcpy(rec->file, ex->run.file, sizeof(rec->file));
	strlcpy(rec->workspace, ex->workspace.path, sizeof(rec->workspace));
	rec->workspace_ino = ex->workspace.st.st_ino;
	rec->since_ns =
	    ex->run.since.tv_sec * 1000000000LL + ex->run.since.tv_nsec;
	rec->ops = d->ops; /* lent, and so is this */
	rec->hidden = d->changes.hidden;
	note_index(&ex->run.txn, rec);
	rec->outcome = success_doc(ex, d);
}

/* COMMIT is there: from here on the patch has happened. */
static void
carry_out(struct executor *ex)
{
	txn_close(&ex->run.txn);
	/* Where it fails, the queue is held and recovery goes on later. */
	if (carry_on(ex, ex->run.txn.name) == 0)
		(void)ballast_fill(ex);
}

/* What was staged, the record, the outcome and the claim, unless that was
 * synced while commands ran, go to the disk together; where the order is kept
 * the tail waits for the outcome. 1: the queue is held for the claim, and
 * recovery begins anew. */
static int
stage_record(struct executor *ex, const struct commit *c, struct diff *d)
{
	struct record rec;
	int answer;

	fill_record(ex, d, &rec);
	settle_draft(ex, rec.outcome);
	answer = commit_sync(c, &rec, &ex->run.fault);
	if (answer == 0) {
		if (!c->ordered)
			settle_sync_draft(ex);
		answer = settle_sync(ex) == 0 ? 0 : 1;
	}
	json_decref(rec.outcome);
	return answer;
}

static int
write_record(struct executor *ex, const struct commit *c)
{
	struct run *r = &ex->run;
	enum spool_answer a = commit_write(c);

	if (a == SPOOL_DONE)
		return 0;
	if (a == SPOOL_UNKNOWN) {
		/* It may be durable or not: only recovery may judge. */
		executor_hold(ex, "%s: commit record: %s", r->name.key,
		    strerror(errno));
		return 1;
	}
	(void)fault_errno(&r->fault, OUTCOME_PREPARE, "the commit record");
	r->fault.temporary = true;
	return -1;
}

/* Commands may change anything: the rules are asked again. */
static int
check_policy(struct executor *ex, struct diff *d)
{
	struct run *r = &ex->run;
	struct policy_answer a;

	approval_judge_changes(ex, &d->changes, &a);
	if (a.verdict == POLICY_DENY)
		return fault_reject(&r->fault, OUTCOME_FORBIDDEN, "%s", a.why);
	if (a.verdict == POLICY_HOLD)
		(void)strlcpy(r->ask, a.why, sizeof(r->ask));
	return a.verdict == POLICY_HOLD && !ex->dry.on ? -1 : 0;
}

/* Back to where it waits, to be run again once it is approved. */
static bool
put_aside(struct executor *ex)
{
	struct run *r = &ex->run;
	struct tries t;

	if (r->ask[0] == '\0' || r->fault.set)
		return false;
	if (r->txn.dir != -1)
		settle_drop(ex, r->txn.name);
	if (approval_ask(ex, &r->job.env, r->name.attempt, true, r->ask) == -1)
		return true;
	if (tries_load(&ex->state, r->name.key, &t) == 0)
		(void)settle_requeue(ex, r->file, r->name.key, &t, 1);
	else
		executor_hold(ex, "%s: state not read", r->name.key);
	return true;
}

static int
commit_run(struct executor *ex)
{
	struct run *r = &ex->run;
	struct commit c = view_commit(ex);
	struct diff *d;
	int answer;

	if (r->diff == NULL && view_look(ex) == -1)
		return -1;
	d = r->diff;
	/* What may add to the record comes before it is staged. */
	if (check_policy(ex, d) == -1 ||
	    gitlock_take(ex, &r->txn, &d->ops, &r->fault) == -1 ||
	    gitlive_check_head(ex, &c, &d->ops, &r->fault) == -1)
		return -1;
	gitlive_adopt(ex, &c, &d->ops);
	if (!ex->dry.on && (answer = stage_record(ex, &c, d)) != 0)
		return answer;
	if (commit_check(&c, &d->ops, &r->fault) == -1)
		return -1;
	if (!ex->dry.on)
		return write_record(ex, &c);
	dry_run_succeed(ex, success_doc(ex, d));
	return 1;
}

/* -1; or 1 where they stay: recovery takes them away with the transaction. */
static int
release_locks(struct executor *ex)
{
	struct run *r = &ex->run;

	if (gitlock_release(&ex->workspace, &r->txn) == 0)
		return -1;
	executor_hold(ex, "%s: git's lock is not released: %s", r->txn.name,
	    strerror(errno));
	return 1;
}

static int
try_commit(struct executor *ex)
{
	struct run *r = &ex->run;
	int answer;

	answer = commit_run(ex);
	view_drop(r);
	if (answer == 0)
		carry_out(ex);
	else if (answer == -1)
		answer = release_locks(ex);
	return answer;
}

static bool
was_ended(struct executor *ex)
{
	struct run *r = &ex->run;
	struct tries none = {0};

	if (r->end == RUN_STOPPED) {
		settle_drop(ex, r->txn.name);
		(void)settle_requeue(ex, r->file, r->name.key, &none, 0);
		return true;
	}
	if (r->end == RUN_CANCELLED) {
		fault_free(&r->fault);
		(void)fault_reject(&r->fault, OUTCOME_BY_OPERATOR, "%s",
		    r->cancelled[0] != '\0' ? r->cancelled
					    : "cancelled while it ran");
	}
	return false;
}

/* The worker said so; what the view has come to be, looked at since, is none of
 * its limits' doing. */
static bool
was_staged(const struct run *r)
{
	return r->ended && (!r->fault.set || r->diff != NULL);
}

/* What a limit has led to is the limit's doing. */
static enum limit_kind
judge_limits(struct executor *ex)
{
	struct run *r = &ex->run;

	r->limits_by =
	    r->plan.limits.grouped ? cgroup_word(&ex->cgroup) : "rlimits";
	if (r->jail.usage == NULL)
		return LIMIT_NONE;
	if (r->plan.limits.grouped)
		cgroup_read(&ex->cgroup, r->jail.usage);
	if (r->jail.usage->refused_forks > 0) {
		if (r->warnings == NULL)
			r->warnings = json_array();
		json_array_append_new(r->warnings,
		    json_sprintf("the limit of processes refused %lld forks",
			(long long)r->jail.usage->refused_forks));
	}
	return limits_judge(&r->plan.limits, r->jail.usage, was_staged(r),
	    &r->fault);
}

void
finish_run(struct executor *ex, int status)
{
	struct run *r = &ex->run;

	if (!was_ended(ex)) {
		if (r->way == JAIL_BARE)
			guard_kill();
		reasons_complete(r, judge_limits(ex));
		judge_exit(ex, status);
		if (r->fault.set || try_commit(ex) == -1) {
			if (!put_aside(ex) && !requeue(ex))
				settle_failure(ex);
		}
	}
	/* Files that forbid it came behind the choice: it is made anew. */
	if (r->way_was_wrong)
		ex->chosen = ex->recovered = false;
	forget(ex);
}

void
finish_undo(struct executor *ex, int answer)
{
	if (answer == 0)
		(void)ballast_fill(ex);
	else if (answer == -1 && !requeue(ex))
		settle_failure(ex);
	forget(ex);
}
