/* SPDX-License-Identifier: ISC */
/*
 * A sweep: one plain run is recorded, then the same run is made again for
 * each point of the record, with the process killed, the power cut or the
 * call failed there; a new run recovers, and the world is judged.
 */
#ifndef INJECT_SWEEP_H
#define INJECT_SWEEP_H

#include "tests/inject/tracer.h"
#include "tests/inject/world.h"

enum sweep_mode { SWEEP_KILL, SWEEP_POWER, SWEEP_ERROR };

struct point {
	char path[TRACEE_PATH];
	char role[16];
	const struct call *call;
	unsigned n;
	unsigned fault; /* 0: killed there */
};

struct points {
	struct point *items;
	size_t count;
};

/* A file whose fsync was made to fail. */
struct mark {
	dev_t dev;
	ino_t ino;
	int generation;
};

struct sweep {
	char **argv;
	const char *log;
	const char *role;         /* only this one; NULL: all */
	const char *call;         /* likewise */
	const char *not_role;     /* not those that begin so */
	const struct call *from;  /* of the first process only from it on */
	const char *lies;         /* control: these calls do nothing; A,B */
	const struct point *only; /* NULL: all */
	const struct point
	    *only_then; /* in its recovery; NULL: as depth says */
	unsigned long seed;
	enum sweep_mode mode;
	unsigned one_in; /* of so many points */
	unsigned faults; /* only these; 0: all that a call may have */
	unsigned pairs;  /* so many random ones at depth 2, 0: all */
	int depth;       /* 2: recovery is killed too */
	bool forget;     /* control: records are lost with the process */
	bool quiet;      /* differences are counted, not shown */

	/* the attempt at work */
	bool hit[2];
	bool retried; /* a failed fsync was made again */
	int promised; /* outcomes that were acknowledged when the power went */
	int recorded_run;
	struct points *recording; /* NULL: not */
	const struct point *target[2];
	char *trouble; /* the first of this attempt; NULL */
	struct mark mark;

	struct points points; /* of the plain run */
	struct world world;
	unsigned tried, hits, bad;
	struct tracer tracer;
};

/* 0 when no point was bad, 1 when one was, -1 with a message on stderr. */
int sweep_run(struct sweep *s);

/* attempt.c: the world through one point, or two. */
int attempt_plain(struct sweep *s);
/* A new world, killed at a, its recovery killed at b (or NULL), recovered.
 * True when all is as promised; else s->trouble says what is not. */
bool attempt(struct sweep *s, const struct point *a, const struct point *b);
/* As above; what recovery does is recorded instead. */
bool attempt_recorded(struct sweep *s, const struct point *a,
    struct points *recovery);
void points_free(struct points *p);

#endif
