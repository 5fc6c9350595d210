/* SPDX-License-Identifier: ISC */
/*
 * Acceptance under faults: a source of three documents, a cursor, ids_accept,
 * and an executor that may have taken what was published. Every system call
 * is failed and killed, at every n; then recovery is killed at every n; then
 * a clean run. In the end each document was queued exactly once, each has its
 * entry, nothing is pending, and no cursor ever ran ahead.
 */
#include <sys/stat.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/ids.h"
#include "common/state.h"
#include "common/sys.h"
#include "tests/unit/fault.h"
#include "tests/unit/scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CURSOR_FORMAT "test-cursor-1"
#define CALLS_MAX 400
#define QUEUE "MAIN"
#define NESTED_STEP 3 /* of the outer n; PATCHFLOW_LONG takes each */

/* The source: a second revision of "one" after it, and a refusal. */
static const struct {
	const char *id, *text;
	int attempt, rev;
	enum ids_dst dst;
} source[] = {
    {"one", "first", 1, 1, IDS_QUEUE},
    {"two words", "other", 1, 1, IDS_OUTCOME},
    {"one", "corrected", 2, 2, IDS_QUEUE},
};
#define DOCUMENTS ((int)LENGTH(source))

enum how { RIGHT, CURSOR_FIRST, ENTRY_FIRST, ENTRY_LAST };

struct world {
	struct scratch scratch;
	struct tree tree;
	struct queue_tree *queue;
	struct state cursor;
	enum how how;
	bool executor; /* takes everything between crash and recovery */
};

static int
load_cursor(struct world *w)
{
	json_t *doc;
	int at = 0;
	int found = state_load(&w->cursor, "cursor.json", CURSOR_FORMAT, &doc);

	if (found == 1)
		at = (int)json_integer_value(json_object_get(doc, "at"));
	json_decref(doc);
	return found == -1 ? -1 : at;
}

static int
save_cursor(struct world *w, int at)
{
	json_t *doc = json_pack("{s:s,s:i}", "format", CURSOR_FORMAT, "at", at);
	enum spool_answer answer = state_save(&w->cursor, "cursor.json", doc);

	json_decref(doc);
	return answer == SPOOL_DONE ? 0 : -1;
}

static void
digest_of(int i, char out[DIGEST_SIZE])
{
	digest_bytes(source[i].text, strlen(source[i].text), out);
}

/* What two wrong bridges do: the entry in its place at once. */
static enum spool_answer
make_entry(struct world *w, const struct ids_accept *a)
{
	struct buf b = {0};
	char h[DIGEST_SIZE], path[DIGEST_SIZE + 16], target[512];
	int made;

	buf_add(&b, QUEUE, sizeof(QUEUE));
	buf_puts(&b, a->id);
	digest_bytes(b.bytes, b.len, h);
	buf_free(&b);
	(void)snprintf(path, sizeof(path), "%.2s", h);
	if (spool_make(w->tree.ids, path, 02750) == -1)
		return SPOOL_REFUSED;
	(void)snprintf(path, sizeof(path), "%.2s/%s%s", h, h,
	    a->entry->rev == 1 ? "" : ",2");
	(void)snprintf(target, sizeof(target), QUEUE "/%s.%s%s", a->entry->key,
	    a->entry->digest, a->entry->rev == 1 ? "" : ",2");
	made = sys_symlinkat(target, w->tree.ids, path);
	return made == 0 || errno == EEXIST ? SPOOL_DONE : SPOOL_REFUSED;
}

static enum spool_answer
accept_without_pending(struct world *w, const struct ids_accept *a)
{
	struct queue_name n = {.digit = a->digit, .attempt = a->entry->attempt};
	char name[NAME_SIZE];
	int tmp = w->queue->dir[Q_TMP], dst = w->queue->dir[Q_PATCHES];
	enum spool_answer answer = SPOOL_DONE;

	(void)strlcpy(n.key, a->entry->key, sizeof(n.key));
	key_queue_file(&n, name);
	if (a->dst == IDS_OUTCOME) {
		key_outcome_file(n.key, n.attempt, name);
		tmp = w->queue->outcomes.dir[BOX_TMP];
		dst = w->queue->outcomes.dir[BOX_NEW];
	}
	if (w->how == ENTRY_FIRST)
		answer = make_entry(w, a);
	if (answer == SPOOL_DONE)
		answer = spool_put_json(tmp, dst, name, a->doc);
	if (answer == SPOOL_DONE && w->how == ENTRY_LAST)
		answer = make_entry(w, a);
	return answer;
}

