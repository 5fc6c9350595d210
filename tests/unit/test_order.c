/* SPDX-License-Identifier: ISC */
/*
 * Order and waiting against a model: random patches in two queues, with
 * dependencies that fail, come late, are unknown, lie in the other queue, in
 * the archive or in a circle; retries, holds, expiry, and the time that one
 * waits which is run again. The clock is the test's own. Each thing that the
 * executors do must be allowed by the model at that moment, and in the end
 * nothing that the model allows may be left undone. Behind the random ones,
 * those whose course is known.
 */
#include "tests/unit/order_suite.h"

static void
archive(struct suite *u, struct model_patch *p)
{
	struct queue_tree *q = u->ex[p->queue].q;
	struct queue_name n;
	char file[NAME_SIZE], outcome[NAME_SIZE];
	enum queue_dir at = tree_find_key(q, p->key, p->attempt, &n);

	key_queue_file(&n, file);
	key_outcome_file(p->key, p->attempt, outcome);
	if (at != Q_ARCHIVE)
		assert_int_equal(
		    spool_move(q->dir[at], file, q->dir[Q_ARCHIVE], NULL),
		    SPOOL_DONE);
	p->gone = below(2) == 0;
	if (p->gone)
		assert_int_equal(
		    spool_remove(q->outcomes.dir[BOX_NEW], outcome),
		    SPOOL_DONE);
}

static void
happen(struct suite *u)
{
	struct model_patch *p = &all[below(count)];

	now_us += below(4000) * INT64_C(1000);
	if (p->state == WAITING && below(3) == 0)
		hold_or_release(u, p);
	else if (p->state == FAILED && !p->gone && p->attempt < 3)
		retry(u, p);
	else if (p->state == COMPLETED && !p->gone && below(3) == 0)
		archive(u, p);
}

/* --- scenarios */

static void
invent(void)
{
	int64_t base = now_us;

	count = 4 + below(MOST - 4);
	memset(all, 0, sizeof(all));
	for (int i = 0; i < count; i++) {
		struct model_patch *p = &all[i];

		p->queue = below(QUEUES);
		p->digit = below(3);
		p->attempt = 1;
		p->good = below(5) > 0;
		p->arrives = below(8);
		p->again = below(6) == 0 ? 1 + below(2) : 0;
		p->expires_us =
		    below(5) == 0 ? base + below(16) * INT64_C(1000000) : 0;
		/* every fourth is of both queues */
		if (i > 0 && below(4) == 0 && all[i - 1].id[0] == 'p' &&
		    (i < 2 || strcmp(all[i - 2].id, all[i - 1].id) != 0)) {
			(void)strlcpy(p->id, all[i - 1].id, sizeof(p->id));
			p->queue = 1 - all[i - 1].queue;
		} else {
			(void)snprintf(p->id, sizeof(p->id), "p%d", i);
		}
		key_make(base + i, p->id, p->key);
		for (int d = 0; d < below(DEPS + 1); d++)
			(void)snprintf(p->dep[d], sizeof(p->dep[d]), "p%d%s",
			    below(3) > 0 && i > 0 ? below(i) : below(count + 1),
			    below(3) > 0 ? ""
			    : below(2)   ? "@MAIN"
					 : "@CYOPS");
	}
}

/* No hold any more, and whatever had a time has had it. */
static void
end_waiting(struct suite *u)
{
	now_us += INT64_C(60) * 1000000;
	for (int i = 0; i < count; i++) {
		if (all[i].state == WAITING && all[i].held)
			hold_or_release(u, &all[i]);
		all[i].again = 0;
	}
}

/* Nothing is left that the model would do. */
static void
is_over(void)
{
	for (int i = 0; i < count; i++) {
		if (all[i].state != WAITING)
			continue;
		if (may_run(&all[i]) || has_expired(&all[i]) ||
		    needs_failed(&all[i]) || is_in_circle(i))
			fail_msg("seed %u: %s@%s still waits", seed, all[i].id,
			    queue_name[all[i].queue]);
	}
}

