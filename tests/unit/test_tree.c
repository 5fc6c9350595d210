/* SPDX-License-Identifier: ISC */
/* The spool's directories: made, refused, searched, renewed under load. */
#include <sys/wait.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/alert.h"
#include "common/request.h"
#include "common/state.h"
#include "tests/unit/scratch.h"

#define KEY "1764000000000000-x-01234567"
#define PUTS 400
#define WRITERS 2

struct spool {
	struct scratch scratch;
	struct tree tree;
	struct queue_tree *queue;
};

static const char *const queues[] = {"MAIN", "CYOPS"};

static int
open_spool(void **state)
{
	struct spool *s = calloc(1, sizeof(*s));
	char why[PATH_MAX];

	if (s == NULL || scratch_open(&s->scratch) == -1 ||
	    tree_open(&s->tree, s->scratch.path, queues, 2, why) == -1)
		return -1;
	s->queue = tree_queue(&s->tree, "MAIN");
	*state = s;
	return s->queue == NULL ? -1 : 0;
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

static mode_t
mode_of(const struct spool *s, const char *path)
{
	struct stat st;

	assert_int_equal(
	    fstatat(s->scratch.dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void
gives_each_directory_its_mode(void **state)
{
	struct spool *s = *state;
	struct tree again;
	char why[PATH_MAX];

	assert_int_equal(mode_of(s, "inbox/new"), 03770);
	assert_int_equal(mode_of(s, "alerts/tmp"), 03770);
	assert_int_equal(mode_of(s, "MAIN/requests/ask/new"), 03770);
	assert_int_equal(mode_of(s, "MAIN/requests/ask/cur"), 02750);
	assert_int_equal(mode_of(s, "MAIN/requests/new"), 02750);
	assert_int_equal(mode_of(s, "inbox/cur"), 02750);
	assert_int_equal(mode_of(s, "MAIN/patches/.running"), 02750);
	assert_int_equal(fchmodat(s->scratch.dir, "bad", 0777, 0), 0);
	assert_int_equal(
	    unlinkat(s->scratch.dir, "CYOPS/outcomes/done", AT_REMOVEDIR), 0);
	assert_int_equal(tree_open(&again, s->scratch.path, queues, 2, why), 0);
	tree_close(&again);
	assert_int_equal(mode_of(s, "bad"), 02750);
	assert_int_equal(mode_of(s, "CYOPS/outcomes/done"), 02750);
	assert_null(tree_queue(&s->tree, "OTHER"));
}

static void
refuses_a_planted_directory(void **state)
{
	struct spool *s = *state;
	struct tree t;
	char why[PATH_MAX];

	assert_int_equal(
	    unlinkat(s->scratch.dir, "MAIN/outcomes/new", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/tmp", s->scratch.dir, "MAIN/outcomes/new"),
	    0);
	assert_int_equal(tree_open(&t, s->scratch.path, queues, 2, why), -1);
	assert_non_null(strstr(why, "MAIN/outcomes/new"));
	assert_int_equal(t.root, -1);
	assert_int_equal(unlinkat(s->scratch.dir, "MAIN/outcomes/new", 0), 0);
	if (geteuid() != 0)
		skip(); /* only root can give a directory away */
	assert_int_equal(mkdirat(s->scratch.dir, "MAIN/outcomes/new", 0777), 0);
	assert_int_equal(
	    fchownat(s->scratch.dir, "MAIN/outcomes/new", 12345, 12345, 0), 0);
	assert_int_equal(tree_open(&t, s->scratch.path, queues, 2, why), -1);
	assert_int_equal(errno, EPERM);
}

static void
refuses_queues_with_names_of_its_own(void **state)
{
	static const char *const bad[] = {"inbox"};
	struct spool *s = *state;
	struct tree t;
	char why[PATH_MAX];

	assert_int_equal(tree_open(&t, s->scratch.path, bad, 1, why), -1);
	assert_int_equal(errno, EINVAL);
}

static void
put_name(struct spool *s, enum queue_dir d, int digit, int attempt)
{
	struct queue_name n = {.digit = digit, .key = KEY, .attempt = attempt};
	char name[NAME_SIZE];

	key_queue_file(&n, name);
	assert_int_equal(scratch_file(s->queue->dir[d], name, ""), 0);
}

static void
finds_a_key_with_its_highest_attempt(void **state)
{
	struct spool *s = *state;
	struct queue_name n;

	assert_int_equal(tree_find_key(s->queue, KEY, 1, &n), Q__MAX);
	assert_int_equal(errno, 0);
	put_name(s, Q_FAILED, 5, 1);
	put_name(s, Q_COMPLETED, 3, 2);
	assert_int_equal(tree_find_key(s->queue, KEY, 1, &n), Q_COMPLETED);
	assert_int_equal(n.attempt, 2);
	assert_int_equal(n.digit, 3);
	put_name(s, Q_ARCHIVE, 9, 40); /* beyond what is looked for by name */
	assert_int_equal(tree_find_key(s->queue, KEY, 35, &n), Q_ARCHIVE);
	assert_int_equal(tree_find_key(s->queue, KEY, 100, &n), Q_ARCHIVE);
	assert_int_equal(n.attempt, 40);
	assert_int_equal(
	    tree_find_key(s->queue, "1764000000000001-x-01234567", 1, &n),
	    Q__MAX);
}

static void
finds_outcomes_in_any_box(void **state)
{
	struct spool *s = *state;

	assert_int_equal(tree_find_outcome(s->queue, KEY, 1), BOX__MAX);
	assert_int_equal(
	    scratch_file(s->queue->outcomes.dir[BOX_DONE], KEY ",1.json", ""),
	    0);
	assert_int_equal(tree_find_outcome(s->queue, KEY, 1), BOX_DONE);
	assert_int_equal(tree_find_outcome(s->queue, KEY, 2), BOX__MAX);
}

static void
keeps_state_and_sets_broken_state_aside(void **state)
{
	struct spool *s = *state;
	struct state mine;
	json_t *doc = json_pack("{s:s,s:i}", "format", "f-1", "at", 7), *back;
	struct spool_names n;

	assert_int_equal(state_open(&mine, &s->tree, "executor@MAIN"), 0);
	assert_int_equal(state_load(&mine, "a.json", "f-1", &back), 0);
	assert_int_equal(state_save(&mine, "a.json", doc), SPOOL_DONE);
	assert_int_equal(state_load(&mine, "a.json", "f-1", &back), 1);
	assert_true(json_equal(doc, back));
	json_decref(back);
	assert_int_equal(state_load(&mine, "a.json", "f-2", &back), -1);
	assert_int_equal(errno, EBADMSG);
	assert_null(back);
	assert_int_equal(state_load(&mine, "a.json", "f-1", &back), 0);
	assert_int_equal(scratch_file(mine.dir, "b.json", "{\"format\":"), 0);
	assert_int_equal(state_load(&mine, "b.json", "f-1", &back), -1);
	assert_int_equal(spool_list(s->tree.corrupt, 0, &n), 0);
	assert_int_equal(n.count, 2);
	assert_int_equal(strncmp(n.names[0], "state.a.json.", 13), 0);
	spool_names_free(&n);
	assert_int_equal(state_save(&mine, "a.json", doc), SPOOL_DONE);
	assert_int_equal(state_remove(&mine, "a.json"), SPOOL_DONE);
	assert_int_equal(state_load(&mine, "a.json", "f-1", &back), 0);
	state_close(&mine);
	json_decref(doc);
}

static ino_t
inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void
renews_an_empty_directory_with_all_below_it(void **state)
{
	struct spool *s = *state;
	int patches = s->queue->dir[Q_PATCHES];
	ino_t before = inode_of(patches);
	ino_t running = inode_of(s->queue->dir[Q_RUNNING]);
	struct queue_name n;
	struct stat st;

	assert_int_equal(tree_renew(&s->tree, patches, TREE_GIANT), 0);
	put_name(s, Q_PATCHES, 5, 1);
	assert_int_equal(tree_renew(&s->tree, patches, 0), 0);
	put_name(s, Q_HELD, 5, 2);
	assert_int_equal(unlinkat(patches, "5-" KEY ",1.json", 0), 0);
	assert_int_equal(tree_renew(&s->tree, patches, 0), 1);
	assert_int_not_equal(inode_of(patches), before);
	assert_int_equal(
	    fstatat(s->scratch.dir, "MAIN/patches/.running", &st, 0), 0);
	assert_int_equal(st.st_ino, running);
	assert_int_equal(mode_of(s, "MAIN/patches"), 02750);
	assert_int_equal(tree_find_key(s->queue, KEY, 1, &n), Q_HELD);
	assert_int_equal(tree_renew(&s->tree, s->queue->dir[Q_HELD], 0), 0);
	assert_int_equal(tree_renew(&s->tree, s->queue->dir[Q_FAILED], 0), -1);
	assert_int_equal(errno, EINVAL);
}

static void
finds_its_way_after_somebody_else_renewed(void **state)
{
	struct spool *s = *state;
	struct alert a = {.type = "t", .component = "c", .subject = "s"};
	struct request r = {.verb = REQUEST_PAUSE};
	struct queue_name n;
	struct tree other;
	struct queue_tree *theirs;
	char why[PATH_MAX];

	assert_int_equal(tree_open(&other, s->scratch.path, queues, 2, why), 0);
	theirs = tree_queue(&other, "MAIN");
	assert_int_equal(tree_renew(&s->tree, s->queue->dir[Q_PATCHES], 0), 1);
	assert_int_equal(tree_renew(&s->tree, s->tree.alerts.dir[BOX_NEW], 0),
	    1);
	assert_int_equal(
	    tree_renew(&s->tree, s->queue->requests.dir[BOX_NEW], 0), 1);
	put_name(s, Q_PATCHES, 5, 1);
	assert_int_equal(tree_find_key(theirs, KEY, 1, &n), Q_PATCHES);
	assert_int_equal(alert_raise(&other, &a), SPOOL_DONE);
	assert_int_equal(request_put(theirs, &r), SPOOL_DONE);
	assert_int_equal(tree_refresh(&other), 0);
	tree_close(&other);
}

/* Puts files with descriptors of its own, as fast as it can. */
static int
write_many(const struct spool *s, int writer)
{
	struct tree t;
	char why[PATH_MAX], name[64];
	struct queue_tree *q;

	if (tree_open(&t, s->scratch.path, queues, 2, why) == -1)
		return 1;
	q = tree_queue(&t, "MAIN");
	for (int i = 0; i < PUTS; i++) {
		enum spool_answer answer = SPOOL_REFUSED;

		(void)snprintf(name, sizeof(name), "%d-%03d", writer, i);
		for (int n = 0; n < 100 && answer != SPOOL_DONE; n++) {
			answer = spool_put(q->dir[Q_TMP], q->dir[Q_PATCHES],
			    name, "x", 1);
			if (answer == SPOOL_REFUSED &&
			    (errno != ENOENT || tree_refresh(&t) == -1))
				return 2;
		}
		if (answer != SPOOL_DONE)
			return 3;
	}
	tree_close(&t);
	return 0;
}

/* What has come is taken away, and the directory replaced: the same names
 * must come out as went in. */
static int
take_and_renew(struct spool *s, int *renewed)
{
	struct spool_names n;
	int patches = s->queue->dir[Q_PATCHES], r, count;

	assert_int_equal(spool_list(patches, 0, &n), 0);
	for (size_t i = 0; i < n.count; i++)
		assert_int_equal(spool_move(patches, n.names[i],
				     s->queue->dir[Q_COMPLETED], NULL),
		    SPOOL_DONE);
	count = (int)n.count;
	spool_names_free(&n);
	r = tree_renew(&s->tree, patches, 0);
	assert_int_not_equal(r, -1);
	*renewed += r;
	return count;
}

static void
loses_nothing_that_is_put_while_it_renews(void **state)
{
	struct spool *s = *state;
	int taken = 0, renewed = 0, left = WRITERS, status;

	for (int i = 0; i < WRITERS; i++) {
		pid_t pid = fork();

		assert_int_not_equal(pid, -1);
		if (pid == 0)
			_exit(write_many(s, i));
	}
	while (left > 0) {
		taken += take_and_renew(s, &renewed);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			assert_int_equal(status, 0);
			left--;
		}
	}
	taken += take_and_renew(s, &renewed);
	assert_int_equal(taken, WRITERS * PUTS);
	assert_true(renewed > 2);
}

int
main(void)
{
#define WITH_SPOOL(f)                                                          \
	cmocka_unit_test_setup_teardown(f, open_spool, close_spool)
	const struct CMUnitTest tests[] = {
	    WITH_SPOOL(gives_each_directory_its_mode),
	    WITH_SPOOL(refuses_a_planted_directory),
	    WITH_SPOOL(refuses_queues_with_names_of_its_own),
	    WITH_SPOOL(finds_a_key_with_its_highest_attempt),
	    WITH_SPOOL(finds_outcomes_in_any_box),
	    WITH_SPOOL(keeps_state_and_sets_broken_state_aside),
	    WITH_SPOOL(renews_an_empty_directory_with_all_below_it),
	    WITH_SPOOL(finds_its_way_after_somebody_else_renewed),
	    WITH_SPOOL(loses_nothing_that_is_put_while_it_renews),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
