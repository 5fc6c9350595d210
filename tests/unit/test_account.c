/* SPDX-License-Identifier: ISC */
/* Accounts, asked here and through a child; memory that goes back. */
#include <sys/wait.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/account.h"
#include "watchdog/pages.h"

#define MUCH (900u << 10)
#define NOBODY_UID 0x7ffffff0u /* an account of no machine */
#define STUCK_UID 0x7ffffff1u  /* one whose look-up does not come back */
#define STUCK_MS 60000
#define SOON_MS 30000

static int stuck = -1;

/* The C library's, but for the one. */
struct passwd *
getpwuid(uid_t uid)
{
	static struct passwd entry;
	static char text[65536];
	struct passwd *found = NULL;

	if (uid == STUCK_UID) {
		assert_int_equal(write(stuck, "", 1), 1);
		(void)poll(NULL, 0, STUCK_MS);
	}
	errno = getpwuid_r(uid, &entry, text, sizeof text, &found);
	return found;
}

static void
ask_for(const char *nobody)
{
	struct account a;

	assert_int_equal(account_user("root", &a), 0);
	assert_int_equal(a.uid, 0);
	assert_true(a.group_count >= 1);
	assert_string_equal(a.name, "root");
	assert_int_equal(account_group("root", &a), 0);
	assert_int_equal(a.gid, 0);
	assert_int_equal(account_of(0, &a), 0);
	assert_string_equal(a.name, "root");
	assert_int_equal(account_of(NOBODY_UID, &a), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(account_member(0, "root"), 0);
	assert_int_equal(account_member(0, "nogroup"), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(account_member(0, nobody), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(account_user(nobody, &a), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(account_group(nobody, &a), -1);
	assert_int_equal(errno, ENOENT);
}

static void
a_child_answers_what_we_would_find_ourselves(void **state)
{
	(void)state;
	ask_for("no-such-account");
	account_ask_apart();
	ask_for("no-such-account");
}

static void
a_child_that_is_stuck_keeps_nothing_open_for_long(void **state)
{
	struct account a;
	int fds[2];
	pid_t asker;
	char byte;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	asker = fork();
	if (asker == 0) {
		stuck = fds[1];
		account_ask_apart();
		_exit(account_of(STUCK_UID, &a));
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(kill(asker, SIGKILL), 0);
	assert_int_equal(waitpid(asker, NULL, 0), asker);
	assert_int_equal(
	    poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, SOON_MS),
	    1);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	(void)close(fds[0]);
}

/* kB of this process that are no file's. */
static long
dirty(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	long kb = -1;

	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "Private_Dirty:", 14) == 0)
			kb = strtol(line + 14, NULL, 10);
	(void)fclose(f);
	return kb;
}

static void
what_lies_free_goes_back_and_the_rest_stays(void **state)
{
	char *kept, *spent;
	size_t i;
	long before;

	(void)state;
	pages_reserve();
	kept = malloc(MUCH / 10);
	spent = malloc(MUCH);
	assert_non_null(kept);
	assert_non_null(spent);
	memset(kept, 'k', MUCH / 10);
	for (i = 0; i < MUCH;
	     i += 512) /* a memset() nobody reads is left out */
		((volatile char *)spent)[i] = 's';
	free(spent);
	before = dirty();
	pages_give_back();
#ifndef __SANITIZE_ADDRESS__
	assert_true(dirty() < before - (long)(MUCH >> 11));
#endif
	assert_true(before > 0);
	for (i = 0; i < MUCH / 10; i++)
		assert_int_equal(kept[i], 'k');
	free(kept);
}

static void
a_large_object_begins_zeroed(void **state)
{
	char *object = pages_take(MUCH);
	size_t i;

	(void)state;
	assert_non_null(object);
	for (i = 0; i < MUCH; i += 512)
		assert_int_equal(object[i], 0);
	pages_return(object, MUCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_child_answers_what_we_would_find_ourselves),
	    cmocka_unit_test(a_child_that_is_stuck_keeps_nothing_open_for_long),
	    cmocka_unit_test(what_lies_free_goes_back_and_the_rest_stays),
	    cmocka_unit_test(a_large_object_begins_zeroed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
