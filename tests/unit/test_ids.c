/* SPDX-License-Identifier: ISC */
/* The id index and the clock of keys. The sweeps hold the crash order; here
 * is what the answers mean. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/ids_part.h"
#include "tests/unit/scratch.h"

#define ID "fix login"

struct spool {
	struct scratch scratch;
	struct tree tree;
	struct queue_tree *queue;
};

static const char *const queues[] = {"MAIN"};

static int
open_spool(void **state)
{
	struct spool *s = calloc(1, sizeof(*s));
	char why[PATH_MAX];

	if (s == NULL || scratch_open(&s->scratch) == -1 ||
	    tree_open(&s->tree, s->scratch.path, queues, 1, why) == -1)
		return -1;
	s->queue = tree_queue(&s->tree, "MAIN");
	*state = s;
	return 0;
}

static int
close_spool(void **state)
{
	struct spool *s = *state;

	tree_close(&s->tree);
	scratch_close(&s->scratch);
	free(s);
	return 0;
}

static void
make_entry(struct ids_entry *e, int64_t time_us, int rev, char digit)
{
	*e = (struct ids_entry){.queue = "MAIN", .attempt = rev, .rev = rev};
	key_make(time_us, ID, e->key);
	memset(e->digest, digit, DIGEST_SIZE - 1);
}

static enum spool_answer
accept_it(struct spool *s, const struct ids_entry *e, enum ids_dst dst)
{
	json_t *doc = json_pack("{s:s}", "digest", e->digest);
	struct ids_accept a = {.tree = &s->tree,
	    .id = ID,
	    .entry = e,
	    .dst = dst,
	    .digit = 5,
	    .doc = doc};
	enum spool_answer answer = ids_accept(&a);

	json_decref(doc);
	return answer;
}

static void
lists_revisions_in_order(void **state)
{
	struct spool *s = *state;
	struct ids_entry e[3], *list;

	assert_int_equal(ids_lookup(&s->tree, "MAIN", ID, &list), 0);
	for (int i = 0; i < 3; i++) {
		make_entry(&e[i], 1764000000000000, i + 1, (char)('a' + i));
		assert_int_equal(
		    accept_it(s, &e[i], i == 1 ? IDS_OUTCOME : IDS_QUEUE),
		    SPOOL_DONE);
	}
	assert_int_equal(ids_lookup(&s->tree, "MAIN", ID, &list), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(list[i].rev, i + 1);
		assert_int_equal(list[i].attempt, i + 1);
		assert_string_equal(list[i].digest, e[i].digest);
		assert_string_equal(list[i].key, e[i].key);
		assert_false(list[i].pending);
	}
	free(list);
	assert_int_equal(ids_lookup(&s->tree, "CYOPS", ID, &list), 0);
	assert_int_equal(scratch_count(s->queue->dir[Q_PATCHES]), 2);
	assert_int_equal(scratch_count(s->queue->outcomes.dir[BOX_NEW]), 1);
	assert_int_equal(scratch_count(s->tree.ids_pending), 0);
	assert_int_equal(scratch_count(s->queue->dir[Q_TMP]), 0);
}

static void
accepts_the_same_entry_again_and_no_other(void **state)
{
	struct spool *s = *state;
	struct ids_entry e, other;

	make_entry(&e, 1764000000000000, 1, 'a');
	make_entry(&other, 1764000000000001, 1, 'b');
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_DONE);
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_DONE);
	assert_int_equal(accept_it(s, &other, IDS_QUEUE), SPOOL_EXISTS);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(scratch_count(s->queue->dir[Q_PATCHES]), 1);
}

static void
refuses_what_is_no_entry_of_that_id(void **state)
{
	struct spool *s = *state;
	struct ids_entry e;

	make_entry(&e, 1764000000000000, 1, 'a');
	key_make(1764000000000000, "another id", e.key);
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_REFUSED);
	make_entry(&e, 1764000000000000, 1, 'a');
	(void)strlcpy(e.queue, "OTHER", sizeof(e.queue));
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_REFUSED);
	assert_int_equal(errno, EINVAL);
}

/* An operator's retry of revision 1 has taken the name of revision 2. */
static void
takes_back_what_meets_a_foreign_file(void **state)
{
	struct spool *s = *state;
	struct ids_entry e, *list;
	struct queue_name n = {.digit = 5, .attempt = 2};
	char name[NAME_SIZE];
	json_t *doc = json_pack("{s:s}", "digest", "of revision 1");

	make_entry(&e, 1764000000000000, 1, 'a');
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_DONE);
	(void)strlcpy(n.key, e.key, sizeof(n.key));
	key_queue_file(&n, name);
	assert_int_equal(spool_put_json(s->queue->dir[Q_TMP],
			     s->queue->dir[Q_PATCHES], name, doc),
	    SPOOL_DONE);
	json_decref(doc);
	make_entry(&e, 1764000000000000, 2, 'b');
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_EXISTS);
	assert_int_equal(scratch_count(s->queue->dir[Q_TMP]), 0);
	assert_int_equal(ids_lookup(&s->tree, "MAIN", ID, &list), 1);
	free(list);
	e.attempt = 3;
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_DONE);
}

