/* SPDX-License-Identifier: ISC */
/* From one image of the supervisor to the next, within one process: what is
 * whole is taken over as it was, what is in doubt is ended. */
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
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

#include "common/spool.h"
#include "tests/unit/scratch.h"
#include "watchdog/handover.h"
#include "watchdog/pages.h"
#include "watchdog/watchdog.h"

/* A supervisor: as much of it as one service needs. */
struct stage {
	struct watchdog w;
	struct daemon_opts opts;
	struct settings settings;
	struct tree tree;
};

static const struct kind kind = {.program = "summarizer"};
static struct scratch scratch;

static struct stage *
open_stage(void)
{
	struct stage *st = calloc(1, sizeof *st);
	size_t i;

	assert_non_null(st);
	(void)strlcpy(st->tree.path, scratch.path, sizeof st->tree.path);
	(void)mkdirat(scratch.dir, "run", 0700);
	st->tree.run =
	    openat(scratch.dir, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	st->opts.lock_fd =
	    openat(st->tree.run, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	st->opts.inherit_fd = -1;
	st->settings.watchdog.hang = 20000;
	st->w.opts = &st->opts;
	st->w.settings = &st->settings;
	st->w.tree = &st->tree;
	st->w.logs.dir = -1;
	st->w.control.listen.fd = -1;
	for (i = 0; i < CONTROL_CLIENTS; i++)
		st->w.control.clients[i].watch.fd = -1;
	TAILQ_INIT(&st->w.services);
	TAILQ_INIT(&st->w.errands);
	assert_int_equal(loop_open(&st->w.loop, &st->w, NULL), 0);
	return st;
}

static void
close_stage(struct stage *st)
{
	loop_close(&st->w.loop);
	(void)close(st->tree.run);
	(void)close(st->opts.lock_fd);
	free(st);
}

/* A ready service with a process, a history and half a log line. */
static struct service *
open_service(struct stage *st)
{
	struct service *s = service_new(&st->w, &kind, "");

	assert_non_null(s);
	s->pid = fork();
	if (s->pid == 0) {
		(void)pause();
		_exit(0);
	}
	s->pidfd = pidfd_open(s->pid, 0);
	s->fsm = (struct fsm){.state = FSM_READY,
	    .wanted = true,
	    .alive = true,
	    .deadline_ms = 12345,
	    .strikes = {1, 2, 3, 4, 5},
	    .strike_next = 3,
	    .backoff_ms = -1,
	    .random = 0xfedcba98u,
	    .starts = 7};
	s->restarts = 6;
	s->work = 99;
	(void)strlcpy(s->status, "at \"work\" \xff", sizeof s->status);
	memcpy(s->log.line, "half a l\0ne", 11);
	s->log.used = 11;
	TAILQ_INSERT_TAIL(&st->w.services, s, link);
	return s;
}

/* What an exec would leave: the document, and the descriptors open. */
static json_t *
hand_over(struct stage *st)
{
	int fd = handover_write(&st->w);

	assert_true(fd != -1);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	st->opts.inherit_fd = fd;
	return handover_open(&st->opts);
}

static json_t *
service_of(const json_t *doc)
{
	return json_array_get(json_object_get(doc, "services"), 0);
}

static bool
lives(pid_t pid)
{
	siginfo_t si = {0};

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG) == 0 &&
	       si.si_pid == 0;
}

/* Only in this test: the process stays, its service goes. */
static void
bury(struct service *s, pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(s->pidfd);
	s->pidfd = -1;
	s->pid = 0;
	service_free(s);
}

static void
what_is_whole_goes_on_as_it_was(void **state)
{
	struct stage *old = open_stage(), *new = open_stage();
	struct service *was = open_service(old), *s;
	json_t *doc = hand_over(old);
	pid_t pid = was->pid;

	(void)state;
	assert_non_null(doc);
	new->w.past = doc;
	s = service_new(&new->w, &kind, "");
	assert_non_null(s);
	assert_true(s->adopted && lives(pid));
	assert_int_equal(s->pid, pid);
	assert_int_equal(s->pidfd, was->pidfd);
	assert_int_equal(s->log_fd, was->log_fd);
	assert_memory_equal(&s->fsm, &was->fsm, sizeof s->fsm);
	assert_int_equal(s->restarts, 6);
	assert_int_equal(s->work, 99);
	assert_string_equal(s->status, was->status);
	assert_int_equal(s->log.used, 11);
	assert_memory_equal(s->log.line, "half a l\0ne", 11);
	assert_int_equal(json_array_size(json_object_get(doc, "services")), 0);
	json_decref(doc);
	pages_return(was, sizeof *was);
	bury(s, pid);
	close_stage(old);
	close_stage(new);
}

static void
refuse_with(const char *key, json_t *value)
{
	struct stage *old = open_stage(), *new = open_stage();
	struct service *was = open_service(old), *s;
	json_t *doc = hand_over(old);
	pid_t pid = was->pid;
	int tries;

	if (value != NULL)
		(void)json_object_set_new(service_of(doc), key, value);
	else
		(void)json_object_del(service_of(doc), key);
	new->w.past = doc;
	s = service_new(&new->w, &kind, "");
	assert_non_null(s);
	if (s->adopted)
		fail_msg("adopted with another %s", key);
	assert_int_equal(s->fsm.state, FSM_STOPPED);
	for (tries = 0; lives(pid) && tries < 5000; tries++)
		(void)usleep(1000);
	if (tries == 5000 && strcmp(key, "pid") != 0)
		fail_msg("the process outlived another %s", key);
	json_decref(doc);
	pages_return(was, sizeof *was);
	service_free(s);
	close_stage(old);
	close_stage(new);
}

static void
what_is_in_doubt_is_ended(void **state)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	refuse_with("pidfd", json_integer(null));
	refuse_with("pidfd", json_integer(-1));
	refuse_with("log_fd", json_integer(open("/dev/null", O_RDWR)));
	refuse_with("log_watch.fd", json_integer(100000));
	refuse_with("notify_watch.fd", json_integer(2));
	refuse_with("fsm.state", json_integer(FSM__STATES));
	refuse_with("fsm.state", json_integer(FSM_STOPPED));
	refuse_with("fsm.alive", json_integer(0));
	refuse_with("fsm.deadline_ms", json_integer(0));
	refuse_with("fsm.strike_next", json_integer(FSM_STRIKES));
	refuse_with("restarts", json_string("6"));
	refuse_with("restarts", NULL);
	refuse_with("log.line", json_string("xy"));
	refuse_with("log.line", NULL);
}

