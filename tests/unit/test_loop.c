/* SPDX-License-Identifier: ISC */
/* loop, hint and the heartbeat's client: fairness, deadlines, never blocking.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

#include "common/beat.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/hint.h"
#include "common/loop.h"

struct seen {
	int order[16];
	int count;
	int hints;
	int signal;
	struct loop *loop;
	struct watch *victim;
};

static void
note(struct seen *s, int what)
{
	if (s->count < 16)
		s->order[s->count++] = what;
}

static void
on_readable(struct loop *l, struct watch *w, short revents)
{
	struct seen *s = w->owner;

	assert_true((revents & POLLIN) != 0);
	note(s, w->fd);
	if (s->victim != NULL) {
		loop_unwatch(l, s->victim);
		loop_unwatch(l, w);
	}
}

static void
on_time(struct loop *l, struct timer *t)
{
	struct seen *s = t->owner;

	(void)l;
	note(s, (int)(t->at_ms % 100000));
}

static void
on_signal(struct loop *l, const struct signalfd_siginfo *si)
{
	struct seen *s = l->owner;

	s->signal = (int)si->ssi_signo;
}

static void
ready_watches_take_turns(void **state)
{
	struct loop l;
	struct seen s = {0};
	int a[2], b[2], i;
	struct watch wa = {.events = POLLIN, .on = on_readable, .owner = &s};
	struct watch wb = wa;

	(void)state;
	assert_int_equal(loop_open(&l, &s, NULL), 0);
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(write(b[1], "x", 1), 1);
	wa.fd = a[0];
	wb.fd = b[0];
	loop_watch(&l, &wa);
	loop_watch(&l, &wb);
	for (i = 0; i < 6; i++)
		loop_turn(&l, 0);
	/* Neither is drained, and neither starves. */
	assert_int_equal(s.count, 6);
	for (i = 1; i < 6; i++)
		assert_int_not_equal(s.order[i], s.order[i - 1]);
	/* A handler may remove another that is ready, and itself. */
	s.count = 0;
	s.victim = s.order[5] == wa.fd ? &wa : &wb;
	loop_turn(&l, 0);
	assert_false(l.idle);
	loop_turn(&l, 0);
	assert_true(l.idle);
	assert_int_equal(s.count, 1);
	assert_false(wa.armed || wb.armed);
	loop_close(&l);
	(void)close(a[0]);
	(void)close(a[1]);
	(void)close(b[0]);
	(void)close(b[1]);
}

static void
timers_fire_in_order_and_not_early(void **state)
{
	struct loop l;
	struct seen s = {0};
	struct timer t[3] = {{.on = on_time, .owner = &s},
	    {.on = on_time, .owner = &s}, {.on = on_time, .owner = &s}};
	int64_t begin = clock_mono_ms();

	(void)state;
	assert_int_equal(loop_open(&l, &s, NULL), 0);
	loop_after(&l, &t[0], 60);
	loop_after(&l, &t[1], 20);
	loop_after(&l, &t[2], 40);
	loop_cancel(&l, &t[2]);
	while (s.count < 2)
		loop_turn(&l, -1);
	assert_false(l.idle);
	assert_true(clock_mono_ms() - begin >= 60);
	assert_int_equal(s.order[0], (int)(t[1].at_ms % 100000));
	assert_int_equal(s.order[1], (int)(t[0].at_ms % 100000));
	assert_false(t[2].armed);
	loop_close(&l);
}

static void
on_slow_time(struct loop *l, struct timer *t)
{
	(void)l;
	(void)t;
	(void)usleep(30000);
}

static void
the_slowest_turn_is_known_and_waiting_is_none(void **state)
{
	struct loop l;
	struct seen s = {0};
	struct timer quick = {.on = on_time, .owner = &s};
	struct timer slow = {.on = on_slow_time};

	(void)state;
	assert_int_equal(loop_open(&l, &s, on_signal), 0);
	loop_after(&l, &quick, 3000);
	loop_turn(&l, -1);
	assert_in_range(l.slowest_ms, 0, 2000); /* a busy machine's */
	loop_after(&l, &slow, 0);
	loop_turn(&l, -1);
	assert_true(l.slowest_ms >= 30);
	loop_close(&l);
}

static void
signals_come_through_the_loop(void **state)
{
	struct loop l;
	struct seen s = {0};

	(void)state;
	/* As nohup(1) leaves it. */
	(void)signal(SIGHUP, SIG_IGN);
	assert_int_equal(loop_open(&l, &s, on_signal), 0);
	assert_int_equal(raise(SIGHUP), 0);
	loop_turn(&l, 1000);
	assert_int_equal(s.signal, SIGHUP);
	loop_close(&l);
	/* Without a handler TERM ends the loop. */
	assert_int_equal(loop_open(&l, &s, NULL), 0);
	assert_int_equal(raise(SIGTERM), 0);
	loop_run(&l);
	assert_true(l.stop);
	loop_close(&l);
}

static void
on_hint(struct hint *h)
{
	struct seen *s = h->owner;

	s->hints++;
}

