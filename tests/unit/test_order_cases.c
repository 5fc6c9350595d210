/* SPDX-License-Identifier: ISC */
/*
 * Order and waiting where the course is known: ageing, what expires while it
 * waits, dependencies that come too late or not at all, a clock that is set
 * back. The model of test_order.c is beside these, too.
 */
#include "executor/tries.h"
#include "tests/unit/order_suite.h"

#define SECOND INT64_C(1000000)

static struct suite u;

static int
begin(void **state)
{
	(void)state;
	memset(all, 0, sizeof(all));
	count = 0;
	now_us = START_US;
	suite_open(&u);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	suite_close(&u);
	return 0;
}

/* Of MAIN, known as i; it needs dep, "" nothing. It has not arrived. */
static struct model_patch *
invent(int i, const char *id, const char *dep)
{
	struct model_patch *p = &all[i];

	memset(p, 0, sizeof(*p));
	(void)strlcpy(p->id, id, sizeof(p->id));
	(void)strlcpy(p->dep[0], dep, sizeof(p->dep[0]));
	key_make(now_us + i, id, p->key);
	p->attempt = 1;
	p->good = true;
	p->digit = 5;
	if (i >= count)
		count = i + 1;
	return p;
}

/* All that can be done now. */
static void
settle(void)
{
	for (int i = 0; i < 4; i++)
		look(&u, 0, true);
}

/* Where its file is. */
static enum queue_dir
place(const struct model_patch *p, struct queue_name *n)
{
	return tree_find_key(u.ex[0].q, p->key, p->attempt, n);
}

static void
cancel(struct model_patch *p)
{
	ask(&u, p, REQUEST_CANCEL);
	p->state = FAILED;
	p->held = false; /* whoever runs it again is not kept by an old hold */
}

/* One comes in for each that is run: the low one is first when each span has
 * taken its digit, not before, and its name says so all the time. */
static void
a_stream_of_urgent_ones_starves_nobody(void **state)
{
	const int parts = 5, turns = 9 * parts;
	struct model_patch *low = invent(0, "low", ""), *urgent;
	struct queue_name n;

	(void)state;
	low->digit = 9;
	arrive(&u, low);
	for (int turn = 1; turn <= turns; turn++) {
		char id[16];

		now_us = START_US + AGEING_US / parts * turn;
		(void)snprintf(id, sizeof(id), "urgent%d", turn);
		urgent = invent(1, id, "");
		urgent->digit = 0;
		arrive(&u, urgent);
		look(&u, 0, false);
		assert_int_equal(urgent->state,
		    turn < turns ? COMPLETED : WAITING);
		assert_int_equal(low->state,
		    turn < turns ? WAITING : COMPLETED);
		(void)place(low, &n);
		assert_int_equal(n.digit, 9 - turn / parts);
	}
	look(&u, 0, false);
	assert_int_equal(all[1].state, COMPLETED);
}

static void
what_is_held_by_an_operator_expires_all_the_same(void **state)
{
	struct model_patch *p = invent(0, "p", "");

	(void)state;
	p->expires_us = START_US + 10 * SECOND;
	arrive(&u, p);
	hold_or_release(&u, p);
	now_us = p->expires_us - 1000;
	settle();
	assert_int_equal(p->state, WAITING);
	now_us = p->expires_us; /* at that time it is over */
	settle();
	assert_int_equal(p->state, FAILED);
}

static void
what_waits_to_be_run_again_expires_all_the_same(void **state)
{
	struct model_patch *p = invent(0, "p", "");

	(void)state;
	p->again = 2; /* a conflict first */
	p->expires_us = START_US + SECOND / 2;
	arrive(&u, p);
	look(&u, 0, true);
	assert_int_equal(p->again, 1);
	now_us = p->expires_us;
	settle();
	assert_int_equal(p->state, FAILED);
}

