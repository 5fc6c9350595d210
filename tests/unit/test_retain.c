/* SPDX-License-Identifier: ISC */
/* Retention, journals, and what a filesystem says of itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/fsinfo.h"
#include "common/journal.h"
#include "common/retain.h"
#include "common/spool.h"
#include "tests/unit/scratch.h"

#define FILE_BYTES 4096

/* Files f0 ... in that order of age; their stamps differ. */
static void
make_files(int dir, int count)
{
	char text[FILE_BYTES + 1], name[16];

	memset(text, 'x', FILE_BYTES);
	text[FILE_BYTES] = '\0';
	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(scratch_file(dir, name, text), 0);
		(void)poll(NULL, 0, 12); /* a tick of the inode's clock */
	}
}

static bool
not_the_oldest(void *owner, const char *name)
{
	(*(int *)owner)++;
	return strcmp(name, "f0") != 0;
}

static void
takes_the_oldest_until_the_rest_fits(void **state)
{
	struct scratch *s = *state;
	int dir = scratch_dir(s, "d"), asked = 0;
	struct retain r = {.bytes = 3 * FILE_BYTES, .move_to = -1};

	make_files(dir, 6);
	assert_int_equal(mkdirat(dir, "sub", 0755), 0);
	r.may_remove = not_the_oldest;
	r.owner = &asked;
	assert_int_equal(retain_dir(dir, &r), 3);
	assert_int_equal(asked, 4);
	assert_true(spool_exists(dir, "f0"));
	assert_false(spool_exists(dir, "f3"));
	assert_true(spool_exists(dir, "f4"));
	assert_true(spool_exists(dir, "sub"));
	assert_int_equal(retain_dir(dir, &r), 0);
	(void)close(dir);
}

static void
moves_what_is_too_old(void **state)
{
	struct scratch *s = *state;
	int dir = scratch_dir(s, "d"), archive = scratch_dir(s, "a");
	struct retain r = {.age_ms = 3600 * 1000, .move_to = archive};

	make_files(dir, 3);
	assert_int_equal(retain_dir(dir, &r), 0);
	r.age_ms = 20; /* the last file is younger than the first by more */
	assert_true(retain_dir(dir, &r) >= 1);
	assert_true(spool_exists(archive, "f0"));
	r.age_ms = 0;
	assert_int_equal(retain_dir(dir, &r), 0);
	(void)close(dir);
	(void)close(archive);
}

static void
takes_many_files_in_bounded_steps(void **state)
{
	struct scratch *s = *state;
	int dir = scratch_dir(s, "d");
	const int many = 2 * RETAIN_BATCH + 100;
	struct retain r = {.bytes = 1, .move_to = -1};
	char name[16];

	for (int i = 0; i < many; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(scratch_file(dir, name, "x"), 0);
	}
	assert_int_equal(retain_dir(dir, &r), RETAIN_BATCH);
	assert_int_equal(retain_dir(dir, &r), RETAIN_BATCH);
	assert_true(retain_dir(dir, &r) >= 99);
	assert_true(scratch_count(dir) <= 1);
	(void)close(dir);
}

struct refusal {
	int asked;
	int below; /* f0 up to this one stay */
};

static bool
not_the_first_ones(void *owner, const char *name)
{
	struct refusal *f = owner;

	f->asked++;
	return strtol(name + 1, NULL, 10) >= f->below;
}

/* PATCHFLOW_LONG: as long as a spool may become. */
static void
passes_over_what_may_not_go(void **state)
{
	struct scratch *s = *state;
	int dir = scratch_dir(s, "d"), n, turns = 0;
	const bool whole = getenv("PATCHFLOW_LONG") != NULL;
	const int many = whole ? 100000 : RETAIN_BATCH + 200;
	struct refusal f = {.below = RETAIN_BATCH + 10};
	struct retain r = {.bytes = 1,
	    .move_to = -1,
	    .may_remove = not_the_first_ones,
	    .owner = &f};
	char name[16];

	for (int i = 0; i < many; i++) {
		int fd;

		(void)snprintf(name, sizeof(name), "f%d", i);
		fd = openat(dir, name, O_CREAT | O_WRONLY, 0600);
		assert_int_not_equal(fd, -1);
		assert_int_equal(write(fd, name, 1), 1);
		(void)close(fd);
	}
	do {
		n = retain_dir(dir, &r);
		assert_true(n >= 0 && n <= 2 * RETAIN_BATCH);
		turns++;
	} while (n >= RETAIN_MORE && turns <= 1 + many / RETAIN_MORE);
	assert_int_equal(scratch_count(dir), f.below);
	/* Each turn asks for the refused ones again, and for its own batch. */
	assert_true(turns <= 1 + many / RETAIN_MORE);
	assert_true(f.asked <= many + turns * 3 * RETAIN_BATCH);
	(void)close(dir);
}

