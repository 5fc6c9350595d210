/* SPDX-License-Identifier: ISC */
/* The record of what is in hand, and the judgement over a death. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/deaths.h"
#include "common/log.h"
#include "common/sys.h"
#include "executor/executor.h"
#include "executor/tries.h"

#define HAND_FILE "hand"
#define HAND_SIZE 1024 /* KEYs are short */
#define HAND_FORMAT "patchflow-hand-1"
#define SUPERVISOR "watchdog"
#define RECORD_MS 3000 /* for the record of a death */

/* A record, as another executor wrote it. */
struct grasp {
	char boot_id[64];
	long pid;
	long supervisor; /* 0: none */
	struct queue_name name;
	char death[64]; /* what tells this death from any other */
};

/* Ours, where it is our parent: else nobody tells how we end. */
static long
supervisor_of(const struct tree *t)
{
	char text[32] = "";
	int fd = openat(t->run, SUPERVISOR ".lock", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd != -1 ? read(fd, text, sizeof(text) - 1) : -1;
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (fd != -1)
		(void)close(fd);
	return pid == (long)getppid() ? pid : 0;
}

static void
write_record(struct hand *h)
{
	json_t *doc = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:s,s:i}", "format",
	    HAND_FORMAT, "boot_id", clock_boot_id(), "pid",
	    (json_int_t)getpid(), "started", (json_int_t)h->started,
	    "supervisor", (json_int_t)h->supervisor, "taken",
	    (json_int_t)h->taken, "key", h->key, "attempt", h->attempt);
	char bytes[HAND_SIZE];
	size_t len = 0;
	char *text = spool_format(doc, &len);

	memset(bytes, ' ', sizeof(bytes));
	if (text != NULL && len <= sizeof(bytes))
		memcpy(bytes, text, len);
	/* It fits into a page and is not synced: the file was made whole. */
	if (sys_pwrite(h->fd, bytes, sizeof(bytes), 0) !=
	    (ssize_t)sizeof(bytes))
		log_debug("%s: not written", HAND_FILE);
	free(text);
	json_decref(doc);
}

/* 1 with *g filled, 0: its hands were empty, or there is no telling. */
static int
read_record(int fd, struct grasp *g)
{
	char bytes[HAND_SIZE];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
	json_int_t pid = 0, started = 0, supervisor = 0, taken = 0;
	const char *boot_id = "", *key = "";
	json_t *doc;

	memset(g, 0, sizeof(*g));
	while (n > 0 && bytes[n - 1] == ' ')
		n--;
	doc = n > 0 ? spool_check(bytes, (size_t)n) : NULL;
	if (doc == NULL)
		return 0;
	if (json_unpack(doc, "{s:s,s:I,s:I,s:I,s:I,s:s,s:i}", "boot_id",
		&boot_id, "pid", &pid, "started", &started, "supervisor",
		&supervisor, "taken", &taken, "key", &key, "attempt",
		&g->name.attempt) == 0) {
		(void)strlcpy(g->boot_id, boot_id, sizeof(g->boot_id));
		(void)strlcpy(g->name.key, key, sizeof(g->name.key));
		g->pid = (long)pid;
		g->supervisor = (long)supervisor;
		(void)snprintf(g->death, sizeof(g->death), "%lld.%lld.%lld",
		    (long long)pid, (long long)started, (long long)taken);
	}
	json_decref(doc);
	return g->name.key[0] != '\0';
}

static bool
is_of(const json_t *death, const struct executor *ex, const struct grasp *g)
{
	const char *daemon =
	    json_string_value(json_object_get(death, "daemon"));

	return daemon != NULL && strcmp(daemon, ex->instance) == 0 &&
	       json_integer_value(json_object_get(death, "pid")) == g->pid;
}

/* The last one is meant: numbers of processes come back. */
static bool
was_its_own(const json_t *death)
{
	static const char *const outside[] = {"stopped", "stuck",
	    "killed-from-outside", "asked-from-outside"};
	const char *reason =
	    json_string_value(json_object_get(death, "reason"));

	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		if (reason != NULL && strcmp(reason, outside[i]) == 0)
			return false;
	}
	return true;
}

