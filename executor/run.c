/* SPDX-License-Identifier: ISC */
/* Starting the patch in work, and listening to its staging process. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/sys.h"
#include "common/utf8.h"
#include "executor/basis.h"
#include "executor/diff.h"
#include "executor/dry_run.h"
#include "executor/executor.h"
#include "executor/gitlock.h"
#include "executor/hold.h"
#include "executor/kept.h"
#include "executor/report.h"
#include "executor/settle.h"
#include "executor/start.h"
#include "executor/tail.h"
#include "executor/undo.h"
#include "executor/view.h"

#define SHOW_AFTER_MS 200 /* queue.json names a patch that takes longer */
#define SLACK_MS 3000     /* the worker keeps the deadline; then we do */

static void
add_report(json_t **list, json_t *doc)
{
	if (*list == NULL)
		*list = json_array();
	json_array_append(*list, doc);
}

static void
on_line(void *owner, const char *kind, json_t *doc)
{
	struct executor *ex = owner;
	struct run *r = &ex->run;
	json_t *text = json_object_get(doc, "text");

	if (!json_is_string(text))
		text = NULL;
	if (strcmp(kind, "fault") == 0) {
		if (!r->fault.set && fault_decode(doc, &r->fault) == -1)
			(void)fault_fail(&r->fault, OUTCOME_PREPARE,
			    "the staging process reported nonsense");
	} else if (strcmp(kind, "command") == 0) {
		json_object_del(doc, "kind");
		add_report(&r->commands, doc);
		json_decref(r->running);
		r->running = NULL;
	} else if (strcmp(kind, "basis") == 0) {
		basis_take(&r->bases, doc);
	} else if (strcmp(kind, "warning") == 0 && text != NULL) {
		add_report(&r->warnings, text);
	} else if (strcmp(kind, "git") == 0) {
		json_object_del(doc, "kind");
		json_decref(r->git);
		r->git = json_incref(doc);
	} else if (strcmp(kind, "end") == 0) {
		r->ended = true;
	} else if (text != NULL) {
		if (strcmp(kind, "running") == 0) {
			json_decref(r->running);
			r->running = json_incref(doc);
		}
		strlcpy(r->doing, json_string_value(text), sizeof(r->doing));
		utf8_trim(r->doing);
		executor_beat(ex);
	}
}

static void
on_report(struct loop *l, struct watch *w, short revents)
{
	struct executor *ex = w->owner;
	int more = report_read(w->fd, &ex->run.pending, on_line, ex);

	(void)revents;
	if (more == -1)
		(void)fault_fail(&ex->run.fault, OUTCOME_PREPARE,
		    "the staging process reported nonsense");
	if (more != 1)
		loop_unwatch(l, w);
	if (more == 0 || ex->run.way == JAIL_PLAIN)
		view_staged(ex);
}

/* In an uninterruptible sleep, or held by a debugger. Its twin must not start:
 * the queue waits for the exit, however long it takes. */
static void
tell_unkillable(struct executor *ex, bool is)
{
	struct run *r = &ex->run;
	struct alert a = {.type = "queue-stuck",
	    .component = ex->instance,
	    .subject = ex->q->name,
	    .severity = is ? ALERT_CRITICAL : ALERT_INFO,
	    .queue = ex->q->name,
	    .id = r->job.env.id,
	    .resolved = !is};
	const char *text = is ? "unkillable: a process of the patch does not "
				"die; the queue waits for it"
			      : "the process that did not die is dead";

	r->unkillable = is;
	hold_note_stuck(ex, is);
	strlcpy(ex->hold, is ? text : "", sizeof(ex->hold));
	log_warnx("%s: process %ld: %s", r->job.env.key, (long)r->jail.pid,
	    text);
	a.text = text;
	executor_alert(ex, &a);
	status_write(ex);
}

/* How long they took to die: from our decision, or from init's. While we had
 * something else to do nobody waited for it. */
static void
note_death(struct run *r)
{
	struct limits_usage *u = r->jail.usage;
	int64_t from = r->kill_at;

	if (u == NULL)
		return;
	if (from == 0)
		from = u->ended_ms;
	if (from != 0 && from < r->looked_ms)
		from = r->looked_ms;
	u->death_ms = from != 0 ? clock_mono_ms() - from : 0;
}

/* The init is dead, so all is dead; the pipe's end is the second proof. */
static void
on_exit_event(struct loop *l, struct watch *w, short revents)
{
	struct executor *ex = w->owner;
	struct run *r = &ex->run;
	int status = 0;

	(void)revents;
	if (jail_reap(&r->jail, 0, &status) != 1)
		return;
	note_death(r);
	loop_unwatch(l, w);
	loop_cancel(l, &r->deadline);
	if (r->unkillable)
		tell_unkillable(ex, false);
	if (r->report.armed) {
		struct pollfd fd = {r->jail.report, POLLIN, 0};

		while (r->report.armed && poll(&fd, 1, 1000) == 1)
			on_report(l, &r->report, fd.revents);
		if (r->report.armed)
			loop_unwatch(l, &r->report);
	}
	finish_run(ex, status);
}

void
run_kill(struct executor *ex, enum run_end end)
{
	struct run *r = &ex->run;

	/* Stopped, it would run again; who cancels it wants that no more. */
	if (r->kill_at != 0 && r->end == RUN_STOPPED && end == RUN_CANCELLED)
		r->end = end;
	if (r->kill_at != 0)
		return;
	r->end = end;
	r->kill_at = clock_mono_ms();
	jail_kill(&r->jail);
	loop_after(&ex->loop, &r->deadline, JAIL_KILL_MS);
}

