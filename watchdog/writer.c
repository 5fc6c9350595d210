/* SPDX-License-Identifier: ISC */
/* Records for a child that writes them. */
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/journal.h"
#include "common/log.h"
#include "watchdog/scribe.h"
#include "watchdog/watchdog.h"

#define LOOK_MS 1000
#define HANGS_MS 5000  /* for one record: a slow disk is none that hangs */
#define CLOSE_MS 10000 /* for the last ones */
#define PATIENCE 3     /* children that die of the same record */
#define STEP_NS 500000 /* between two looks while somebody waits */

static void on_look(struct loop *l, struct timer *t);

void
writer_open(struct watchdog *w)
{
	struct writer *r = &w->writer;
	void *box = mmap(NULL, sizeof *r->box, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (box == MAP_FAILED)
		fatal("watchdog: no memory for records");
	*r = (struct writer){.owner = w,
	    .box = box,
	    .pidfd = -1,
	    .wake_fd = -1,
	    .look.on = on_look,
	    .look.owner = w};
}

void
writer_begin(struct watchdog *w)
{
	w->writer.open = true;
	w->writer.seen_ms = clock_mono_ms();
	loop_after(&w->loop, &w->writer.look, LOOK_MS);
	writer_start(w);
}

/* Its memory is worth nothing to anybody now. */
static void
give_back(struct writer_box *b)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t head = offsetof(struct writer_box, ring.bytes);

	head = (head + page - 1) / page * page;

	(void)madvise((char *)b + head, sizeof *b / page * page - head,
	    MADV_REMOVE);
}

/* One that kills whoever carries it out is not tried for ever. */
static void
note_death(struct writer *r)
{
	struct ring *q = &r->box->ring;
	uint64_t done = atomic_load(&q->done);

	r->deaths = done == r->stuck ? r->deaths + 1 : 1;
	r->stuck = done;
	if (r->deaths < PATIENCE)
		return;
	ring_drop(q);
	r->dropped++;
	r->deaths = 0;
	log_warnx("records: one could not be written and is dropped");
}

static void
on_exit_seen(struct loop *l, struct watch *watch, short revents)
{
	struct watchdog *w = watch->owner;
	struct writer *r = &w->writer;
	siginfo_t si = {0};

	(void)revents;
	if (waitid(P_PIDFD, (id_t)r->pidfd, &si, WEXITED | WNOHANG) == 0 &&
	    si.si_pid == 0)
		return;
	loop_unwatch(l, watch);
	(void)close(r->pidfd);
	(void)close(r->wake_fd);
	r->pid = 0;
	r->pidfd = r->wake_fd = -1;
	atomic_store(&r->box->sleeping, false);
	atomic_store(&r->box->retire, false);
	if (ring_is_empty(&r->box->ring)) {
		give_back(r->box);
		w->rests = true;
		return;
	}
	if (si.si_code != CLD_EXITED)
		note_death(r);
	writer_start(w);
}

static pid_t
make_child(struct watchdog *w, const int fds[2])
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)close(fds[1]);
		scribe_run(w, fds[0]);
	}
	(void)close(fds[0]);
	return pid;
}

