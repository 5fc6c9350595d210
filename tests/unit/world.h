/* SPDX-License-Identifier: ISC */
/*
 * What the sweeps over a transaction share: a workspace, a transaction whose
 * staged operations (put, exchange, delete, trees, links, modes) wait for
 * their record, and the question which image the workspace shows.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include "common/spool.h"
#include "executor/commit.h"
#include "executor/diff.h"
#include "tests/unit/scratch.h"

struct world {
	struct scratch scratch;
	struct workspace ws;
	struct place place;
	struct txn txn;
	struct diff diff;
	struct plan plan;
	struct queue_settings queue;
	char *before, *after;
};

void world_open(struct world *w);
void world_close(struct world *w);
struct commit world_commit(struct world *w);
/* Of the staged operations, which stay w's; the outcome is the caller's. */
void world_record(struct world *w, struct record *r);
/* -1 neither, 0 before, 1 after. */
int world_image(struct world *w, const char *after);

#endif
