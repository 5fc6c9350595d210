/* SPDX-License-Identifier: ISC */
/* Which of the queue's folders goes by which setting, and where to. */
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "executor/executor.h"
#include "tests/unit/scratch.h"

#define QUEUE_FILE "5-1764000000000000-p-00000000,1.json"
#define OLD_MS 1 /* each file is older when it is looked at */

enum folder { COMPLETED, FAILED, ARCHIVE, REQUESTS, ASKS, FOLDERS };

struct fixture {
	struct scratch s;
	struct tree t;
	struct settings settings;
	struct executor ex;
};

static int
open_fixture(void **state)
{
	static const char *const queue[] = {"MAIN"};
	struct fixture *f = calloc(1, sizeof(*f));
	char why[PATH_MAX];

	*state = f;
	if (f == NULL || scratch_open_fast(&f->s) == -1 ||
	    tree_open(&f->t, f->s.path, queue, 1, why) == -1)
		return -1;
	f->ex.tree = &f->t;
	f->ex.q = tree_queue(&f->t, "MAIN");
	f->ex.settings = &f->settings;
	f->ex.place.dir = -1;
	return 0;
}

static int
close_fixture(void **state)
{
	struct fixture *f = *state;

	tree_close(&f->t);
	scratch_close(&f->s);
	free(f);
	return 0;
}

static int
dir_of(const struct fixture *f, enum folder folder)
{
	const struct queue_tree *q = f->ex.q;
	const int dir[FOLDERS] = {[COMPLETED] = q->dir[Q_COMPLETED],
	    [FAILED] = q->dir[Q_FAILED],
	    [ARCHIVE] = q->dir[Q_ARCHIVE],
	    [REQUESTS] = q->requests.dir[BOX_DONE],
	    [ASKS] = q->asks.dir[BOX_DONE]};

	return dir[folder];
}

/* A file of a name of its own in each of them. */
static void
fill(const struct fixture *f, char name[FOLDERS][sizeof(QUEUE_FILE)])
{
	for (enum folder i = 0; i < FOLDERS; i++) {
		(void)strlcpy(name[i], QUEUE_FILE, sizeof(QUEUE_FILE));
		name[i][sizeof("5-1764000000000000-p-") - 1] = (char)('0' + i);
		assert_int_equal(scratch_file(dir_of(f, i), name[i], "x"), 0);
	}
	(void)poll(NULL, 0, 20 * OLD_MS);
}

/* Where each of them is now: the folder, or FOLDERS for nowhere. */
static enum folder
place(const struct fixture *f, const char *name)
{
	enum folder i = 0;

	while (i < FOLDERS && !spool_exists(dir_of(f, i), name))
		i++;
	return i;
}

static void
check(const struct fixture *f, char name[FOLDERS][sizeof(QUEUE_FILE)],
    const enum folder want[FOLDERS])
{
	for (enum folder i = 0; i < FOLDERS; i++)
		assert_int_equal(place(f, name[i]), want[i]);
}

/* Each setting alone moves its own folder's file and no other one. */
static void
each_goes_by_its_own_age(void **state)
{
	struct fixture *f = *state;
	struct retention_settings *r = &f->settings.retention;
	int64_t *const age[] = {&r->completed_age, &r->failed_age,
	    &r->archive_age, &r->inbox_age};
	static const enum folder want[][FOLDERS] = {
	    {ARCHIVE, FAILED, ARCHIVE, REQUESTS, ASKS},
	    {COMPLETED, ARCHIVE, ARCHIVE, REQUESTS, ASKS},
	    {COMPLETED, FAILED, FOLDERS, REQUESTS, ASKS},
	    {COMPLETED, FAILED, ARCHIVE, FOLDERS, FOLDERS},
	};
	char name[FOLDERS][sizeof(QUEUE_FILE)];

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		memset(r, 0, sizeof(*r));
		fill(f, name);
		tidy_queue(&f->ex); /* without a setting everything stays */
		check(f, name,
		    (enum folder[]){COMPLETED, FAILED, ARCHIVE, REQUESTS,
			ASKS});
		*age[i] = OLD_MS;
		tidy_queue(&f->ex);
		check(f, name, want[i]);
		for (enum folder k = 0; k < FOLDERS; k++)
			for (enum folder d = 0; d < FOLDERS; d++)
				(void)unlinkat(dir_of(f, d), name[k], 0);
	}
}

static void
each_goes_by_its_own_size(void **state)
{
	struct fixture *f = *state;
	struct retention_settings *r = &f->settings.retention;
	int64_t *const bytes[] = {&r->completed_bytes, &r->failed_bytes,
	    &r->archive_bytes, &r->inbox_bytes};
	static const enum folder gone[] = {COMPLETED, FAILED, ARCHIVE,
	    REQUESTS};
	char name[FOLDERS][sizeof(QUEUE_FILE)];

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		memset(r, 0, sizeof(*r));
		fill(f, name);
		*bytes[i] = 1;
		tidy_queue(&f->ex);
		for (enum folder k = 0; k < FOLDERS; k++)
			assert_int_equal(place(f, name[k]) == k,
			    k != gone[i] &&
				!(gone[i] == REQUESTS && k == ASKS));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_goes_by_its_own_age,
		open_fixture, close_fixture),
	    cmocka_unit_test_setup_teardown(each_goes_by_its_own_size,
		open_fixture, close_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
