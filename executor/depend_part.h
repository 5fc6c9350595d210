/* SPDX-License-Identifier: ISC */
/* What depend.c knows of one patch, and depend_circle.c searches. */
#ifndef EXECUTOR_DEPEND_PART_H
#define EXECUTOR_DEPEND_PART_H

#include "executor/depend.h"

struct depend_node {
	RB_ENTRY(depend_node) entry;
	char *ref; /* "ID@QUEUE"; owned */
	const struct queue_tree *q;
	char key[KEY_SIZE]; /* "": nobody has handed it in */
	enum depend state;
	enum queue_dir dir; /* where it waits or ended; Q__MAX: elsewhere */
	struct queue_name at;
	char words[64];             /* "rejected (expired)", "running", ... */
	json_t *circle;             /* of its outcome, or NULL */
	bool forgotten;             /* it ended, and nothing says how */
	bool has_edges;             /* those below are filled */
	struct depend_node **edges; /* waiting ones that it needs */
	size_t edge_count;
	/* of the search */
	size_t edge_at;
	int number; /* in order of discovery; 0: not reached */
	int low;
	int group;                /* of its circle; 0: of none */
	struct depend_node *up;   /* from where it was reached */
	struct depend_node *rest; /* the stack below it */
	bool stacked;
};

RB_PROTOTYPE(depend_nodes, depend_node, entry, depend_compare)
int depend_compare(const struct depend_node *a, const struct depend_node *b);

/* The node of id in q, looked at when it is new. */
struct depend_node *depend_node(struct depends *d, const struct queue_tree *q,
    const char *id);
/* Fills n's edges from its queue file, where it waits for something. */
void depend_edges(struct depends *d, struct depend_node *n);

/* depend_circle.c: the members of a circle through n, first to last, or
 * NULL: the caller's. */
json_t *depend_circle(struct depends *d, struct depend_node *n);

#endif