static enum spool_answer
accept_one(struct world *w, const struct ids_accept *a)
{
	enum spool_answer answer;

	if (w->how == ENTRY_FIRST || w->how == ENTRY_LAST)
		return accept_without_pending(w, a);
	answer = ids_accept(a);
	/* Unknown is tried again under the same entry, at once or later. */
	return answer == SPOOL_UNKNOWN ? ids_accept(a) : answer;
}

static enum spool_answer
take_document(struct world *w, int i, int64_t time_us, const char *key)
{
	struct ids_entry e = {.queue = QUEUE,
	    .attempt = source[i].attempt,
	    .rev = source[i].rev};
	json_t *doc;
	struct ids_accept a = {.tree = &w->tree,
	    .id = source[i].id,
	    .entry = &e,
	    .dst = source[i].dst,
	    .digit = 5};
	enum spool_answer answer;

	digest_of(i, e.digest);
	if (key == NULL)
		key_make(time_us, source[i].id, e.key);
	else
		(void)strlcpy(e.key, key, sizeof(e.key));
	doc = json_pack("{s:s}", "digest", e.digest);
	a.doc = doc;
	answer = accept_one(w, &a);
	json_decref(doc);
	return answer;
}

/* Document i, unless it is a duplicate: 0 when the cursor may move. */
static int
judge(struct world *w, int i, struct ids_clock *clock)
{
	struct ids_entry *list;
	char digest[DIGEST_SIZE], key[KEY_SIZE] = "";
	int count = ids_lookup(&w->tree, QUEUE, source[i].id, &list);
	int64_t time_us;
	bool known = false;

	if (count == -1)
		return -1;
	digest_of(i, digest);
	for (int n = 0; n < count; n++) {
		known |= strcmp(list[n].digest, digest) == 0;
		(void)strlcpy(key, list[n].key, sizeof(key));
	}
	/* Nothing is pending here: recovery went before. */
	free(list);
	if (known)
		return 0;
	time_us = ids_next_time(clock);
	if (time_us == -1)
		return -1;
	return take_document(w, i, time_us, count == 0 ? NULL : key) ==
		       SPOOL_DONE
		   ? 0
		   : -1;
}

/* One life of the bridge: recover, then read the source from the cursor. */
static int
bridge(void *arg)
{
	struct world *w = arg;
	struct ids_clock clock;
	int at, r = 0;

	if (ids_recover(&w->tree) == -1 ||
	    ids_clock_open(&clock, &w->tree) == -1)
		return 1;
	at = load_cursor(w);
	for (; r == 0 && at >= 0 && at < DOCUMENTS; at++) {
		if (w->how == CURSOR_FIRST && save_cursor(w, at + 1) == -1)
			r = 1;
		else if (judge(w, at, &clock) == -1 ||
			 save_cursor(w, at + 1) == -1)
			r = 1;
	}
	ids_clock_close(&clock);
	return at == -1 ? 1 : r;
}

static void
take_all(int src, int dst)
{
	struct spool_names n;

	assert_int_equal(spool_list(src, 0, &n), 0);
	for (size_t i = 0; i < n.count; i++)
		assert_int_equal(spool_move(src, n.names[i], dst, NULL),
		    SPOOL_DONE);
	spool_names_free(&n);
}

/* Everything that can be seen is taken at once, as by fast daemons. */
static void
run_executor(struct world *w)
{
	if (!w->executor)
		return;
	take_all(w->queue->dir[Q_PATCHES], w->queue->dir[Q_COMPLETED]);
	take_all(w->queue->outcomes.dir[BOX_NEW],
	    w->queue->outcomes.dir[BOX_DONE]);
}

