/* SPDX-License-Identifier: ISC */
/*
 * What test_order*.c hold the executor to: patches, their states, and what may
 * become of each at this moment. Its time is the executor's, too.
 */
#ifndef TESTS_UNIT_ORDER_MODEL_H
#define TESTS_UNIT_ORDER_MODEL_H

#include <sys/syscall.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/key.h"

#define QUEUES 2
#define MOST 24 /* patches of a scenario */
#define DEPS 3
#define AGEING_US INT64_C(3600000000)
#define START_US INT64_C(1800000000000000) /* of a scenario's clock */

enum model_state { ABSENT, WAITING, COMPLETED, FAILED, IN_CIRCLE };

struct model_patch {
	enum model_state state;
	int queue;
	int digit;
	int attempt;
	bool good; /* its next run succeeds */
	bool gone; /* archived, its outcome forgotten */
	bool held; /* by an operator */
	int again; /* runs that end with another one; 1 of them a crash */
	int64_t not_before_us;
	int64_t expires_us; /* 0: never */
	int arrives;        /* turn */
	char id[16];
	char key[KEY_SIZE];
	char dep[DEPS][24]; /* "" none */
};

static const char *const queue_name[QUEUES] = {"MAIN", "CYOPS"};
static struct model_patch all[MOST];
static int count;
static unsigned seed;

static int
below(int n)
{
	return (int)(random() % n);
}

/* --- time stands still but where a scenario moves it */

static int64_t now_us;

/* In the place of the C library's. */
int
clock_gettime(clockid_t which, struct timespec *ts)
{
	if (which != CLOCK_REALTIME || now_us == 0)
		return (int)syscall(SYS_clock_gettime, which, ts);
	ts->tv_sec = now_us / 1000000;
	ts->tv_nsec = now_us % 1000000 * 1000;
	return 0;
}

/* --- the model */

static bool
names(const char *ref, const struct model_patch *p)
{
	char id[ID_MAX + 1], queue[QUEUE_MAX + 1];

	assert_int_equal(key_parse_ref(ref, id, queue), 0);
	return p->state != ABSENT && strcmp(id, p->id) == 0 &&
	       (queue[0] == '\0' || strcmp(queue, queue_name[p->queue]) == 0);
}

static bool
needs(const struct model_patch *p, const struct model_patch *other)
{
	for (int d = 0; d < DEPS; d++) {
		if (p->dep[d][0] != '\0' && names(p->dep[d], other))
			return true;
	}
	return false;
}

static bool
needs_failed(const struct model_patch *p)
{
	for (int i = 0; i < count; i++) {
		if (needs(p, &all[i]) &&
		    (all[i].state == FAILED || all[i].state == IN_CIRCLE ||
			all[i].gone))
			return true;
	}
	return false;
}

static bool
is_ready(const struct model_patch *p)
{
	for (int d = 0; d < DEPS; d++) {
		bool known = p->dep[d][0] == '\0';

		for (int i = 0; i < count; i++) {
			if (p->dep[d][0] == '\0' || !names(p->dep[d], &all[i]))
				continue;
			known = true;
			if (all[i].state != COMPLETED || all[i].gone)
				return false;
		}
		if (!known)
			return false;
	}
	return true;
}

static bool
has_expired(const struct model_patch *p)
{
	return p->expires_us != 0 && p->expires_us <= now_us;
}

static bool
may_run(const struct model_patch *p)
{
	return p->state == WAITING && !p->held && p->not_before_us <= now_us &&
	       !has_expired(p) && is_ready(p);
}

/* Does start need goal, over patches that have not completed? failed: those
 * that failed for something else count too. */
static bool
comes_to(int start, int goal, bool failed)
{
	bool seen[MOST] = {false}, more = true;

	seen[start] = true;
	while (more) {
		more = false;
		for (int i = 0; i < count; i++)
			for (int j = 0; j < count && seen[i]; j++) {
				bool open = all[j].state == WAITING ||
					    all[j].state == IN_CIRCLE ||
					    (failed && all[j].state == FAILED);

				if (open && j == goal &&
				    needs(&all[i], &all[j]))
					return true;
				if (open && !seen[j] && needs(&all[i], &all[j]))
					more = seen[j] = true;
			}
	}
	return false;
}

/*
 * Members are rejected one after the other, so those that were rejected for
 * it still count; and once one was, the others are members even if another
 * one of them failed for something else meanwhile.
 */
static bool
is_in_circle(int p)
{
	if (comes_to(p, p, false))
		return true;
	for (int i = 0; i < count; i++)
		if (all[i].state == IN_CIRCLE && comes_to(p, i, true) &&
		    comes_to(i, p, true))
			return true;
	return false;
}

/* Each full hour bounds it by one less. */
static int
aged(const struct model_patch *p)
{
	int64_t hours = (now_us - key_time_us(p->key)) / AGEING_US;
	int most = hours < 0 ? 9 : hours > 9 ? 0 : 9 - (int)hours;

	return p->digit < most ? p->digit : most;
}

static bool
is_before(const struct model_patch *a, const struct model_patch *b)
{
	return aged(a) != aged(b) ? aged(a) < aged(b)
				  : strcmp(a->key, b->key) < 0;
}

static struct model_patch *
find(const char *id, const char *queue)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(all[i].id, id) == 0 &&
		    strcmp(queue_name[all[i].queue], queue) == 0)
			return &all[i];
	}
	fail_msg("seed %u: %s@%s is not of us", seed, id, queue);
	return &all[0];
}

#endif
