/* SPDX-License-Identifier: ISC */
/*
 * Dependencies: "ID@QUEUE", or "ID" for that patch in every queue that knows
 * it, of which the worst counts. A patch is ready when each is completed; it
 * waits for what is queued, held, running or not there yet; it fails for one
 * that failed, was rejected or undone, or whose result retention has taken,
 * and for a circle that it is a member of.
 *
 * Other patches are looked at once in the life of a struct depends: it is a
 * photograph, so that all members of a circle still find it when the first
 * of them has been rejected.
 */
#ifndef EXECUTOR_DEPEND_H
#define EXECUTOR_DEPEND_H

#include <jansson.h>
#include <sys/tree.h>

#include "common/job.h"
#include "common/tree.h"

enum depend { DEPEND_READY, DEPEND_WAIT, DEPEND_FAILED };

struct depend_node;
RB_HEAD(depend_nodes, depend_node);

struct depends {
	struct tree *tree;
	struct depend_nodes nodes;
	/* of the search for circles */
	int counter;
	int walks;
	struct depend_node *stack;
};

struct depend_answer {
	enum depend state;
	char why[512];  /* what is waited for, or what failed */
	json_t *circle; /* its members, each "ID@QUEUE", or NULL; owned */
};

void depends_open(struct depends *d, struct tree *t);
void depends_close(struct depends *d);
/* Circles are looked for only where that is asked: it reads every patch that
 * is waited for, directly or not. */
void depends_check(struct depends *d, const struct job *job, bool circles,
    struct depend_answer *a);

#endif