static void
play(void)
{
	struct suite u;

	now_us = START_US;
	suite_open(&u);
	invent();
	for (int turn = 0; turn < 8; turn++) {
		for (int i = 0; i < count; i++)
			if (all[i].arrives == turn)
				arrive(&u, &all[i]);
		for (int looks = below(4); looks > 0; looks--)
			look(&u, below(QUEUES), below(2) == 0);
		happen(&u);
	}
	end_waiting(&u);
	for (int i = 0; i < count * 4; i++) {
		look(&u, 0, true);
		look(&u, 1, true);
	}
	is_over();
	suite_close(&u);
}

static void
does_what_the_model_allows_and_all_of_it(void **state)
{
	const char *given = getenv("ORDER_SEED");
	bool whole = getenv("PATCHFLOW_LONG") != NULL;
	/* Others every day; a failure says its seed, for ORDER_SEED. */
	unsigned from = given != NULL ? (unsigned)strtoul(given, NULL, 10)
				      : (unsigned)(time(NULL) / 86400) * 12;
	unsigned scenarios = given != NULL ? 1 : whole ? 600 : 12;

	(void)state;
	for (seed = from; seed < from + scenarios; seed++) {
		srandom(seed);
		play();
	}
}

/* Of one queue: each needs an earlier one. */
static void
invent_tree(void)
{
	count = MOST;
	memset(all, 0, sizeof(all));
	for (int i = 0; i < count; i++) {
		struct model_patch *p = &all[i];

		p->digit = below(3);
		p->attempt = 1;
		p->good = true;
		(void)snprintf(p->id, sizeof(p->id), "p%d", i);
		if (i > 0)
			(void)snprintf(p->dep[0], sizeof(p->dep[0]), "p%d",
			    below(i));
		key_make(now_us + i, p->id, p->key);
	}
}

/* Each end makes due who waits for it. The last ones come first, so that all
 * but one wait. */
static void
what_is_due_needs_no_look_at_the_rest(void **state)
{
	struct suite u;

	(void)state;
	for (seed = 1; seed <= 4; seed++) {
		srandom(seed);
		now_us = START_US;
		suite_open(&u);
		invent_tree();
		for (int i = count - 1; i >= 0; i--) {
			arrive(&u, &all[i]);
			look(&u, 0, false);
		}
		for (int i = 0; i < count * 2; i++)
			look(&u, 0, false);
		for (int i = 0; i < count; i++)
			assert_int_equal(all[i].state, COMPLETED);
		suite_close(&u);
	}
}

static void
make_circle(int size)
{
	memset(all, 0, sizeof(all));
	count = size;
	for (int i = 0; i < size; i++) {
		(void)snprintf(all[i].id, sizeof(all[i].id), "p%d", i);
		(void)snprintf(all[i].dep[0], sizeof(all[i].dep[0]), "p%d",
		    (i + 1) % size);
		all[i].attempt = 1;
		all[i].queue = i % QUEUES;
		key_make(START_US + i, all[i].id, all[i].key);
	}
}

static void
every_member_of_a_circle_prints_it(void **state)
{
	static const int sizes[] = {1, 2, 3, MOST};
	struct suite u;

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		suite_open(&u);
		make_circle(sizes[s]);
		for (int i = 0; i < count; i++)
			arrive(&u, &all[i]);
		for (int i = 0; i < 2 * count + 2; i++) {
			look(&u, 0, true);
			look(&u, 1, true);
		}
		for (int i = 0; i < count; i++)
			assert_int_equal(all[i].state, IN_CIRCLE);
		suite_close(&u);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(does_what_the_model_allows_and_all_of_it),
	    cmocka_unit_test(what_is_due_needs_no_look_at_the_rest),
	    cmocka_unit_test(every_member_of_a_circle_prints_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
