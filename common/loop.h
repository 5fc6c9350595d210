/* SPDX-License-Identifier: ISC */
/*
 * poll(2) + signalfd + monotonic deadlines. Watches and timers are embedded
 * in their owners; the loop allocates nothing. One watch fires a turn, so a
 * handler may remove any watch or timer, its own too.
 */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;

struct watch {
	int fd;
	short events; /* POLLIN ... */
	void (*on)(struct loop *, struct watch *, short revents);
	void *owner;
	TAILQ_ENTRY(watch) link;
	bool armed;
};

struct timer {
	int64_t at_ms; /* monotonic */
	void (*on)(struct loop *, struct timer *);
	void *owner;
	TAILQ_ENTRY(timer) link;
	bool armed;
};

#define LOOP_WATCHES 768

struct loop {
	TAILQ_HEAD(watch_list, watch) watches;
	TAILQ_HEAD(timer_list, timer) timers;
	int signal_fd;
	struct watch signals;
	void (*on_signal)(struct loop *, const struct signalfd_siginfo *);
	void *owner;        /* the daemon's state, for on_signal */
	int64_t slowest_ms; /* turn: so long nobody else was attended to */
	bool idle;          /* the last turn had nothing to do */
	bool stop;
};

/*
 * Blocks TERM INT HUP CHLD USR1 and ignores PIPE. 0, or -1. on_signal may be
 * NULL: TERM and INT then stop the loop.
 */
int loop_open(struct loop *l, void *owner,
    void (*on_signal)(struct loop *, const struct signalfd_siginfo *));
void loop_close(struct loop *l);
void loop_watch(struct loop *l, struct watch *w);
void loop_unwatch(struct loop *l, struct watch *w);
/* (Re-)arms t in delay_ms from now. */
void loop_after(struct loop *l, struct timer *t, int64_t delay_ms);
void loop_cancel(struct loop *l, struct timer *t);
void loop_run(struct loop *l); /* until loop_stop */
void loop_stop(struct loop *l);
/* Stopped, or TERM or INT waits to be read: for a handler that works through
 * a long list. */
bool loop_stopping(const struct loop *l);
/* One turn of at most max_ms (-1: until something happens). */
void loop_turn(struct loop *l, int max_ms);

#endif
