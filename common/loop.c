/* SPDX-License-Identifier: ISC */
/* One poll(2) loop for every daemon: fair between watches, deadlines on the
 * monotonic clock, nothing allocated. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"

static void
on_signals(struct loop *l, struct watch *w, short revents)
{
	struct signalfd_siginfo si;
	ssize_t n;

	(void)revents;
	while (!l->stop) {
		n = read(w->fd, &si, sizeof si);
		if (n != (ssize_t)sizeof si)
			return;
		if (l->on_signal != NULL)
			l->on_signal(l, &si);
		else if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			l->stop = true;
	}
}

int
loop_open(struct loop *l, void *owner,
    void (*on_signal)(struct loop *, const struct signalfd_siginfo *))
{
	static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction dflt = {.sa_handler = SIG_DFL};
	sigset_t set;
	size_t i;

	memset(l, 0, sizeof *l);
	TAILQ_INIT(&l->watches);
	TAILQ_INIT(&l->timers);
	l->owner = owner;
	l->on_signal = on_signal;
	l->signal_fd = -1;

	/* An ignored signal never reaches a signalfd: nohup(1) ignores HUP,
	 * and a careless parent may have ignored the others. */
	(void)sigemptyset(&set);
	for (i = 0; i < sizeof caught / sizeof caught[0]; i++) {
		(void)sigaddset(&set, caught[i]);
		if (sigaction(caught[i], &dflt, NULL) == -1)
			return -1;
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1 ||
	    sigaction(SIGPIPE, &ignore, NULL) == -1)
		return -1;
	l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signal_fd == -1)
		return -1;
	l->signals = (struct watch){.fd = l->signal_fd,
	    .events = POLLIN,
	    .on = on_signals};
	loop_watch(l, &l->signals);
	return 0;
}

void
loop_close(struct loop *l)
{
	int saved = errno;

	if (l->signal_fd != -1)
		(void)close(l->signal_fd);
	l->signal_fd = -1;
	TAILQ_INIT(&l->watches);
	TAILQ_INIT(&l->timers);
	errno = saved;
}

void
loop_watch(struct loop *l, struct watch *w)
{
	if (w->armed)
		return;
	w->armed = true;
	TAILQ_INSERT_TAIL(&l->watches, w, link);
}

void
loop_unwatch(struct loop *l, struct watch *w)
{
	if (!w->armed)
		return;
	w->armed = false;
	TAILQ_REMOVE(&l->watches, w, link);
}

void
loop_after(struct loop *l, struct timer *t, int64_t delay_ms)
{
	struct timer *other;

	loop_cancel(l, t);
	t->at_ms = clock_mono_ms() + (delay_ms > 0 ? delay_ms : 0);
	t->armed = true;
	/* Sorted; behind those of the same instant, so that timers which
	 * re-arm themselves at once do not starve each other. */
	TAILQ_FOREACH (other, &l->timers, link)
		if (other->at_ms > t->at_ms)
			break;
	if (other != NULL)
		TAILQ_INSERT_BEFORE(other, t, link);
	else
		TAILQ_INSERT_TAIL(&l->timers, t, link);
}

void
loop_cancel(struct loop *l, struct timer *t)
{
	if (!t->armed)
		return;
	t->armed = false;
	TAILQ_REMOVE(&l->timers, t, link);
}

static int
poll_timeout(const struct loop *l, int max_ms)
{
	const struct timer *first = TAILQ_FIRST(&l->timers);
	int64_t wait_ms;

	if (first == NULL)
		return max_ms;
	wait_ms = first->at_ms - clock_mono_ms();
	if (wait_ms < 0)
		wait_ms = 0;
	if (wait_ms > INT_MAX)
		wait_ms = INT_MAX;
	return max_ms >= 0 && max_ms < wait_ms ? max_ms : (int)wait_ms;
}

/* Timers that are due now; one that a handler arms anew waits for the next
 * turn, so that watches get theirs. */
static void
fire_timers(struct loop *l)
{
	int64_t now = clock_mono_ms();
	struct timer *t;
	int limit = LOOP_WATCHES;

	while (!l->stop && limit-- > 0) {
		t = TAILQ_FIRST(&l->timers);
		if (t == NULL || t->at_ms > now)
			return;
		l->idle = false;
		loop_cancel(l, t);
		t->on(l, t);
	}
}

static size_t
fill(const struct loop *l, struct pollfd *fds)
{
	struct watch *w;
	size_t n = 0;

	TAILQ_FOREACH (w, &l->watches, link) {
		if (n == LOOP_WATCHES)
			fatalx("loop: more than %d watches", LOOP_WATCHES);
		fds[n++] = (struct pollfd){.fd = w->fd, .events = w->events};
	}
	return n;
}

/* The first that is ready; fds are in the list's order. To the tail before its
 * handler is called, which may remove and free it; so the next turn begins with
 * the others. */
static void
fire_watch(struct loop *l, const struct pollfd *fds)
{
	struct watch *w = TAILQ_FIRST(&l->watches);

	for (; w != NULL && fds->revents == 0; fds++)
		w = TAILQ_NEXT(w, link);
	if (w == NULL)
		return;
	TAILQ_REMOVE(&l->watches, w, link);
	TAILQ_INSERT_TAIL(&l->watches, w, link);
	w->on(l, w, fds->revents);
}

/* Most of them is never looked at: not worth being cleared each turn. */
#define UNTOUCHED __attribute__((uninitialized))

static void
note_turn(struct loop *l, int64_t begin_ms)
{
	int64_t took_ms = clock_mono_ms() - begin_ms;

	if (took_ms > l->slowest_ms)
		l->slowest_ms = took_ms;
}

void
loop_turn(struct loop *l, int max_ms)
{
	struct pollfd fds[LOOP_WATCHES] UNTOUCHED;
	nfds_t n = (nfds_t)fill(l, fds);
	int ready = poll(fds, n, poll_timeout(l, max_ms));
	int64_t begin_ms = clock_mono_ms();

	if (ready == -1 && errno != EINTR && errno != EAGAIN && errno != ENOMEM)
		fatal("loop: poll failed");
	l->idle = ready <= 0;
	if (ready > 0)
		fire_watch(l, fds);
	fire_timers(l);
	note_turn(l, begin_ms);
}

void
loop_run(struct loop *l)
{
	while (!l->stop)
		loop_turn(l, -1);
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
}

bool
loop_stopping(const struct loop *l)
{
	sigset_t waiting;

	return l->stop || (sigpending(&waiting) == 0 &&
			      (sigismember(&waiting, SIGTERM) == 1 ||
				  sigismember(&waiting, SIGINT) == 1));
}
