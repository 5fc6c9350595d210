/* SPDX-License-Identifier: ISC */
/* The supervisor's smaller parts: notify words, log files, spawning. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "watchdog/log_file.h"
#include "watchdog/logs.h"
#include "watchdog/notify.h"
#include "watchdog/oom.h"
#include "watchdog/spawn.h"

extern char **environ;

static void
notify_takes_what_the_protocol_says(void **state)
{
	struct notify n;

	(void)state;
#define PARSE(text) notify_parse(text, sizeof(text) - 1, &n)
	assert_true(PARSE("READY=1"));
	assert_true(n.ready && !n.beat);
	assert_true(PARSE("WATCHDOG=1\nX_WORK=42\nX_BUSY_MS=7\nSTATUS=a b\n"));
	assert_true(n.beat && n.has_work && n.has_status);
	assert_int_equal(n.work, 42);
	assert_int_equal(n.busy_ms, 7);
	assert_string_equal(n.status, "a b");
	assert_true(PARSE("FDSTORE=1\nSTOPPING=1\nMAINPID=1"));
	assert_true(n.stopping);
	/* Escapes and high bytes never reach a terminal or JSON. */
	assert_true(PARSE("STATUS=\033[2J\xff"));
	assert_string_equal(n.status, "?[2J?");
}

static void
a_victim_is_named_by_the_kernels_log(void **state)
{
	static const char global[] =
	    "3,1588,15487457125,-;Out of memory: Killed process 9197 (alertd) "
	    "total-vm:28372kB, anon-rss:18304kB\n SUBSYSTEM=none\n";
	static const char group[] =
	    "3,1589,15487457125,-;Memory cgroup out of memory: Killed process "
	    "9197 (perl) total-vm:48856kB";
	static const char *const others[] = {"", "3,1,2", "3,1,x,-;",
	    "3,1588,15487457125,-;Killed process",
	    "3,1588,15487457125,-;Killed process 91970 (alertd)",
	    "3,1588,15487457125,-;Killed process 9197",
	    "6,1588,15487457125,-;process 9197 (alertd) was not killed"};

	(void)state;
	assert_true(oom_record_names(global, 9197, 15487000));
	assert_true(oom_record_names(group, 9197, 15487000));
	assert_false(oom_record_names(global, 919, 15487000));
	/* That pid was somebody else's at the time. */
	assert_false(oom_record_names(global, 9197, 15500000));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(oom_record_names(others[i], 9197, 0));
	/* Nobody kills us for want of memory. */
	assert_int_not_equal(oom_logged(getpid(), 0), 1);
}

static void
notify_ignores_everything_else(void **state)
{
	static const char *const nothing[] = {"", "\n", "READY",
	    "READY=", "READY=11", " READY=1", "ready=1", "X_WORK=", "X_WORK=-1",
	    "X_WORK=0x10", "X_WORK=9999999999999999999999", "\n\n\n",
	    "WATCHDOG=trigger"};
	char *large = malloc(NOTIFY_MAX + 2);
	struct notify n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof nothing / sizeof *nothing; i++)
		assert_false(notify_parse(nothing[i], strlen(nothing[i]), &n));
	assert_false(PARSE("READY=1\0"));
	assert_false(PARSE("READY=1\n\0WATCHDOG=1"));
	memset(large, '\n', NOTIFY_MAX + 2);
	(void)strlcpy(large, "READY=1", 8);
	large[7] = '\n';
	assert_false(notify_parse(large, NOTIFY_MAX + 1, &n));
	assert_true(notify_parse(large, NOTIFY_MAX, &n));
	free(large);
}

/* Any bytes at all: no crash, no read past the end (under asan). */
static void
notify_survives_noise(void **state)
{
	static const char words[] = "READY=1\nWATCHDOG=1\nX_WORK=77\n"
				    "STATUS=abc\nX_BUSY_MS=1\n";
	unsigned seed = 12345;
	struct notify n;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		size_t len = (seed >> 8) % sizeof words, k;
		char *copy = malloc(len + 1);

		memcpy(copy, words, len);
		for (k = 0; k < 3 && len > 0; k++) {
			seed = seed * 1103515245u + 12345u;
			copy[(seed >> 8) % len] = (char)(seed >> 20);
		}
		(void)notify_parse(copy, len, &n);
		assert_true(strlen(n.status) <= NOTIFY_STATUS);
		seed = seed * 1103515245u + 12345u;
		free(copy);
	}
}

static off_t
size_of(const char *dir, const char *name)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

struct desk {
	struct logs logs;
	struct log_sink sink;
	struct log_file file;
};

/* A sink's lines into a file, at once. */
static bool
into_file(void *arg, const char *name, const char *line, size_t len)
{
	struct desk *d = arg;

	assert_string_equal(name, d->file.name);
	log_file_take(&d->logs, &d->file, line, len);
	return true;
}

static struct desk *
open_desk(const char *dir, int64_t max_bytes)
{
	struct desk *d = calloc(1, sizeof *d);

	assert_non_null(d);
	assert_int_equal(logs_open(&d->logs, dir, max_bytes, 3), 0);
	d->logs.file = into_file;
	d->logs.file_arg = d;
	log_sink_open(&d->sink, "daemon");
	log_file_open(&d->file, "daemon");
	return d;
}

