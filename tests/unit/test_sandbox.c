/* SPDX-License-Identifier: ISC */
/* What a confined process can and cannot do, tried in a child each time. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/log.h"
#include "common/sandbox.h"

#define NOT_CONFINED 99

static char top[PATH_MAX];

static int
make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	if (fd == -1)
		return -1;
	return close(fd);
}

/* The step at which reality differs from the promise, or 0. */
static int
try_everything(void)
{
	char *argv[] = {top, NULL};
	int fd;

	if (make_file("a/x") == -1 || make_file("b/later/x") == -1)
		return 1;
	if (rename("a/x", "b/later/y") == -1 || unlink("b/later/y") == -1)
		return 2;
	if (mkdir("a/sub", 0700) == -1 || rename("a/sub", "b/sub") == -1)
		return 3;
	if (make_file("other/x") != -1 || errno != EACCES)
		return 4;
	if (unlink("other/old") != -1 || errno != EACCES)
		return 5;
	if (rename("a/keep", "other/keep") != -1)
		return 6;
	fd = open("other/old", O_RDONLY);
	if (fd == -1)
		return 7;
	(void)close(fd);
	fd = open("/dev/null", O_WRONLY);
	if (fd == -1)
		return 8;
	(void)close(fd);
	if (execv("/bin/true", argv) != -1 || errno != EACCES)
		return 9;
	return 0;
}

static int
confined(struct sandbox *sb)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(!sandbox_enter(sb) ? NOT_CONFINED : try_everything());
	sandbox_close(sb);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
changes_only_what_it_was_given(void **state)
{
	char file[PATH_MAX + 16], later[PATH_MAX + 32];
	struct sandbox sb = {0};
	int step;

	(void)state;
	(void)snprintf(file, sizeof file, "%s/a/some.log", top);
	/* Not there yet: b is, and stands for it. */
	(void)snprintf(later, sizeof later, "%s/b/none/deeper", top);
	sandbox_allow_around(&sb, file);
	sandbox_allow(&sb, later);
	step = confined(&sb);
	if (step == NOT_CONFINED)
		skip();
	assert_int_equal(step, 0);
}

static void
never_takes_the_root_for_a_directory(void **state)
{
	struct sandbox sb = {0};

	(void)state;
	sandbox_allow(&sb, "/nonexistent/dir");
	assert_int_equal(confined(&sb), NOT_CONFINED);
	sandbox_allow_around(&sb, "/some.log");
	assert_int_equal(confined(&sb), NOT_CONFINED);
}

/* In a child: 0 as it should be, else the step. */
static int
watch_moves(void)
{
	struct sandbox sb = {0};

	sandbox_allow(&sb, top);
	if (!sandbox_enter(&sb))
		return NOT_CONFINED;
	return sandbox_moved(&sb) ? 2 : 0;
}

static void
notices_another_directory_of_the_name(void **state)
{
	struct sandbox sb = {.held = true};
	int status;
	pid_t pid;

	(void)state;
	sandbox_allow(&sb, "other");
	sandbox_allow(&sb, "none");
	assert_false(sandbox_moved(&sb));
	assert_int_equal(mkdir("none", 0700), 0);
	assert_false(sandbox_moved(&sb));
	assert_int_equal(rename("other", "was"), 0);
	assert_true(sandbox_moved(&sb));
	assert_int_equal(rename("none", "other"), 0);
	assert_true(sandbox_moved(&sb));
	assert_int_equal(rmdir("other"), 0);
	assert_int_equal(rename("was", "other"), 0);
	assert_false(sandbox_moved(&sb));
	sb.held = false;
	sandbox_close(&sb);
	pid = fork();
	if (pid == 0)
		_exit(watch_moves());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(
	    WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == NOT_CONFINED);
}

static int
set_up(void **state)
{
	const char *scratch = getenv("TMPDIR");

	(void)state;
	(void)snprintf(top, sizeof top, "%s/patchflow-sandbox.XXXXXX",
	    scratch != NULL ? scratch : "/tmp");
	if (mkdtemp(top) == NULL || chdir(top) == -1)
		return -1;
	if (mkdir("a", 0700) == -1 || mkdir("b", 0700) == -1 ||
	    mkdir("b/later", 0700) == -1 || mkdir("other", 0700) == -1)
		return -1;
	return make_file("a/keep") == -1 || make_file("other/old") == -1;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink("a/keep");
	(void)unlink("b/later/x");
	(void)unlink("other/old");
	(void)rmdir("b/sub");
	(void)rmdir("b/later");
	(void)rmdir("a");
	(void)rmdir("b");
	(void)rmdir("other");
	return chdir("/") == -1 || rmdir(top) == -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes_only_what_it_was_given),
	    cmocka_unit_test(never_takes_the_root_for_a_directory),
	    cmocka_unit_test(notices_another_directory_of_the_name),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