/* 1 with *own, 0 the black box does not tell of it, -1 there is none. */
static int
look_up(struct executor *ex, const struct grasp *g, int dir, bool *own)
{
	json_t *all = deaths_read(dir);
	const json_t *one, *last = NULL;
	size_t i;

	if (all == NULL)
		return -1;
	json_array_foreach (all, i, one) {
		if (is_of(one, ex, g))
			last = one;
	}
	*own = last != NULL && was_its_own(last);
	json_decref(all);
	return last != NULL;
}

/*
 * The black box holds every end that was not asked for. Under our supervisor
 * one that it does not hold was asked for, or was the supervisor's own. It is
 * written a moment after the next one was started: us.
 */
static bool
judge_box(struct executor *ex, const struct grasp *g)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000000L};
	bool alive = g->supervisor == ex->hand.supervisor;
	int64_t deadline = clock_mono_ms() + (alive ? RECORD_MS : 0);
	int dir = openat(ex->tree->state, SUPERVISOR,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool own = true;

	/* The first death of all makes the box. */
	while (dir != -1 && look_up(ex, g, dir, &own) != 1 &&
	       clock_mono_ms() < deadline)
		(void)nanosleep(&pause, NULL);
	if (dir != -1)
		(void)close(dir);
	return own;
}

static bool
is_blamed(struct executor *ex, const struct grasp *g)
{
	if (strcmp(g->boot_id, clock_boot_id()) != 0)
		return false;
	/* What has an outcome has survived whoever wrote it. */
	if (tree_find_outcome(ex->q, g->name.key, g->name.attempt) != BOX__MAX)
		return false;
	return g->supervisor == 0 || judge_box(ex, g);
}

static void
count(struct executor *ex, const struct grasp *g)
{
	const char *key = g->name.key;
	struct tries t;

	if (tries_load(&ex->state, key, &t) == -1) {
		log_warn("%s: a crash is not counted", key);
		return;
	}
	if (t.attempt != g->name.attempt)
		tries_begin(&t, g->name.attempt);
	if (strcmp(t.last_death, g->death) == 0)
		return;
	(void)strlcpy(t.last_death, g->death, sizeof(t.last_death));
	t.crashes++;
	log_warnx("%s: the executor died with it in hand, time %d", key,
	    t.crashes);
	if (tries_save(&ex->state, key, &t) != SPOOL_DONE)
		log_warn("%s: a crash is not counted", key);
}

void
hand_open(struct executor *ex)
{
	struct hand *h = &ex->hand;
	struct grasp g;

	*h = (struct hand){.started = jail_start_time(getpid()),
	    .supervisor = supervisor_of(ex->tree)};
	h->fd = sys_openat(ex->state.dir, HAND_FILE,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (h->fd == -1) {
		log_warn("%s: not opened, crashes are not counted", HAND_FILE);
		return;
	}
	if (read_record(h->fd, &g) == 1 && is_blamed(ex, &g)) {
		h->blamed = g.name;
		count(ex, &g);
	}
}

void
hand_close(struct executor *ex)
{
	hand_rest(ex);
}

void
hand_take(struct executor *ex, const char *key, int attempt)
{
	struct hand *h = &ex->hand;

	if (ex->dry.on || h->fd == -1 ||
	    (h->attempt == attempt && strcmp(h->key, key) == 0))
		return;
	(void)strlcpy(h->key, key, sizeof(h->key));
	h->attempt = attempt;
	h->taken++;
	write_record(h);
}

void
hand_drop(struct executor *ex)
{
	const struct run *r = &ex->run;

	hand_take(ex, r->active ? r->name.key : "",
	    r->active ? r->name.attempt : 0);
}

void
hand_rest(struct executor *ex)
{
	struct hand *h = &ex->hand;

	if (ex->dry.on || h->fd == -1)
		return;
	hand_take(ex, "", 0);
	(void)close(h->fd);
	h->fd = -1;
}