static void
on_deadline(struct loop *l, struct timer *t)
{
	struct executor *ex = t->owner;
	struct run *r = &ex->run;
	int64_t ran = clock_mono_ms() - r->started_ms;

	if (r->kill_at != 0) {
		tell_unkillable(ex, true);
		return;
	}
	if (!r->shown && ran < r->plan.timeout_ms) {
		r->shown = true;
		status_write(ex);
		loop_after(l, t, r->plan.timeout_ms + SLACK_MS - ran);
		return;
	}
	run_kill(ex, RUN_TIMED_OUT);
}

static void
watch_jail(struct executor *ex)
{
	struct run *r = &ex->run;

	r->report = (struct watch){.fd = r->jail.report,
	    .events = POLLIN,
	    .on = on_report,
	    .owner = ex};
	r->exit = (struct watch){.fd = r->jail.pidfd,
	    .events = POLLIN,
	    .on = on_exit_event,
	    .owner = ex};
	r->deadline = (struct timer){.on = on_deadline, .owner = ex};
	loop_watch(&ex->loop, &r->report);
	loop_watch(&ex->loop, &r->exit);
	loop_after(&ex->loop, &r->deadline,
	    r->plan.timeout_ms > SHOW_AFTER_MS ? SHOW_AFTER_MS
					       : r->plan.timeout_ms);
}

static int
refuse_weak(struct executor *ex, struct fault *f)
{
	(void)fault_fail(f, OUTCOME_PREPARE,
	    "the patch runs commands, and this queue has no isolation for "
	    "them: %s",
	    ex->why);
	fault_hint(f, "run the executor as root, or allow user namespaces; "
		      "patches that only change files are executed");
	return -1;
}

/* Which way it is staged, or why it cannot be. */
static int
choose_way(struct executor *ex, struct fault *f)
{
	struct run *r = &ex->run;
	bool plain = plan_is_plain(&r->plan) &&
		     diff_can_scratch(&r->plan, &ex->workspace);

	if (ex->isolation != JAIL_OVERLAY &&
	    strcmp(ex->queue->require_isolation, "overlay") == 0)
		return fault_fail(f, OUTCOME_PREPARE,
		    "require_isolation is overlay, which this machine does "
		    "not allow: %s",
		    ex->why);
	r->way = plain ? JAIL_PLAIN : ex->isolation;
	if (!plain && ex->isolation == JAIL_PLAIN)
		return refuse_weak(ex, f);
	return 0;
}

static void
note_start(struct executor *ex)
{
	const struct run *r = &ex->run;

	if (ex->dry.on)
		return;
	log_info("%s: started, attempt %d, id %s", r->name.key, r->name.attempt,
	    r->job.env.id);
	journal_write(&ex->journal, "started",
	    json_pack("{s:s,s:s,s:i}", "id", r->job.env.id, "queue",
		ex->q->name, "attempt", r->name.attempt));
}

/* The view would show its lock, and never see it go. */
static int
await_git(struct executor *ex)
{
	const struct plan *p = &ex->run.plan;

	if (p->git_commit == NULL && p->git_tag == NULL)
		return 0;
	/* Nobody waits for the end of the last one as long as we do here. */
	if (tail_finish(ex) == -1) {
		ex->run.end = RUN_STOPPED; /* back, as it was */
		return -1;
	}
	return gitlock_wait(ex, &ex->run.fault);
}

static void
name_txn(const struct executor *ex, char name[NAME_SIZE])
{
	const struct queue_name *n = &ex->run.name;

	if (ex->dry.on)
		dry_run_name(name, NAME_SIZE);
	else if (snprintf(name, NAME_SIZE, "%s,%d", n->key, n->attempt) < 0)
		name[0] = '\0';
}

/* It stages: there is time for what the next one and the last one need. */
static void
go_beside(struct executor *ex)
{
	watch_jail(ex);
	start_next(ex);
	/* Nothing may be decided on top of what may never have happened. */
	if (tail_finish(ex) == -1)
		run_kill(ex, RUN_STOPPED);
	note_start(ex);
	kept_finish(ex);
}

enum run_start
run_start(struct executor *ex, const struct job *job,
    const struct queue_name *name, const char *file)
{
	struct run *r = &ex->run;
	char txn[NAME_SIZE];

	memset(r, 0, sizeof(*r));
	txn_reset(&r->txn);
	jail_reset(&r->jail);
	r->active = true;
	r->name = *name;
	strlcpy(r->file, file, sizeof(r->file));
	envelope_copy(&r->job.env, &job->env);
	r->job.patch = json_incref(job->patch);
	r->job.warnings = json_incref(job->warnings);
	r->job.env.attempt = name->attempt;
	hand_take(ex, name->key, name->attempt);
	r->started_us = clock_wall_us();
	r->started_ms = clock_mono_ms();
	if (undo_is(r->job.patch)) {
		note_start(ex);
		finish_undo(ex, undo_run(ex));
		return ex->hold[0] != '\0' ? RUN_HELD : RUN_SETTLED;
	}
	name_txn(ex, txn);
	if (plan_make(r->job.patch, ex->queue, &r->plan, &r->fault) == 0 &&
	    choose_way(ex, &r->fault) == 0 && await_git(ex) == 0 &&
	    start_jail(ex, txn) == 0) {
		go_beside(ex);
		return RUN_STARTED;
	}
	(void)tail_finish(ex); /* the outcomes in their order */
	note_start(ex);
	finish_run(ex, 0);
	return ex->hold[0] != '\0' ? RUN_HELD : RUN_SETTLED;
}