static void
a_burst_of_files_is_one_hint(void **state)
{
	char dir[] = "patchflow-hint.XXXXXX", path[64];
	struct loop l;
	struct seen s = {0};
	struct hint h;
	int i, fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(loop_open(&l, &s, NULL), 0);
	assert_int_equal(hint_open(&h, &l, &s, on_hint), 0);
	assert_int_equal(hint_dir(&h, dir), 0);
	assert_int_equal(hint_dir(&h, "/nonexistent"), -1);
	for (i = 0; i < 50; i++) {
		(void)snprintf(path, sizeof path, "%s/%d", dir, i);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		assert_true(fd >= 0);
		(void)close(fd);
	}
	loop_turn(&l, 1000);
	assert_int_equal(s.hints, 1);
	for (i = 0; i < 50; i++) {
		(void)snprintf(path, sizeof path, "%s/%d", dir, i);
		assert_int_equal(unlink(path), 0);
	}
	loop_turn(&l, 1000);
	/* The directory's own end is a hint as well. */
	assert_int_equal(rmdir(dir), 0);
	loop_turn(&l, 1000);
	assert_true(s.hints >= 3);
	hint_close(&h, &l);
	loop_close(&l);
}

static void
a_replaced_directory_is_watched_on(void **state)
{
	char dir[] = "patchflow-hint.XXXXXX", old[64], path[64];
	struct loop l;
	struct seen s = {0};
	struct hint h;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(old, sizeof old, "%s.old", dir);
	(void)snprintf(path, sizeof path, "%s/sub", dir);
	assert_int_equal(loop_open(&l, &s, NULL), 0);
	assert_int_equal(hint_open(&h, &l, &s, on_hint), 0);
	assert_int_equal(hint_dir(&h, dir), 0);
	assert_int_equal(rename(dir, old), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(rmdir(old), 0);
	loop_turn(&l, 1000);
	s.hints = 0;
	assert_int_equal(mkdir(path, 0700), 0);
	loop_turn(&l, 1000);
	assert_int_equal(s.hints, 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
	hint_close(&h, &l);
	loop_close(&l);
}

static ssize_t
hear(int fd, char *text, size_t size)
{
	ssize_t n = recv(fd, text, size - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return n;
}

static void
beats_say_what_is_new_and_never_block(void **state)
{
	struct daemon_opts o = {.name = "test"};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(sa_family_t);
	char text[512], name[64];
	int64_t begin;
	int fd, i;

	(void)state;
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	len = sizeof a;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	(void)snprintf(name, sizeof name, "@%.*s",
	    (int)(len - sizeof(sa_family_t) - 1), a.sun_path + 1);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "100000", 1), 0);
	beat_open();
	/* No command of ours may speak for us. */
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_int_equal(daemon_beat_interval(), 50);
	daemon_ready(&o);
	assert_true(hear(fd, text, sizeof text) > 0);
	assert_non_null(strstr(text, "READY=1\n"));
	daemon_beat(0, 0, "idle");
	assert_true(hear(fd, text, sizeof text) > 0);
	assert_non_null(strstr(text, "X_WORK=0\n"));
	/* Nothing new and no time gone: silence. The first unit of work is
	 * said at once, whatever the time. */
	daemon_beat(0, 0, "idle");
	assert_int_equal(hear(fd, text, sizeof text), -1);
	daemon_beat(1, 7, "working");
	assert_true(hear(fd, text, sizeof text) > 0);
	assert_non_null(strstr(text, "WATCHDOG=1\nX_WORK=1\nX_BUSY_MS=7\n"));
	/* So is another word for people, a tenth of a second later at most:
	 * long before it is time for the next beat anyway. */
	assert_int_equal(setenv("WATCHDOG_USEC", "9000000", 1), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	beat_open();
	assert_int_equal(daemon_beat_interval(), 4500);
	begin = clock_mono_ms();
	while (!daemon_beat(1, 7, "another"))
		assert_true(clock_mono_ms() - begin < 3000);
	assert_true(hear(fd, text, sizeof text) > 0);
	assert_non_null(strstr(text, "STATUS=another\n"));
	assert_true(daemon_beat(1, 7, "another"));
	assert_int_equal(hear(fd, text, sizeof text), -1);
	/* Nobody reads: the queue fills, and we go on. */
	begin = clock_mono_ms();
	for (i = 0; i < 5000; i++)
		daemon_stopping();
	assert_true(clock_mono_ms() - begin < 5000);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ready_watches_take_turns),
	    cmocka_unit_test(timers_fire_in_order_and_not_early),
	    cmocka_unit_test(the_slowest_turn_is_known_and_waiting_is_none),
	    cmocka_unit_test(signals_come_through_the_loop),
	    cmocka_unit_test(a_burst_of_files_is_one_hint),
	    cmocka_unit_test(a_replaced_directory_is_watched_on),
	    cmocka_unit_test(beats_say_what_is_new_and_never_block),
	};

	const char *scratch = getenv("TMPDIR");

	if (chdir(scratch != NULL ? scratch : "/tmp") == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
