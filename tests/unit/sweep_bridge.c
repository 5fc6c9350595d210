/* SPDX-License-Identifier: ISC */
/*
 * The bridge itself under faults: a transcript (a patch, another one under
 * its id, one for both queues, one that does not parse, a near-miss) and an
 * inbox (a dropped file, a symbolic link), with each call that changes durable
 * state failed and killed in turn. A clean life follows; then every document
 * is where it belongs, once, and everybody was told who should be.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "bridge/intake.h"
#include "bridge/source.h"
#include "bridge/tidy.h"
#include "tests/unit/fault.h"
#include "tests/unit/scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CALLS_MAX 2000
#define ROUNDS 8 /* of one life, each as if the backoff were over */
#define STEP 5   /* from an n by the day on; PATCHFLOW_LONG takes each */

#define FENCE "```\n"
#define PATCH(id, target, text)                                                \
	FENCE "{\"role\":\"command_patch\",\"id\":\"" id                       \
	      "\",\"target\":\"" target                                        \
	      "\",\"mutations\":[{\"path\":\"x\",\"contents\":\"" text         \
	      "\"}]}\n" FENCE

static const char chat[] = "Hello.\n" PATCH("one", "MAIN", "a")
    PATCH("one", "MAIN", "b") PATCH("two", "BOTH", "a") FENCE
    "{\"role\":\"command_patch\", \"id\" \"three\"}\n" FENCE FENCE
    "{\"id\":\"four\",\"mutations\":[{\"path\":\"x\"}]}\n" FENCE;
static const char dropped[] =
    "{\"id\":\"five\",\"mutations\":[{\"path\":\"x\",\"contents\":\"\"}]}\n";

static char main_name[] = "MAIN", cyops_name[] = "CYOPS", type[] = "transcript",
	    name[] = "chat", none[] = "";
static const char *const queue_names[] = {main_name, cyops_name, NULL};

struct world {
	struct scratch scratch;
	struct queue_settings queues[2];
	struct source_settings source;
	struct settings set;
	struct tree tree;
	char chat_path[PATH_MAX];
	char spool[PATH_MAX];
	bool open;
};

static void
start_over(struct world *w)
{
	char why[PATH_MAX];

	fault_clear();
	if (w->open) {
		tree_close(&w->tree);
		(void)nftw(w->spool, scratch_remove_one, 16,
		    FTW_DEPTH | FTW_PHYS);
	}
	assert_int_equal(tree_open(&w->tree, w->spool, queue_names, 2, why), 0);
	w->open = true;
	assert_int_equal(
	    scratch_file(w->tree.inbox.dir[BOX_NEW], "five.json", dropped), 0);
	assert_int_equal(
	    symlinkat("/dev/null", w->tree.inbox.dir[BOX_NEW], "link"), 0);
}

static int
open_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL || scratch_open_fast(&w->scratch) == -1)
		return -1;
	fault_fsync_lies(true);
	*state = w;
	if (scratch_file(w->scratch.dir, "chat.md", chat) == -1)
		return -1;
	(void)snprintf(w->chat_path, sizeof(w->chat_path), "%.4000s/chat.md",
	    w->scratch.path);
	(void)snprintf(w->spool, sizeof(w->spool), "%.4000s/spool",
	    w->scratch.path);
	w->queues[0].name = main_name;
	w->queues[1].name = cyops_name;
	w->queues[1].is_default = true;
	w->source = (struct source_settings){.type = type,
	    .name = name,
	    .path = w->chat_path,
	    .conversation = none,
	    .queue = none};
	w->set.queue_count = 2;
	w->set.queues = w->queues;
	w->set.logs.size = 1 << 20;
	w->set.logs.count = 2;
	w->set.bridge = (struct bridge_settings){.poll = 100,
	    .stale_block = 1000000,
	    .document_max = 1 << 20,
	    .source_count = 1,
	    .sources = &w->source};
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	fault_clear();
	fault_fsync_lies(false);
	tree_close(&w->tree);
	scratch_close(&w->scratch);
	free(w);
	return 0;
}