static int
count_lines(int dir, const char *name)
{
	struct spool_file f;
	int lines = 0;

	assert_int_equal(spool_read(dir, name, 1 << 20, false, &f), 1);
	for (char *line = f.bytes, *end; (end = strchr(line, '\n')) != NULL;
	     line = end + 1) {
		json_t *doc = json_loadb(line, (size_t)(end - line), 0, NULL);

		lines += json_is_object(doc);
		json_decref(doc);
	}
	spool_file_free(&f);
	return lines;
}

static void
writes_one_event_a_line_and_rotates(void **state)
{
	struct scratch *s = *state;
	struct journal j;

	assert_int_equal(journal_open(&j, s->dir, "bridge", 200, 2), 0);
	for (int i = 0; i < 20; i++)
		journal_write(&j, "found",
		    json_pack("{s:s,s:i}", "id", "x", "n", i));
	journal_close(&j);
	assert_true(count_lines(s->dir, "bridge.log") >= 1);
	assert_true(count_lines(s->dir, "bridge.log.1") >= 2);
	assert_true(count_lines(s->dir, "bridge.log.2") >= 2);
	assert_false(spool_exists(s->dir, "bridge.log.3"));
}

static void
goes_on_behind_a_torn_line(void **state)
{
	struct scratch *s = *state;
	struct journal j;

	assert_int_equal(scratch_file(s->dir, "x.log", "{\"at\":1}\n{\"at\":"),
	    0);
	assert_int_equal(journal_open(&j, s->dir, "x", 1 << 20, 2), 0);
	journal_write(&j, "went-on", NULL);
	assert_int_equal(unlinkat(s->dir, "x.log.1", 0), -1);
	assert_int_equal(count_lines(s->dir, "x.log"), 2);
	/* Moved away by somebody: a new file, not a lost event. */
	assert_int_equal(unlinkat(s->dir, "x.log", 0), 0);
	journal_write(&j, "again", NULL);
	assert_int_equal(count_lines(s->dir, "x.log"), 1);
	journal_close(&j);
}

static void
knows_what_a_filesystem_promises(void **state)
{
	struct scratch *s = *state;
	struct fsinfo info;
	int shm = open("/dev/shm", O_RDONLY | O_DIRECTORY);

	assert_int_equal(fsinfo_read(s->dir, &info), 0);
	assert_true(info.total_bytes >= info.free_bytes);
	assert_int_equal(fsinfo_space(s->dir, &info), 0);
	assert_true(info.total_bytes >= info.free_bytes);
	assert_int_equal(fsinfo_read(-1, &info), -1);
	assert_int_equal(fsinfo_space(-1, &info), -1);
	if (shm == -1)
		skip(); /* no tmpfs here */
	assert_int_equal(fsinfo_read(shm, &info), 0);
	assert_int_equal(info.durability, DURABLE_VOLATILE);
	(void)close(shm);
}

int
main(void)
{
#define WITH_SCRATCH(f)                                                        \
	cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
	    WITH_SCRATCH(takes_the_oldest_until_the_rest_fits),
	    WITH_SCRATCH(moves_what_is_too_old),
	    WITH_SCRATCH(takes_many_files_in_bounded_steps),
	    WITH_SCRATCH(passes_over_what_may_not_go),
	    WITH_SCRATCH(writes_one_event_a_line_and_rotates),
	    WITH_SCRATCH(goes_on_behind_a_torn_line),
	    WITH_SCRATCH(knows_what_a_filesystem_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
