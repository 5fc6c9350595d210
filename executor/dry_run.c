/* SPDX-License-Identifier: ISC */
/*
 * --dry-run: one patch through the executor's own staging, up to the point
 * where the commit record would be written, and no further. Nothing is
 * claimed, settled, journalled or alerted. It takes no lock and runs beside
 * the queue's executor: its transaction has a name that recovery sweeps away
 * where we are killed, and never takes for one of its own.
 */
#include <sys/stat.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/outcome.h"
#include "executor/approval.h"
#include "executor/dry_run.h"
#include "executor/isolate.h"
#include "executor/settle.h"
#include "executor/utf8.h"

/* The job, as in a queue file but without its check line, on stdin. */
static int
read_job(struct job *job)
{
	json_t *doc =
	    json_loadf(stdin, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	int answer = doc != NULL ? job_decode(doc, job) : -1;

	json_decref(doc);
	if (answer == -1)
		log_warnx("standard input holds no job of this version");
	return answer;
}

static void
on_nothing(struct loop *l, struct timer *t)
{
	(void)l;
	(void)t;
}

static void
on_signal(struct loop *l, const struct signalfd_siginfo *si)
{
	struct executor *ex = l->owner;

	if ((si->ssi_signo == SIGTERM || si->ssi_signo == SIGINT) &&
	    ex->run.active)
		run_kill(ex, RUN_CANCELLED);
}

static int
open_workspace(struct executor *ex)
{
	if (workspace_open(&ex->workspace, ex->queue->workspace) == -1) {
		log_warn("workspace %s", ex->queue->workspace);
		return -1;
	}
	if (isolate_user(ex) == -1) {
		log_warnx("%s", ex->why);
		return -1;
	}
	if (isolate_place(ex) == -1) {
		log_warn("%s: nothing can be staged for it",
		    ex->queue->workspace);
		return -1;
	}
	if (isolate_choose(ex) == -1) {
		log_warnx("%s: what this machine allows cannot be tried at "
			  "present",
		    ex->place.path);
		return -1;
	}
	ex->chosen = true;
	return 0;
}

static int
open_all(struct executor *ex, struct tree *t, const struct daemon_opts *o)
{
	daemon_tree(ex->settings, t);
	ex->tree = t;
	ex->queue = settings_queue(ex->settings, o->queue);
	ex->q = tree_queue(t, ex->queue->name);
	ex->workspace.fd = ex->place.dir = -1;
	ex->journal.dir = ex->journal.fd = -1;
	(void)strlcpy(ex->instance, o->instance, sizeof(ex->instance));
	ex->scan = (struct timer){.on = on_nothing, .owner = ex};
	if (state_open(&ex->state, t, ex->instance) == -1 ||
	    loop_open(&ex->loop, ex, on_signal) == -1) {
		log_warn("%s", t->path);
		return -1;
	}
	return open_workspace(ex);
}

static void
close_all(struct executor *ex)
{
	/* Of a place that nobody uses nothing stays. */
	if (ex->place.dir != -1 && !spool_exists(ex->state.dir, "place.json"))
		(void)rmdir(ex->place.path);
	workspace_close(&ex->workspace);
	place_close(&ex->place);
	state_close(&ex->state);
	loop_close(&ex->loop);
}

static void
forbid(struct executor *ex, const struct job *job)
{
	struct fault f = {0};
	json_t *doc;

	(void)fault_reject(&f, OUTCOME_FORBIDDEN, "%s", ex->dry.policy.why);
	doc = outcome_new(&job->env, f.state, f.stage, f.reason);
	settle_common(ex, doc);
	fault_describe(&f, doc);
	ex->dry.outcome = doc;
}

static void
note_policy(struct executor *ex)
{
	static const char *const word[] = {"run", "hold", "deny"};
	const struct policy_answer *p = &ex->dry.policy;

	json_object_set_new(ex->dry.outcome, "policy",
	    json_pack("{s:s,s:o}", "verdict", word[p->verdict], "why",
		utf8_string(p->why)));
}

static int
stage(struct executor *ex, const struct job *job)
{
	struct queue_name name = {.digit = 0, .attempt = job->env.attempt};
	bool printed;

	(void)strlcpy(name.key, job->env.key, sizeof(name.key));
	approval_judge(ex, job, 1, &ex->dry.policy);
	if (ex->dry.policy.verdict == POLICY_DENY) {
		forbid(ex, job);
	} else {
		(void)run_start(ex, job, &name, "");
		while (ex->run.active)
			loop_turn(&ex->loop, -1);
	}
	if (ex->dry.outcome == NULL)
		return EXIT_TEMPORARY;
	note_policy(ex);
	printed = json_dumpf(ex->dry.outcome, stdout, JSON_COMPACT) == 0 &&
		  fputc('\n', stdout) != EOF && fflush(stdout) == 0;
	json_decref(ex->dry.outcome);
	return printed ? EXIT_DONE : EXIT_FATAL;
}

int
dry_run(const struct daemon_opts *o, struct settings *s)
{
	/* As a check: nothing is recorded, nothing set aside. */
	struct daemon_opts as_check = *o;
	struct executor ex = {.opts = &as_check,
	    .settings = s,
	    .dry = {.on = true}};
	int status = EXIT_TEMPORARY;
	struct tree tree;
	struct job job;

	as_check.check = true;
	if (read_job(&job) == -1)
		return EXIT_FATAL;
	if (open_all(&ex, &tree, o) == 0)
		status = stage(&ex, &job);
	close_all(&ex);
	tree_close(&tree);
	job_free(&job);
	settings_free(s);
	return status;
}

void
dry_run_name(char *name, size_t size)
{
	(void)snprintf(name, size, ".drop-dry-%ld", (long)getpid());
}

/* How it would have ended; *extra is what every outcome tells. */
void
dry_run_fail(struct executor *ex, json_t *extra)
{
	struct run *r = &ex->run;
	json_t *doc = outcome_new(&r->job.env, r->fault.state, r->fault.stage,
	    r->fault.reason);

	settle_common(ex, doc);
	fault_describe(&r->fault, doc);
	json_object_update_missing(doc, extra);
	json_object_set_new(doc, "temporary", json_boolean(r->fault.temporary));
	ex->dry.outcome = doc;
	if (r->txn.dir != -1)
		settle_drop(ex, r->txn.name);
}

void
dry_run_succeed(struct executor *ex, json_t *outcome)
{
	struct policy_answer *p = &ex->dry.policy;

	if (ex->run.ask[0] != '\0' && p->verdict == POLICY_RUN) {
		p->verdict = POLICY_HOLD;
		(void)strlcpy(p->why, ex->run.ask, sizeof(p->why));
	}
	json_object_del(outcome, "transaction");
	ex->dry.outcome = outcome;
	settle_drop(ex, ex->run.txn.name);
}
