/* SPDX-License-Identifier: ISC */
/* The plan executed in the staging view: what the jail's worker runs. */
#ifndef EXECUTOR_WORKER_H
#define EXECUTOR_WORKER_H

#include "common/job.h"
#include "executor/command.h"
#include "executor/jail.h"
#include "executor/plan.h"

struct worker {
	const struct plan *plan;
	const struct queue_settings *queue;
	const struct envelope *env;
	const struct jail_user *user;
	const char *workspace;
	const char *txn; /* BARE: path of T, else NULL */
	enum jail_way way;
	int64_t output_bytes; /* kept of each command's output, head and tail */
	int64_t others;       /* processes of the user outside */
	/* Set while it runs. */
	int report;
	int root;
	int64_t deadline;
	struct command_limits limits;
	char **envp;
	bool git_clean; /* nothing uncommitted before the patch */
	json_t *basis;  /* paths that basis_tell has told */
	size_t basis_bytes;
};

/* As jail_spec.run and .prepare; owner is the struct worker. */
int worker_run(void *owner, int root, int report);
int worker_seed(void *owner, int workspace, int upper, int report);

/* Runs argv within what is left of the patch's time and reports it as text
 * of phase; -1 with *f set unless it succeeded. out, where given, gets the
 * head of its output. */
int worker_command(struct worker *w, enum plan_phase phase,
    const char *const *argv, const char *text, struct fault *f);
/* As above, silent: 0 with the exit code and all of the output; -1 with *f
 * set. */
int worker_ask(struct worker *w, const char *const *argv, int *code,
    struct buf *out, struct fault *f);

#endif
