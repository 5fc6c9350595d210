/* SPDX-License-Identifier: ISC */
/*
 * What the queue's settings say to a patch: approve and rules. Each command
 * and path is decided by the first rule that matches it, a command without
 * one by approve; the strictest of all decisions counts. Pure.
 *
 * Asked twice: of the plan before it runs, and of what was changed in fact
 * before that is committed, since a command may change anything.
 */
#ifndef EXECUTOR_POLICY_H
#define EXECUTOR_POLICY_H

#include "common/settings.h"
#include "executor/plan.h"

enum policy { POLICY_RUN, POLICY_HOLD, POLICY_DENY };

struct policy_answer {
	enum policy verdict;
	char why[512]; /* with FILE:LINE of the rule; "" for POLICY_RUN */
};

struct policy_source {
	const struct queue_settings *queue;
	const char *file; /* of the configuration */
	bool *holds;      /* set for each rule that holds something; NULL */
	const bool *past; /* rules whose hold counts no more; NULL: none */
};

/* Is there anything to ask? */
bool policy_is_set(const struct queue_settings *q);
void policy_of_plan(const struct policy_source *s, const struct plan *p,
    struct policy_answer *a);
/* Add to *a what is said of one path that was changed (of a directory, of what
 * is in it each for itself), and of how much was changed together. */
void policy_of_path(const struct policy_source *s, const char *path,
    struct policy_answer *a);
void policy_of_size(const struct policy_source *s, int64_t files, int64_t bytes,
    struct policy_answer *a);

#endif