static void
count_digests(int dir, int count[DOCUMENTS])
{
	struct spool_names n;
	char digest[DIGEST_SIZE];

	assert_int_equal(spool_list(dir, 0, &n), 0);
	for (size_t i = 0; i < n.count; i++) {
		json_t *doc;
		const char *s;

		assert_int_equal(spool_read_json(dir, n.names[i], &doc), 1);
		s = json_string_value(json_object_get(doc, "digest"));
		for (int d = 0; d < DOCUMENTS; d++) {
			digest_of(d, digest);
			count[d] += strcmp(s, digest) == 0;
		}
		json_decref(doc);
	}
	spool_names_free(&n);
}

static void
count_all(struct world *w, int count[DOCUMENTS])
{
	for (int d = 0; d < DOCUMENTS; d++)
		count[d] = 0;
	count_digests(w->queue->dir[Q_PATCHES], count);
	count_digests(w->queue->dir[Q_COMPLETED], count);
	count_digests(w->queue->outcomes.dir[BOX_NEW], count);
	count_digests(w->queue->outcomes.dir[BOX_DONE], count);
}

/* At any time: nothing twice, and what is behind the cursor is there. */
static bool
holds(struct world *w)
{
	int count[DOCUMENTS], at = load_cursor(w);

	count_all(w, count);
	for (int d = 0; d < DOCUMENTS; d++)
		if (count[d] > 1 || (d < at && count[d] == 0))
			return false;
	return at >= 0;
}

static int
count_entry(void *owner, const char *h, const struct ids_entry *e)
{
	int *count = owner;

	(void)h;
	count[0]++;
	if (e == NULL || e->pending)
		count[1]++;
	return 0;
}

/* At the end: everything once, everything entered. */
static bool
complete(struct world *w)
{
	int count[DOCUMENTS], entries[2] = {0, 0};

	count_all(w, count);
	for (int d = 0; d < DOCUMENTS; d++)
		if (count[d] != 1)
			return false;
	assert_int_equal(ids_walk(&w->tree, count_entry, entries), 0);
	return entries[0] == DOCUMENTS && entries[1] == 0 &&
	       load_cursor(w) == DOCUMENTS;
}

static void
empty_dir(int dir)
{
	struct spool_names n;

	assert_int_equal(spool_list(dir, 0, &n), 0);
	for (size_t i = 0; i < n.count; i++)
		(void)unlinkat(dir, n.names[i], 0);
	spool_names_free(&n);
}

static void
empty_ids(int ids)
{
	struct spool_names n;

	assert_int_equal(spool_list(ids, 0, &n), 0);
	for (size_t i = 0; i < n.count; i++) {
		int dir = spool_dir(ids, n.names[i]);

		empty_dir(dir);
		(void)close(dir);
	}
	spool_names_free(&n);
}

static void
start_over(struct world *w)
{
	int bridge_tmp,
	    bridge_state = tree_state(&w->tree, "ghost-bridge", &bridge_tmp);

	fault_clear();
	empty_ids(w->tree.ids);
	empty_dir(w->cursor.dir);
	empty_dir(w->cursor.tmp);
	empty_dir(bridge_state);
	(void)close(bridge_state);
	(void)close(bridge_tmp);
	for (int d = 0; d < Q__MAX; d++)
		empty_dir(w->queue->dir[d]);
	for (int d = 0; d < BOX__MAX; d++)
		empty_dir(w->queue->outcomes.dir[d]);
}

static int
open_world(void **state)
{
	static const char *const queues[] = {QUEUE};
	struct world *w = calloc(1, sizeof(*w));
	char why[PATH_MAX];

	if (w == NULL || scratch_open_fast(&w->scratch) == -1)
		return -1;
	fault_fsync_lies(true);
	if (tree_open(&w->tree, w->scratch.path, queues, 1, why) == -1)
		return -1;
	w->queue = tree_queue(&w->tree, QUEUE);
	*state = w;
	return state_open(&w->cursor, &w->tree, "test");
}

static int
close_world(void **state)
{
	struct world *w = *state;

	fault_clear();
	fault_fsync_lies(false);
	state_close(&w->cursor);
	tree_close(&w->tree);
	scratch_close(&w->scratch);
	free(w);
	return 0;
}

/* A run with the fault as set, then a clean one: 1 for a violation. */
static int
check_recovery(struct world *w)
{
	int bad;

	fault_clear();
	run_executor(w);
	bad = !holds(w);
	if (bridge(w) != 0 || !complete(w))
		bad = 1;
	return bad;
}

