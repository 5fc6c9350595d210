/* SPDX-License-Identifier: ISC */
/*
 * A small bridge for sweeps: a source of three documents, a cursor, and
 * acceptance; a fast executor; and what must hold at any time and in the end.
 * Three wrong ways of accepting are the negative controls.
 */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include <stdbool.h>

#include "common/ids.h"
#include "common/state.h"

#define MODEL_QUEUE "MAIN"
#define MODEL_DOCUMENTS 3

enum model_how {
	MODEL_RIGHT,
	MODEL_CURSOR_FIRST, /* the cursor moves before the put */
	MODEL_ENTRY_FIRST,  /* the entry in its place before the put */
	MODEL_ENTRY_LAST    /* and after it: no pending in either */
};

struct model {
	struct tree tree;
	struct queue_tree *queue;
	struct state cursor;
	enum model_how how;
	bool executor;   /* takes everything between crash and recovery */
	int accepted_fd; /* a byte for each document accepted; -1 */
};

/* Makes the spool at path, all directories with it. */
int model_open(struct model *m, const char *path);
void model_close(struct model *m);
/* Nothing happened yet. */
void model_start_over(struct model *m);
/*
 * One life of the bridge (struct model *): recover, then read the source from
 * the cursor. 0, or at the first trouble its errno (1 for a high one).
 */
int model_bridge(void *arg);
/* Where it is on, everything that can be seen is taken at once. */
void model_run_executor(struct model *m);
/* Documents before the cursor, or -1. */
int model_cursor(struct model *m);
/* How often each document is in the spool. */
void model_count(struct model *m, int count[MODEL_DOCUMENTS]);
/* At any time: nothing twice, and what is behind the cursor is there. */
bool model_holds(struct model *m);
/* At the end: everything once, with its entry, and nothing pending. */
bool model_complete(struct model *m);

#endif
