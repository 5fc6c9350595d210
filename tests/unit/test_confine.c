/* SPDX-License-Identifier: ISC */
/* A place that could not be looked at is not one that is not there: without
 * its rule whoever is confined lacks it for good. */
#include <sys/resource.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/landlock.h"
#include "executor/confine.h"

static char nowhere[] = "/nowhere/at/all";
static char *exposed[] = {nowhere};

/* With so many descriptors more than are open: 0, or the error. */
static int
prepare_with(enum jail_way way, rlim_t more)
{
	const struct queue_settings queue = {
	    .expose = {.items = exposed, .count = 1}};
	const struct jail_spec spec = {.way = way,
	    .txn = nowhere,
	    .queue = &queue};
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct rlimit was, now;
	int ruleset, error;

	assert_int_not_equal(root, -1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = (struct rlimit){(rlim_t)root + 1 + more, was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	error = confine_prepare(&spec, root, &ruleset) == 0 ? 0 : errno;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	if (ruleset != -1)
		(void)close(ruleset);
	(void)close(root);
	return error;
}

static void
what_cannot_be_opened_is_not_left_out(void **state)
{
	static const enum jail_way ways[] = {JAIL_OVERLAY, JAIL_COPY,
	    JAIL_BARE};

	(void)state;
	if (landlock_version() < 2)
		skip();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		assert_int_equal(prepare_with(ways[i], 0), EMFILE);
		assert_int_equal(prepare_with(ways[i], 1), EMFILE);
		/* What is not there takes none. */
		assert_int_equal(prepare_with(ways[i], 2), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_cannot_be_opened_is_not_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
