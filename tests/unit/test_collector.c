/* SPDX-License-Identifier: ISC */
/* What syslog and journald get of a line, and what happens when they do not
 * take it. */
#include <sys/socket.h>
#include <sys/un.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/scratch.h"
#include "watchdog/collector.h"

#define OURS "2026-11-22T21:02:21.566Z alertd warn: not sent: 3 %s\n"

static struct scratch scratch;

static const char *
format(const char *kind, const char *line)
{
	static char out[512];
	struct collector c;
	size_t n;

	collector_open(&c, kind, "");
	n = collector_format(&c,
	    &(struct collector_line){.name = "alertd",
		.bytes = line,
		.len = strlen(line)},
	    out, sizeof out - 1);
	out[n] = '\0';
	return out;
}

static void
level_and_text_of_a_line(void **state)
{
	(void)state;
	assert_string_equal(format("journald", OURS),
	    "PRIORITY=4\nSYSLOG_FACILITY=3\n"
	    "SYSLOG_IDENTIFIER=patchflow-alertd\nPATCHFLOW_DAEMON=alertd\n"
	    "MESSAGE=not sent: 3 %s\n");
	/* LOG_DAEMON is 3 << 3; the time's width is always the same. */
	assert_memory_equal(format("syslog", OURS), "<28>", 4);
	assert_string_equal(format("syslog", OURS) + 4 + 15,
	    " patchflow-alertd: not sent: 3 %s");
}

static void
foreign_lines_stay_as_they_are(void **state)
{
	static const char *const foreign[] = {"", "Z", "abort()",
	    "2026-11-22T21:02:21.566Z", "2026-11-22T21:02:21.566Z ",
	    "2026-11-22T21:02:21.566Z x", "2026-11-22T21:02:21.566Z x y",
	    "2026-11-22T21:02:21.566Z x wary: y"};
	char want[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		(void)snprintf(want, sizeof want, "MESSAGE=%s\n", foreign[i]);
		assert_non_null(
		    strstr(format("journald", foreign[i]), "PRIORITY=6\n"));
		assert_string_equal(
		    strstr(format("journald", foreign[i]), "MESSAGE="), want);
	}
}

static void
a_long_line_is_cut(void **state)
{
	const struct collector_line ours = {.name = "alertd",
	    .bytes = OURS,
	    .len = strlen(OURS)};
	char small[40];
	struct collector c;

	(void)state;
	collector_open(&c, "syslog", "");
	assert_int_equal(collector_format(&c, &ours, small, sizeof small),
	    sizeof small - 1);
}

static int
listener(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* Nobody there, somebody, somebody who does not read, nobody again. */
static void
what_is_not_taken_is_said(void **state)
{
	struct collector c;
	char path[108];
	int fd, taken = 0;

	(void)state;
	(void)snprintf(path, sizeof path, "%.90s/log", scratch.path);
	collector_open(&c, "files", path);
	assert_false(collector_take(&c, "x", "a\n", 2));
	assert_int_equal(c.error, 0);
	collector_open(&c, "syslog", path);
	assert_false(collector_take(&c, "x", "a\n", 2));
	assert_int_equal(c.error, ENOENT);
	fd = listener(path);
	/* Not before its time. */
	assert_false(collector_take(&c, "x", "a\n", 2));
	c.retry_ms = 0;
	while (taken < 100000 && collector_take(&c, "x", "a\n", 2))
		taken++;
	assert_in_range(taken, 1, 99999);
	assert_int_equal(c.error, EAGAIN);
	assert_true(recv(fd, path, 1, 0) == 1);
	assert_true(collector_take(&c, "x", "a\n", 2));
	assert_int_equal(c.error, 0);
	(void)close(fd);
	assert_false(collector_take(&c, "x", "a\n", 2));
	assert_int_equal(c.error, ECONNREFUSED);
	collector_close(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(level_and_text_of_a_line),
	    cmocka_unit_test(foreign_lines_stay_as_they_are),
	    cmocka_unit_test(a_long_line_is_cut),
	    cmocka_unit_test(what_is_not_taken_is_said),
	};
	int rc;

	scratch_open(&scratch);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_close(&scratch);
	return rc;
}