/* The same, but the retry came when a crash had left revision 2 half way. */
static void
recovery_gives_way_to_a_foreign_file(void **state)
{
	struct spool *s = *state;
	struct ids_entry e, *list;
	struct queue_name n = {.digit = 5, .attempt = 2};
	char name[NAME_SIZE], entry[IDS_NAME_SIZE], path[IDS_NAME_SIZE + 3];
	json_t *doc;

	make_entry(&e, 1764000000000000, 1, 'a');
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_DONE);
	make_entry(&e, 1764000000000000, 2, 'b');
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_DONE);
	/* Back to where step 2 left it. */
	(void)strlcpy(n.key, e.key, sizeof(n.key));
	key_queue_file(&n, name);
	assert_int_equal(renameat(s->queue->dir[Q_PATCHES], name,
			     s->queue->dir[Q_TMP], name),
	    0);
	ids_name("MAIN", ID, 2, entry);
	(void)snprintf(path, sizeof(path), "%.2s/%s", entry, entry);
	assert_int_equal(
	    renameat(s->tree.ids, path, s->tree.ids_pending, entry), 0);
	doc = json_pack("{s:s}", "digest", "of revision 1");
	assert_int_equal(spool_put_json(s->tree.inbox.dir[BOX_TMP],
			     s->queue->dir[Q_PATCHES], name, doc),
	    SPOOL_DONE);
	json_decref(doc);
	assert_int_equal(ids_recover(&s->tree), 1);
	assert_int_equal(scratch_count(s->tree.ids_pending), 0);
	assert_int_equal(scratch_count(s->queue->dir[Q_TMP]), 0);
	assert_int_equal(scratch_count(s->queue->dir[Q_PATCHES]), 2);
	assert_int_equal(ids_lookup(&s->tree, "MAIN", ID, &list), 1);
	free(list);
	e.attempt = 3;
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_DONE);
}

static void
sets_foreign_entries_aside(void **state)
{
	struct spool *s = *state;
	struct ids_entry *list;
	const char *h = "0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef";

	assert_int_equal(symlinkat("/etc/passwd", s->tree.ids_pending, h), 0);
	assert_int_equal(scratch_file(s->tree.ids_pending, "plain", "text"), 0);
	assert_int_equal(ids_recover(&s->tree), 0);
	assert_int_equal(scratch_count(s->tree.ids_pending), 0);
	assert_int_equal(scratch_count(s->tree.corrupt), 2);
	assert_int_equal(ids_lookup(&s->tree, "MAIN", ID, &list), 0);
}

static void
leaves_entries_of_queues_it_does_not_know(void **state)
{
	struct spool *s = *state;
	char target[512], digest[DIGEST_SIZE] = "", key[KEY_SIZE];

	memset(digest, 'a', DIGEST_SIZE - 1);
	key_make(1764000000000000, ID, key);
	(void)snprintf(target, sizeof(target), "GONE/%s.%s", key, digest);
	assert_int_equal(symlinkat(target, s->tree.ids_pending, digest), 0);
	assert_int_equal(ids_recover(&s->tree), 0);
	assert_int_equal(scratch_count(s->tree.ids_pending), 1);
}

static void
never_gives_a_time_twice(void **state)
{
	struct spool *s = *state;
	struct ids_clock c;
	int64_t last = 0, next;

	for (int life = 0; life < 3; life++) {
		assert_int_equal(ids_clock_open(&c, &s->tree), 0);
		for (int i = 0; i < 1000; i++) {
			next = ids_next_time(&c);
			assert_true(next > last);
			last = next;
		}
		ids_clock_close(&c);
	}
	assert_true(last < clock_wall_us() + 10 * 1000000);
}

static void
rebuilds_a_lost_clock_from_the_entries(void **state)
{
	struct spool *s = *state;
	struct ids_entry e;
	struct ids_clock c;
	const int64_t future_us =
	    4000000000000000; /* the wall clock was wrong */

	make_entry(&e, future_us, 1, 'a');
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_DONE);
	assert_int_equal(ids_clock_open(&c, &s->tree), 0);
	assert_int_equal(ids_next_time(&c), future_us + 1);
	assert_int_equal(scratch_file(c.state.dir, "clock.json", "rubbish"), 0);
	ids_clock_close(&c);
	assert_int_equal(ids_clock_open(&c, &s->tree), 0);
	assert_true(ids_next_time(&c) > future_us);
	ids_clock_close(&c);
	assert_int_equal(scratch_count(s->tree.corrupt), 1);
}

static int
stop_at_first(void *owner, const char *h, const struct ids_entry *e)
{
	int *count = owner;

	assert_int_equal(strspn(h, "0123456789abcdef"), 64);
	assert_non_null(e);
	(*count)++;
	return 42;
}

static void
walks_until_it_is_told_to_stop(void **state)
{
	struct spool *s = *state;
	struct ids_entry e;
	int count = 0;

	assert_int_equal(ids_walk(&s->tree, stop_at_first, &count), 0);
	make_entry(&e, 1764000000000000, 1, 'a');
	assert_int_equal(accept_it(s, &e, IDS_QUEUE), SPOOL_DONE);
	assert_int_equal(ids_walk(&s->tree, stop_at_first, &count), 42);
	assert_int_equal(count, 1);
}

int
main(void)
{
#define WITH_SPOOL(f)                                                          \
	cmocka_unit_test_setup_teardown(f, open_spool, close_spool)
	const struct CMUnitTest tests[] = {
	    WITH_SPOOL(lists_revisions_in_order),
	    WITH_SPOOL(accepts_the_same_entry_again_and_no_other),
	    WITH_SPOOL(refuses_what_is_no_entry_of_that_id),
	    WITH_SPOOL(takes_back_what_meets_a_foreign_file),
	    WITH_SPOOL(recovery_gives_way_to_a_foreign_file),
	    WITH_SPOOL(sets_foreign_entries_aside),
	    WITH_SPOOL(leaves_entries_of_queues_it_does_not_know),
	    WITH_SPOOL(never_gives_a_time_twice),
	    WITH_SPOOL(rebuilds_a_lost_clock_from_the_entries),
	    WITH_SPOOL(walks_until_it_is_told_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
