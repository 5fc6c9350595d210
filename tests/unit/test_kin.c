/* SPDX-License-Identifier: ISC */
/* Families of processes, read from the kernel's lists and without them. */
#include <sys/prctl.h>
#include <sys/wait.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "executor/guard.h"
#include "executor/kin.h"

#define LIFE_S 60

/* Says its pid and stays. */
static _Noreturn void
stay(int out)
{
	pid_t pid = getpid();

	if (write(out, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	(void)sleep(LIFE_S);
	_exit(0);
}

/* A child with a child, and one that was left behind in another session: who
 * is the reaper of orphans here. */
static void
make_family(pid_t pids[3])
{
	int fds[2];

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe(fds), 0);
	if (fork() == 0) {
		if (fork() == 0)
			stay(fds[1]);
		stay(fds[1]);
	}
	if (fork() == 0) {
		(void)setsid();
		if (fork() == 0)
			stay(fds[1]);
		_exit(0);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(read(fds[0], &pids[i], sizeof(pids[i])),
		    sizeof(pids[i]));
	(void)close(fds[0]);
	(void)close(fds[1]);
	/* The middle one of the orphan. */
	assert_true(wait(NULL) > 0);
}

static bool
holds(const struct kin *k, pid_t pid)
{
	size_t times = 0;

	for (size_t i = 0; i < k->count; i++)
		times += k->pids[i] == pid;
	return times == 1;
}

static void
check_family(void)
{
	struct kin k = {0};
	pid_t pids[3];

	make_family(pids);
	kin_read(&k, getpid());
	assert_int_equal(k.count, 3);
	assert_true(k.whole);
	for (int i = 0; i < 3; i++)
		assert_true(holds(&k, pids[i]));
	assert_int_equal(guard_signal(getpid(), 0), 3);
	guard_kill();
	kin_read(&k, getpid());
	assert_int_equal(k.count, 0);
	assert_true(k.whole);
	assert_int_equal(guard_signal(getpid(), 0), 0);
	kin_free(&k);
}

static void
lists_and_kills_a_family(void **state)
{
	(void)state;
	check_family();
}

static void
knows_that_a_dead_one_makes_it_doubtful(void **state)
{
	struct kin k = {0};
	siginfo_t info;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	kin_read(&k, getpid());
	assert_false(k.whole);
	assert_true(guard_signal(getpid(), 0) > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(guard_signal(getpid(), 0), 0);
	kin_free(&k);
}

static void
does_the_same_without_the_kernels_lists(void **state)
{
	(void)state;
	kin_distrust();
	check_family();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_and_kills_a_family),
	    cmocka_unit_test(knows_that_a_dead_one_makes_it_doubtful),
	    cmocka_unit_test(does_the_same_without_the_kernels_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