/* Reads until nothing is left to do; what failed is tried again at once. */
static bool
read_all(struct desk *k, struct source *s, struct intake *in)
{
	enum scan a = SCAN_RETRY, b = SCAN_RETRY;

	for (int i = 0; i < ROUNDS; i++) {
		s->retry.at_ms = in->retry.at_ms = 0;
		a = source_scan(s, k, true);
		b = intake_scan(in);
		if (a == SCAN_IDLE && b == SCAN_IDLE &&
		    in->waiting_count == 0 && !s->dirty)
			return true;
	}
	return false;
}

/* One life of the bridge: 0 when it came to the end of its work. */
static int
live(void *arg)
{
	struct world *w = arg;
	struct desk k;
	struct source s;
	struct intake in;
	bool done;

	if (freopen("/dev/null", "w", stderr) == NULL ||
	    desk_open(&k, &w->set, &w->tree) == -1)
		return 1;
	if (ids_recover(&w->tree) == -1)
		return 1;
	tidy_staged(&k);
	source_open(&s, &w->source, &k);
	intake_open(&in, &k, true);
	done = read_all(&k, &s, &in);
	intake_close(&in);
	desk_close(&k);
	return done ? 0 : 1;
}

static int
count_names(int dir, const char *part)
{
	struct spool_names names;
	int count = 0;

	if (spool_list(dir, 0, &names) == -1)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		count += strstr(names.names[i], part) != NULL;
	spool_names_free(&names);
	return count;
}

static int
count_alerts(struct world *w, const char *alert_type)
{
	struct spool_names names;
	int dir = w->tree.alerts.dir[BOX_NEW];
	int count = 0;
	json_t *doc;

	if (spool_list(dir, 0, &names) == -1)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		if (spool_read_json(dir, names.names[i], &doc) != 1)
			return -1;
		count += strcmp(json_string_value(json_object_get(doc, "type")),
			     alert_type) == 0;
		json_decref(doc);
	}
	spool_names_free(&names);
	return count;
}

static bool
queues_hold(const struct world *w)
{
	const struct queue_tree *m = &w->tree.queues[0];
	const struct queue_tree *c = &w->tree.queues[1];

	return count_names(m->dir[Q_PATCHES], "") == 2 &&
	       count_names(m->dir[Q_PATCHES], "-one-") == 1 &&
	       count_names(m->dir[Q_PATCHES], "-two-") == 1 &&
	       count_names(c->dir[Q_PATCHES], "") == 2 &&
	       count_names(c->dir[Q_PATCHES], "-two-") == 1 &&
	       count_names(c->dir[Q_PATCHES], "-five-") == 1 &&
	       count_names(m->outcomes.dir[BOX_NEW], "") == 1 &&
	       count_names(m->outcomes.dir[BOX_NEW], "-one_") == 1 &&
	       count_names(c->outcomes.dir[BOX_NEW], "") == 1 &&
	       count_names(c->outcomes.dir[BOX_NEW], "-bad-") == 1 &&
	       count_names(m->dir[Q_TMP], "") == 0 &&
	       count_names(c->dir[Q_TMP], "") == 0;
}

static bool
boxes_hold(const struct world *w)
{
	const struct tree *t = &w->tree;

	return count_names(t->bad, ".txt") == 2 &&
	       count_names(t->bad, ".json") == 2 &&
	       count_names(t->corrupt, "link") == 1 &&
	       count_names(t->ids_pending, "") == 0 &&
	       count_names(t->inbox.dir[BOX_NEW], "") == 0 &&
	       count_names(t->inbox.dir[BOX_CUR], "") == 0 &&
	       count_names(t->inbox.dir[BOX_DONE], "") == 1;
}