static void
a_dependency_may_come_later(void **state)
{
	struct model_patch *need = invent(0, "need", ""),
			   *late = invent(1, "late", "need");

	(void)state;
	arrive(&u, late);
	settle();
	assert_int_equal(late->state, WAITING);
	arrive(&u, need);
	settle();
	assert_int_equal(need->state, COMPLETED);
	assert_int_equal(late->state, COMPLETED);
}

static void
one_that_comes_behind_an_expiry_revives_nobody(void **state)
{
	struct model_patch *need = invent(0, "need", ""),
			   *late = invent(1, "late", "need");
	struct queue_name n;

	(void)state;
	late->expires_us = START_US + 5 * SECOND;
	arrive(&u, late);
	settle();
	now_us = late->expires_us + SECOND;
	settle();
	assert_int_equal(late->state, FAILED);
	arrive(&u, need);
	settle();
	assert_int_equal(need->state, COMPLETED);
	assert_int_equal(place(late, &n), Q_FAILED);
	/* An operator's retry has no more time than the patch. */
	ask(&u, late, REQUEST_RETRY);
	late->attempt = 2;
	late->state = WAITING;
	settle();
	assert_int_equal(late->state, FAILED);
}

static void
one_that_comes_behind_a_cancel_revives_nobody_but_by_retry(void **state)
{
	struct model_patch *need = invent(0, "need", ""),
			   *late = invent(1, "late", "need");
	struct queue_name n;

	(void)state;
	arrive(&u, late);
	settle();
	cancel(late);
	arrive(&u, need);
	settle();
	assert_int_equal(need->state, COMPLETED);
	assert_int_equal(place(late, &n), Q_FAILED);
	retry(&u, late);
	settle();
	assert_int_equal(late->state, COMPLETED);
}

static void
whoever_needs_what_is_cancelled_goes_with_it(void **state)
{
	struct model_patch *need = invent(0, "need", ""),
			   *late = invent(1, "late", "need");

	(void)state;
	arrive(&u, need);
	hold_or_release(&u, need);
	arrive(&u, late);
	settle();
	assert_int_equal(late->state, WAITING);
	cancel(need);
	settle();
	assert_int_equal(late->state, FAILED);
	retry(&u, need);
	settle();
	assert_int_equal(need->state, COMPLETED);
	assert_int_equal(late->state, FAILED);
	retry(&u, late);
	settle();
	assert_int_equal(late->state, COMPLETED);
}

/* Two hours: what was to wait a second would wait for two hours else. */
static void
a_clock_that_is_set_back_keeps_nobody(void **state)
{
	struct model_patch *p = invent(0, "p", "");

	(void)state;
	p->again = 2;
	arrive(&u, p);
	look(&u, 0, true);
	assert_int_equal(p->again, 1);
	p->again = 0;
	settle();
	assert_int_equal(p->state, WAITING);
	now_us -= 2 * 3600 * SECOND;
	p->not_before_us = 0;
	settle();
	assert_int_equal(p->state, COMPLETED);
}

static void
each_wait_is_twice_the_last_up_to_a_minute(void **state)
{
	static const int64_t want[] = {2, 4, 8, 16, 32, 60, 60, 60};

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(tries_delay_ms(i + 1), want[i] * 1000);
	assert_int_equal(tries_delay_ms(1000000), 60000);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_stream_of_urgent_ones_starves_nobody),
	    CASE(what_is_held_by_an_operator_expires_all_the_same),
	    CASE(what_waits_to_be_run_again_expires_all_the_same),
	    CASE(a_dependency_may_come_later),
	    CASE(one_that_comes_behind_an_expiry_revives_nobody),
	    CASE(one_that_comes_behind_a_cancel_revives_nobody_but_by_retry),
	    CASE(whoever_needs_what_is_cancelled_goes_with_it),
	    CASE(a_clock_that_is_set_back_keeps_nobody),
	    cmocka_unit_test(each_wait_is_twice_the_last_up_to_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