/* An image of another age: what came later is missing, or there is more. */
static void
an_image_of_another_age_is_taken_over(void **state)
{
	static const char *const later[] = {"limits.by[LIMIT_MEMORY]",
	    "limits.by[LIMIT_CPU]"};
	struct stage *old = open_stage(), *new = open_stage();
	struct service *was = open_service(old), *s;
	json_t *doc = hand_over(old);
	pid_t pid = was->pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof later / sizeof later[0]; i++)
		assert_int_equal(json_object_del(service_of(doc), later[i]), 0);
	assert_int_equal(
	    json_object_del(json_object_get(doc, "watchdog"), "late"), 0);
	(void)json_object_set_new(service_of(doc), "of.tomorrow",
	    json_integer(7));
	(void)json_object_set_new(doc, "tomorrow", json_array());
	new->w.late = 3;
	handover_take(&new->w, doc);
	assert_int_equal(new->w.late, 0);
	new->w.past = doc;
	s = service_new(&new->w, &kind, "");
	assert_non_null(s);
	assert_true(s->adopted && lives(pid));
	assert_int_equal(s->limits.by[LIMIT_CPU], 0);
	assert_int_equal(s->restarts, 6);
	json_decref(doc);
	pages_return(was, sizeof *was);
	bury(s, pid);
	close_stage(old);
	close_stage(new);
}

/* What would be the death of a daemon is found while it is still asked for. */
static void
a_check_looks_at_each_daemon(void **state)
{
	struct stage *st = open_stage();
	struct service *was = open_service(st);
	pid_t pid = was->pid;
	json_t *doc;

	(void)state;
	st->opts.check = true;
	doc = hand_over(st);
	assert_non_null(doc);
	json_decref(doc);
	was->fsm.strike_next = FSM_STRIKES;
	assert_null(hand_over(st));
	assert_int_equal(st->opts.inherit_fd, -1);
	assert_true(lives(pid));
	TAILQ_REMOVE(&st->w.services, was, link);
	bury(was, pid);
	close_stage(st);
}

static void
another_process_is_not_taken_for_it(void **state)
{
	struct stage *old = open_stage(), *new = open_stage();
	struct service *was = open_service(old), *s;
	json_t *doc = hand_over(old);
	pid_t pid = was->pid;

	(void)state;
	/* Of somebody else: neither adopted nor killed. */
	(void)json_object_set_new(service_of(doc), "pid",
	    json_integer(getppid()));
	new->w.past = doc;
	s = service_new(&new->w, &kind, "");
	assert_non_null(s);
	assert_false(s->adopted);
	assert_int_equal(kill(getppid(), 0), 0);
	json_decref(doc);
	pages_return(was, sizeof *was);
	service_free(s);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	close_stage(old);
	close_stage(new);
}

static void
a_document_is_taken_whole_or_not_at_all(void **state)
{
	struct stage *st = open_stage();
	struct daemon_opts o = {.inherit_fd = -1, .lock_fd = -1};
	json_t *doc = hand_over(st);
	size_t len, i;
	char *text;

	(void)state;
	assert_non_null(doc);
	text = spool_format(doc, &len);
	json_decref(doc);
	doc = handover_parse(text, len);
	assert_non_null(doc);
	json_decref(doc);
	for (i = 0; i < len; i++) {
		assert_null(handover_parse(text, i));
		text[i] ^= 1;
		assert_null(handover_parse(text, len));
		text[i] ^= 1;
	}
	free(text);
	/* Neither a file that is not sealed nor none at all. */
	assert_null(handover_open(&o));
	o.inherit_fd = dup(st->opts.lock_fd);
	assert_null(handover_open(&o));
	assert_int_equal(o.inherit_fd, -1);
	assert_int_equal(o.lock_fd, -1);
	close_stage(st);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_whole_goes_on_as_it_was),
	    cmocka_unit_test(what_is_in_doubt_is_ended),
	    cmocka_unit_test(an_image_of_another_age_is_taken_over),
	    cmocka_unit_test(a_check_looks_at_each_daemon),
	    cmocka_unit_test(another_process_is_not_taken_for_it),
	    cmocka_unit_test(a_document_is_taken_whole_or_not_at_all),
	};
	int failed;

	if (scratch_open(&scratch) == -1)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_close(&scratch);
	return failed;
}