static int
sweep_fail(struct world *w, enum fault_mode mode, int err)
{
	int bad = 0;
	bool hit = true;

	for (long n = 1; hit; n++) {
		assert_true(n < CALLS_MAX);
		start_over(w);
		fault_set(mode, n, err);
		(void)bridge(w);
		hit = fault_hit();
		bad += check_recovery(w);
	}
	return bad;
}

static int
sweep_kill(struct world *w, enum fault_mode mode)
{
	int bad = 0, status = FAULT_KILLED;

	for (long n = 1; status == FAULT_KILLED; n++) {
		assert_true(n < CALLS_MAX);
		start_over(w);
		fault_set(mode, n, 0);
		status = fault_child(bridge, w);
		assert_true(status == 0 || status == FAULT_KILLED);
		bad += check_recovery(w);
	}
	return bad;
}

/* Killed at outer, then the next life killed at each of its calls. */
static int
sweep_nested(struct world *w, long outer, bool *clean)
{
	int bad = 0, status = FAULT_KILLED;

	for (long n = 1; status == FAULT_KILLED; n++) {
		assert_true(n < CALLS_MAX);
		start_over(w);
		fault_set(FAULT_KILL_AFTER, outer, 0);
		status = fault_child(bridge, w);
		assert_true(status == 0 || status == FAULT_KILLED);
		if (status == 0) {
			*clean = true;
			return bad;
		}
		run_executor(w);
		fault_set(FAULT_KILL_AFTER, n, 0);
		status = fault_child(bridge, w);
		assert_true(status == 0 || status == FAULT_KILLED);
		bad += check_recovery(w);
	}
	return bad;
}

static int
sweep_all(struct world *w)
{
	static const int errs[] = {ENOSPC, EIO, EMFILE, EINTR};
	int bad = 0;

	for (size_t i = 0; i < LENGTH(errs); i++)
		bad += sweep_fail(w, FAULT_FAIL, errs[i]);
	bad += sweep_fail(w, FAULT_FAIL_ON, ENOSPC);
	bad += sweep_kill(w, FAULT_KILL_BEFORE);
	bad += sweep_kill(w, FAULT_KILL_AFTER);
	return bad;
}

static void
queues_each_document_exactly_once(void **state)
{
	struct world *w = *state;

	assert_int_equal(sweep_all(w), 0);
}

static void
queues_once_what_an_executor_took(void **state)
{
	struct world *w = *state;

	w->executor = true;
	assert_int_equal(sweep_all(w), 0);
}

static void
survives_a_kill_during_recovery(void **state)
{
	struct world *w = *state;
	long step = getenv("PATCHFLOW_LONG") != NULL ? 1 : NESTED_STEP;
	bool clean = false;

	for (long outer = 1; !clean; outer += step) {
		w->executor = outer % 2 == 0;
		assert_int_equal(sweep_nested(w, outer, &clean), 0);
	}
}

static void
turns_red_when_the_cursor_moves_first(void **state)
{
	struct world *w = *state;

	w->how = CURSOR_FIRST;
	assert_int_not_equal(sweep_kill(w, FAULT_KILL_AFTER), 0);
	assert_int_not_equal(sweep_fail(w, FAULT_FAIL, ENOSPC), 0);
}

static void
turns_red_without_pending(void **state)
{
	struct world *w = *state;

	w->how = ENTRY_FIRST; /* a document is lost */
	assert_int_not_equal(sweep_kill(w, FAULT_KILL_AFTER), 0);
	w->how = ENTRY_LAST; /* a document is doubled */
	assert_int_not_equal(sweep_kill(w, FAULT_KILL_AFTER), 0);
}

int
main(void)
{
#define WITH_WORLD(f)                                                          \
	cmocka_unit_test_setup_teardown(f, open_world, close_world)
	const struct CMUnitTest tests[] = {
	    WITH_WORLD(queues_each_document_exactly_once),
	    WITH_WORLD(queues_once_what_an_executor_took),
	    WITH_WORLD(survives_a_kill_during_recovery),
	    WITH_WORLD(turns_red_when_the_cursor_moves_first),
	    WITH_WORLD(turns_red_without_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