/* One that cannot be had now is tried again at the next look. */
void
writer_start(struct watchdog *w)
{
	struct writer *r = &w->writer;
	int fds[2];

	if (!r->open || r->pid != 0 || ring_is_empty(&r->box->ring) ||
	    pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return;
	r->pid = make_child(w, fds);
	if (r->pid == -1 || (r->pidfd = pidfd_open(r->pid, 0)) == -1) {
		if (r->pid != -1)
			spawn_abandon(r->pid);
		r->pid = 0;
		(void)close(fds[1]);
		return;
	}
	r->wake_fd = fds[1];
	r->exit = (struct watch){.fd = r->pidfd,
	    .events = POLLIN,
	    .on = on_exit_seen,
	    .owner = w};
	loop_watch(&w->loop, &r->exit);
}

static void
wake(struct watchdog *w)
{
	struct writer *r = &w->writer;

	if (r->pid == 0)
		writer_start(w);
	/* A pipe that is full has woken it long ago. */
	if (r->pid != 0 && atomic_load(&r->box->sleeping))
		(void)!write(r->wake_fd, "x", 1);
}

static bool
put(struct watchdog *w, enum writer_kind kind, const struct iovec *parts,
    size_t reserve)
{
	struct writer *r = &w->writer;
	int count = kind == WRITER_LOG ? 2 : 1;
	bool first = ring_is_empty(&r->box->ring);

	/* Before it can be seen, or it would be taken for an old one. */
	if (kind == WRITER_MEMORY)
		atomic_store(&r->box->newest,
		    atomic_load(&r->box->ring.records_put) + 1);
	if (!ring_put(&r->box->ring, kind, parts, count, reserve))
		return false;
	if (first) {
		r->seen = atomic_load(&r->box->ring.done);
		r->seen_ms = clock_mono_ms();
	}
	if (r->open && !r->look.armed)
		loop_after(&w->loop, &r->look, LOOK_MS);
	wake(w);
	return true;
}

bool
writer_put(struct watchdog *w, enum writer_kind kind, const void *bytes,
    size_t len)
{
	const struct iovec part = {.iov_base = (void *)(uintptr_t)bytes,
	    .iov_len = len};

	if (put(w, kind, &part, 0))
		return true;
	w->writer.dropped++;
	return false;
}

bool
writer_log(void *watchdog, const char *name, const char *line, size_t len)
{
	const struct iovec parts[2] = {
	    {.iov_base = (void *)(uintptr_t)name, .iov_len = strlen(name) + 1},
	    {.iov_base = (void *)(uintptr_t)line, .iov_len = len}};

	return put(watchdog, WRITER_LOG, parts, RING_ROOM / 2);
}

void
writer_journal(struct watchdog *w, const char *event, json_t *fields)
{
	size_t len = 0;
	char *line = journal_line(event, fields, &len);

	if (line != NULL)
		(void)writer_put(w, WRITER_JOURNAL, line, len);
	free(line);
}

void
writer_retire(struct watchdog *w)
{
	struct writer *r = &w->writer;

	if (r->pid == 0)
		return;
	atomic_store(&r->box->retire, true);
	(void)!write(r->wake_fd, "x", 1);
}

bool
writer_is_idle(const struct watchdog *w)
{
	return w->writer.pid == 0 && ring_is_empty(&w->writer.box->ring);
}

bool
writer_wait(struct watchdog *w, int64_t limit_ms)
{
	const struct timespec step = {.tv_nsec = STEP_NS};
	struct writer *r = &w->writer;
	const struct ring *q = &r->box->ring;
	uint64_t last = atomic_load(&q->records_put);
	int64_t until = clock_mono_ms() + limit_ms;

	while (
	    atomic_load(&q->records_done) < last && clock_mono_ms() < until) {
		(void)nanosleep(&step, NULL);
		/* One that was about to go may not have seen it. */
		if (r->pid != 0)
			on_exit_seen(&w->loop, &r->exit, POLLIN);
	}
	return atomic_load(&q->records_done) >= last;
}

static void
note_hanging(struct watchdog *w, bool hangs)
{
	struct writer *r = &w->writer;
	char subject[192], text[256];
	struct finding f = {.type = "disk-hangs",
	    .subject = subject,
	    .text = text,
	    .holds = hangs};

	if (hangs == (r->hangs_us != 0))
		return;
	if (hangs)
		r->hangs_us =
		    clock_wall_us() - (clock_mono_ms() - r->seen_ms) * 1000;
	(void)snprintf(subject, sizeof subject, "writes to %.150s",
	    w->tree->path);
	(void)snprintf(text, sizeof text,
	    hangs ? "writes to %.120s or the logs hang: %" PRIu64
		    " records wait, %" PRIu64 " were dropped"
		  : "writes to %.120s go on: %" PRIu64 " records wait, %" PRIu64
		    " were dropped",
	    w->tree->path, ring_count(&r->box->ring), r->dropped);
	check_note(w, &f);
	if (!hangs)
		r->hangs_us = 0;
}

static void
on_look(struct loop *l, struct timer *t)
{
	struct watchdog *w = t->owner;
	struct writer *r = &w->writer;
	uint64_t done = atomic_load(&r->box->ring.done);
	bool empty = ring_is_empty(&r->box->ring);
	int64_t now = clock_mono_ms();

	if (empty || done != r->seen) {
		r->seen = done;
		r->seen_ms = now;
	}
	/* Without a child it is no disk's fault. */
	note_hanging(w, r->pid != 0 && now - r->seen_ms >= HANGS_MS);
	writer_start(w);
	if (!ring_is_empty(&r->box->ring))
		loop_after(l, t, LOOK_MS);
}

void
writer_close(struct watchdog *w)
{
	struct writer *r = &w->writer;
	int64_t until = clock_mono_ms() + CLOSE_MS;
	uint64_t left;

	writer_start(w);
	writer_retire(w);
	while (!writer_is_idle(w) && clock_mono_ms() < until)
		loop_turn(&w->loop, 100);
	left = ring_count(&r->box->ring);
	log_divert(NULL, NULL);
	if (left > 0)
		log_warnx("records: %" PRIu64 " are left to a writer that a "
			  "disk holds",
		    left);
	if (r->pid != 0)
		loop_unwatch(&w->loop, &r->exit);
	loop_cancel(&w->loop, &r->look);
}

bool
writer_hangs(const struct watchdog *w)
{
	return w->writer.hangs_us != 0;
}

json_t *
writer_json(const struct watchdog *w)
{
	const struct writer *r = &w->writer;
	char since[ISO_TIME_SIZE] = "";

	if (r->hangs_us != 0)
		clock_iso(r->hangs_us, since);
	return json_pack("{s:I, s:I, s:I, s:s}", "waiting",
	    (json_int_t)ring_count(&r->box->ring), "dropped",
	    (json_int_t)r->dropped, "lost_lines",
	    (json_int_t)atomic_load(&r->box->lost), "hangs_since", since);
}