static void
close_desk(struct desk *d)
{
	log_file_close(&d->file);
	logs_close(&d->logs);
	free(d);
}

static void
log_files_are_bounded_and_whole(void **state)
{
	char dir[] = "patchflow-logs.XXXXXX", path[128], line[100];
	struct desk *d;
	int i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	d = open_desk(dir, 1000);
	for (i = 0; i < 200; i++) {
		int n = snprintf(line, sizeof line, "line %d of many\n", i);

		/* In two parts, as a pipe may bring it. */
		log_sink_take(&d->logs, &d->sink, line, 3);
		log_sink_take(&d->logs, &d->sink, line + 3, (size_t)n - 3);
	}
	close_desk(d);
	assert_in_range(size_of(dir, "daemon.log"), 1, 1100);
	assert_in_range(size_of(dir, "daemon.log.1"), 1000, 1100);
	assert_in_range(size_of(dir, "daemon.log.2"), 1000, 1100);
	assert_int_equal(size_of(dir, "daemon.log.3"), -1);
	for (i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof path,
		    i == 0 ? "%s/daemon.log" : "%s/daemon.log.%d", dir, i);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void
a_log_that_cannot_be_written_costs_lines_only(void **state)
{
	char dir[] = "patchflow-logs.XXXXXX", path[128], text[512];
	struct desk *d;
	ssize_t n;
	int i, fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	d = open_desk(dir, 100000);
	/* A directory in its place: no open works, not even root's. */
	(void)snprintf(path, sizeof path, "%s/daemon.log", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (i = 0; i < 10; i++)
		log_sink_take(&d->logs, &d->sink, "lost\n", 5);
	assert_int_equal(d->file.dropped, 10);
	assert_int_equal(rmdir(path), 0);
	log_sink_take(&d->logs, &d->sink, "kept\n", 5);
	assert_int_equal(d->file.dropped, 0);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text,
	    "watchdog: daemon: lines lost, count 10\nkept\n");
	close_desk(d);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static int
wait_for(const struct spawned *p)
{
	siginfo_t si = {0};

	while (waitid(P_PIDFD, (id_t)p->pidfd, &si, WEXITED) == -1)
		assert_int_equal(errno, EINTR);
	(void)close(p->pidfd);
	return si.si_code == CLD_EXITED ? si.si_status : -si.si_status;
}

static void
a_failed_exec_names_stage_and_reason(void **state)
{
	char name[] = "nothing";
	char *argv[] = {name, NULL};
	struct spawn sp = {.path = "/nonexistent/nothing",
	    .argv = argv,
	    .envp = environ,
	    .out_fd = STDERR_FILENO};
	struct spawned p;
	struct spawn_error e;

	(void)state;
	assert_int_equal(spawn_start(&sp, &p), 0);
	assert_int_equal(wait_for(&p), 126);
	assert_int_equal(spawn_error_read(p.error_fd, &e), 1);
	assert_int_equal(e.stage, SPAWN_EXEC);
	assert_int_equal(e.number, ENOENT);
	(void)close(p.error_fd);
	sp.path = "/bin/true";
	assert_int_equal(spawn_start(&sp, &p), 0);
	assert_int_equal(wait_for(&p), 0);
	assert_int_equal(spawn_error_read(p.error_fd, &e), 0);
	(void)close(p.error_fd);
}

static void
a_child_starts_clean(void **state)
{
	char sh[] = "sh", c[] = "-c";
	char script[] = "test $(ls /proc/self/fd | wc -l) -le 4 || exit 10\n"
			"kill -s PIPE $$ ; exit 11";
	char *argv[] = {sh, c, script, NULL};
	struct spawn sp = {.path = "/bin/sh",
	    .argv = argv,
	    .envp = environ,
	    .out_fd = STDERR_FILENO};
	struct spawned p;
	int leak = open("/dev/null", O_RDONLY);
	sigset_t all, was;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &was);
	assert_int_equal(spawn_start(&sp, &p), 0);
	(void)sigprocmask(SIG_SETMASK, &was, NULL);
	/* Neither our descriptor nor our mask nor what we ignore. */
	assert_int_equal(wait_for(&p), -SIGPIPE);
	(void)close(p.error_fd);
	(void)close(leak);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(notify_takes_what_the_protocol_says),
	    cmocka_unit_test(notify_ignores_everything_else),
	    cmocka_unit_test(notify_survives_noise),
	    cmocka_unit_test(a_victim_is_named_by_the_kernels_log),
	    cmocka_unit_test(log_files_are_bounded_and_whole),
	    cmocka_unit_test(a_log_that_cannot_be_written_costs_lines_only),
	    cmocka_unit_test(a_failed_exec_names_stage_and_reason),
	    cmocka_unit_test(a_child_starts_clean),
	};

	const char *scratch = getenv("TMPDIR");

	if (chdir(scratch != NULL ? scratch : "/tmp") == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