static bool
all_holds(struct world *w)
{
	return queues_hold(w) && boxes_hold(w) &&
	       count_alerts(w, "patch-rejected") >= 2 &&
	       count_alerts(w, "near-miss") >= 1 &&
	       count_alerts(w, "spool-corrupt") >= 1;
}

/* A clean life behind a faulty one: 1 for a violation. */
static int
violated(struct world *w)
{
	fault_clear();
	return fault_child(live, w) != 0 || !all_holds(w);
}

static long
step(void)
{
	return getenv("PATCHFLOW_LONG") != NULL ? 1 : STEP;
}

/* As in tests/harness/lib.sh. */
static long
seed(void)
{
	const char *asked = getenv("PATCHFLOW_SEED");

	return asked != NULL ? strtol(asked, NULL, 10)
			     : (long)time(NULL) / 86400;
}

/* In this process, since only it can count; its log goes nowhere. */
static long
count_calls(struct world *w)
{
	int log = dup(STDERR_FILENO);

	assert_int_equal(live(w), 0);
	assert_int_not_equal(dup2(log, STDERR_FILENO), -1);
	(void)close(log);
	return fault_count();
}

static int
sweep(struct world *w, enum fault_mode mode, int err)
{
	long calls, n = 1 + labs(seed()) % step();
	int bad = 0;

	start_over(w);
	fault_set(FAULT_NONE, 0, 0);
	calls = count_calls(w);
	assert_true(calls > 50 && calls < CALLS_MAX);
	assert_true(all_holds(w));
	for (; n <= calls; n += step()) {
		int wrong;

		start_over(w);
		fault_set(mode, n, err);
		(void)fault_child(live, w);
		wrong = violated(w);
		if (wrong)
			print_message("call %ld, mode %d, errno %d\n", n, mode,
			    err);
		bad += wrong;
	}
	return bad;
}

static void
loses_and_doubles_nothing_when_a_call_fails(void **state)
{
	static const int errs[] = {ENOSPC, EIO, EMFILE, EPERM};

	for (size_t i = 0; i < LENGTH(errs); i++)
		assert_int_equal(sweep(*state, FAULT_FAIL, errs[i]), 0);
}

static void
loses_and_doubles_nothing_on_a_disk_that_fills(void **state)
{
	assert_int_equal(sweep(*state, FAULT_FAIL_ON, ENOSPC), 0);
}

static void
loses_and_doubles_nothing_when_killed(void **state)
{
	assert_int_equal(sweep(*state, FAULT_KILL_BEFORE, 0), 0);
	assert_int_equal(sweep(*state, FAULT_KILL_AFTER, 0), 0);
}

/* What a cursor that moves before the put would leave, and what a lost alert
 * or text would: the check must see each. */
static void
turns_red_when_something_is_missing(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 3; i++) {
		struct spool_names names;
		int dirs[3];

		start_over(w);
		dirs[0] = w->tree.queues[0].dir[Q_PATCHES];
		dirs[1] = w->tree.queues[0].outcomes.dir[BOX_NEW];
		dirs[2] = w->tree.bad;
		assert_int_equal(fault_child(live, w), 0);
		assert_true(all_holds(w));
		assert_int_equal(spool_list(dirs[i], 0, &names), 0);
		assert_int_equal(unlinkat(dirs[i], names.names[0], 0), 0);
		spool_names_free(&names);
		assert_false(all_holds(w));
	}
}

int
main(void)
{
#define WITH_WORLD(f)                                                          \
	cmocka_unit_test_setup_teardown(f, open_world, close_world)
	const struct CMUnitTest tests[] = {
	    WITH_WORLD(loses_and_doubles_nothing_when_a_call_fails),
	    WITH_WORLD(loses_and_doubles_nothing_on_a_disk_that_fills),
	    WITH_WORLD(loses_and_doubles_nothing_when_killed),
	    WITH_WORLD(turns_red_when_something_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
