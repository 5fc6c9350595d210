/* SPDX-License-Identifier: ISC */
/* Looking whether somebody outlives a command: where nobody is ever found, but
 * somebody was made during each look. */
#include <sys/types.h>
#include <sys/wait.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "executor/command.h"
#include "executor/subtree.h"

#define LOOKS 100 /* in a row, that are in vain */

static int makes; /* looks to come in which somebody is made, and goes */

int __wrap_subtree_each(int fd, subtree_visit *visit, void *owner);
int __wrap_kill(pid_t pid, int sig);

/* Nobody is found: the machine has others than ours. */
int
__wrap_subtree_each(int fd, subtree_visit *visit, void *owner)
{
	(void)visit;
	(void)owner;
	(void)close(fd);
	if (makes > 0) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		makes--;
	}
	return 0;
}

/* At its deadline a command kills everybody, and this is no jail. */
int
__wrap_kill(pid_t pid, int sig)
{
	(void)pid;
	(void)sig;
	abort();
}

static bool
leaves_somebody(int looks)
{
	const char *const argv[] = {"/bin/true", NULL};
	char *envp[] = {NULL};
	const struct command_limits limits = {.output = 4096};
	struct command c = {.argv = argv,
	    .envp = envp,
	    .limits = &limits,
	    .timeout_ms = 3600000};

	makes = looks;
	assert_int_equal(command_run(&c), 0);
	assert_int_equal(makes, 0);
	assert_true(command_succeeded(&c));
	command_free(&c);
	return c.backgrounded;
}

static void
looks_again_where_somebody_was_made(void **state)
{
	(void)state;
	assert_false(leaves_somebody(0));
	assert_false(leaves_somebody(LOOKS / 2));
}

static void
takes_who_is_made_in_each_look_for_left(void **state)
{
	(void)state;
	assert_true(leaves_somebody(LOOKS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(looks_again_where_somebody_was_made),
	    cmocka_unit_test(takes_who_is_made_in_each_look_for_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
