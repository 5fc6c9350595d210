/* SPDX-License-Identifier: ISC */
/* What a killed supervisor left: found however fast it forks, and nobody else.
 * The test is its own victim: executed anew with a mark in the environment. */
#include <sys/wait.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "watchdog/predecessors.h"

#define LIFE 2
#define FLEEING 5
#define FLEE_MS 20000 /* much longer than the test looks for them */

/* Of this run alone: another one beside it must not end our victims. */
static char spool[64];

static void
rest(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* A new process every millisecond. */
static _Noreturn void
flee(void)
{
	int64_t until = clock_mono_ms() + FLEE_MS;

	while (clock_mono_ms() < until) {
		rest();
		if (fork() != 0)
			_exit(0);
	}
	_exit(0);
}

static _Noreturn void
stay(void)
{
	(void)alarm(FLEE_MS / 1000);
	for (;;)
		(void)pause();
}

/* Its descendants hold the pipe's writing end until the last has ended. */
static pid_t
start(const char *how, int life, const char *below, int *ends)
{
	char name[] = "victim", word[16], variable[128];
	char *argv[] = {name, word, NULL}, *env[] = {variable, NULL};
	int fds[2];
	pid_t pid;

	(void)strncpy(word, how, sizeof word - 1);
	word[sizeof word - 1] = '\0';
	(void)snprintf(variable, sizeof variable,
	    PREDECESSORS_MARK_SET "%d:%s%s", life, spool, below);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(fds[0]);
		(void)execve("/proc/self/exe", argv, env);
		_exit(1);
	}
	(void)close(fds[1]);
	*ends = fds[0];
	return pid;
}

static bool
has_ended(int ends, int patience_ms)
{
	return poll(&(struct pollfd){.fd = ends, .events = POLLIN}, 1,
		   patience_ms) == 1;
}

static void
finds_those_that_fork_all_the_time(void **state)
{
	int ends[FLEEING];

	(void)state;
	for (int i = 0; i < FLEEING; i++) {
		pid_t first = start("flee", LIFE - 1, "", &ends[i]);

		/* Executed and fled. */
		assert_int_equal(waitpid(first, NULL, 0), first);
		assert_false(has_ended(ends[i], 0));
	}
	assert_true(predecessors_kill(spool, LIFE, 10000, NULL) >= FLEEING);
	for (int i = 0; i < FLEEING; i++) {
		assert_true(has_ended(ends[i], 5000));
		(void)close(ends[i]);
	}
}

static void
spares_our_own_and_other_suites(void **state)
{
	static const struct {
		int life;
		const char *below;
	} others[] = {{LIFE, ""}, {LIFE - 1, "/other"}};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		int ends;
		pid_t pid =
		    start("stay", others[i].life, others[i].below, &ends);

		(void)predecessors_kill(spool, LIFE, 2000, NULL);
		assert_false(has_ended(ends, 100));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		(void)close(ends);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_those_that_fork_all_the_time),
	    cmocka_unit_test(spares_our_own_and_other_suites),
	};

	if (argc > 1 && strcmp(argv[1], "flee") == 0)
		flee();
	if (argc > 1 && strcmp(argv[1], "stay") == 0)
		stay();
	(void)snprintf(spool, sizeof spool, "/no/such/spool.%ld",
	    (long)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
