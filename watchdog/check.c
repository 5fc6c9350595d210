/* SPDX-License-Identifier: ISC */
/* The look around, every watchdog.check. */
#include <sys/stat.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "watchdog/watchdog.h"

#define OUTCOMES_LOOKED_AT 256
#define CLOCK_JUMP_MS 2000 /* less is what time servers do */

static struct trouble *
find(const struct check *c, const char *type, const char *subject)
{
	size_t i;

	for (i = 0; i < c->trouble_count; i++) {
		const struct trouble *t = &c->troubles[i];

		if (strcmp(t->type, type) == 0 &&
		    strcmp(t->subject, subject) == 0)
			return (struct trouble *)(uintptr_t)t;
	}
	return NULL;
}

bool
check_holds(const struct check *c, const char *type, const char *subject)
{
	return find(c, type, subject) != NULL;
}

void
check_recall(struct check *c, const char *type, const char *subject)
{
	struct trouble *t;

	if (c->trouble_count == CHECK_TROUBLES)
		return;
	t = &c->troubles[c->trouble_count++];
	(void)strlcpy(t->type, type, sizeof t->type);
	(void)strlcpy(t->subject, subject, sizeof t->subject);
}

json_t *
check_troubles(const struct check *c)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < c->trouble_count; i++)
		(void)json_array_append_new(all,
		    json_pack("[ss]", c->troubles[i].type,
			c->troubles[i].subject));
	return all;
}

void
check_note(struct watchdog *w, const struct finding *f)
{
	struct trouble *t = find(&w->check, f->type, f->subject);
	struct report_entry e = {.severity = ALERT_WARNING,
	    .resolved = !f->holds};

	if ((t != NULL) == f->holds)
		return;
	if (t != NULL)
		*t = w->check.troubles[--w->check.trouble_count];
	else
		check_recall(&w->check, f->type, f->subject);
	(void)strlcpy(e.type, f->type, sizeof e.type);
	(void)strlcpy(e.subject, f->subject, sizeof e.subject);
	(void)strlcpy(e.text, f->text, sizeof e.text);
	if (f->queue != NULL)
		(void)strlcpy(e.queue, f->queue, sizeof e.queue);
	report_alert(w, &e);
	(void)memory_save(w);
}

/* With a quarter's play, so that a queue around the limit is one trouble. */
static void
check_depth(struct watchdog *w, const char *queue, size_t depth)
{
	int64_t limit = w->settings->watchdog.queue_depth;
	bool before = check_holds(&w->check, "queue-depth", queue);
	char text[160];
	struct finding f = {.type = "queue-depth",
	    .subject = queue,
	    .queue = queue,
	    .text = text};

	f.holds = (int64_t)depth >= limit ||
		  (before && (int64_t)depth * 4 > limit * 3);
	(void)snprintf(text, sizeof text,
	    "%zu patches wait in queue %s, the limit is %" PRId64, depth, queue,
	    limit);
	check_note(w, &f);
}

/* A person's alarm clock and nothing more: wall time decides nothing else. */
static void
check_age(struct watchdog *w, const char *queue, int64_t oldest_us)
{
	int64_t limit_ms = w->settings->watchdog.stale_patch;
	int64_t age_ms =
	    oldest_us == 0 ? 0 : (clock_wall_us() - oldest_us) / 1000;
	char age[64], text[192];
	struct finding f = {.type = "stale-patch",
	    .subject = queue,
	    .queue = queue,
	    .text = text,
	    .holds = age_ms > limit_ms};

	clock_human_span(age_ms > 0 ? age_ms : 0, age, sizeof age);
	(void)snprintf(text, sizeof text,
	    "the oldest patch in queue %s waits for %s", queue, age);
	check_note(w, &f);
}

static int64_t
oldest_time(const struct spool_names *n)
{
	struct queue_name q;
	int64_t oldest = 0;
	size_t i;

	for (i = 0; i < n->count; i++) {
		int64_t at;

		if (key_parse_queue_file(n->names[i], &q) == -1)
			continue;
		at = key_time_us(q.key);
		if (oldest == 0 || at < oldest)
			oldest = at;
	}
	return oldest;
}

static const char *
first_patch(const struct spool_names *n)
{
	struct queue_name q;
	size_t i;

	for (i = 0; i < n->count; i++)
		if (key_parse_queue_file(n->names[i], &q) == 0)
			return n->names[i];
	return NULL;
}

static void
check_patches(struct watchdog *w, struct queue_tree *q)
{
	struct spool_names n = {0};

	if (spool_list(q->dir[Q_PATCHES], CHECK_NAMES, &n) == -1) {
		log_warn("%s/%s: not listed", q->name,
		    queue_dir_path[Q_PATCHES]);
		return;
	}
	check_depth(w, q->name, n.count);
	check_age(w, q->name, oldest_time(&n));
	check_progress(w, q, first_patch(&n));
	spool_names_free(&n);
}

/* How many outcomes in dir are older than limit. mtime is when it was
 * written; the renames since have not changed it. */
static size_t
count_old(int dir, int64_t limit_ms)
{
	struct spool_names n = {0};
	int64_t now_us = clock_wall_us();
	struct stat st;
	size_t i, old = 0;

	if (spool_list(dir, OUTCOMES_LOOKED_AT, &n) == -1)
		return 0;
	for (i = 0; i < n.count; i++) {
		if (fstatat(dir, n.names[i], &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (now_us - st.st_mtim.tv_sec * INT64_C(1000000) >
		    limit_ms * 1000)
			old++;
	}
	spool_names_free(&n);
	return old;
}

static void
check_summaries(struct watchdog *w, const struct queue_tree *q)
{
	int64_t limit_ms = w->settings->watchdog.summary_delay;
	size_t old = count_old(q->outcomes.dir[BOX_NEW], limit_ms) +
		     count_old(q->outcomes.dir[BOX_CUR], limit_ms);
	char limit[64], text[192];
	struct finding f = {.type = "summary-missing",
	    .subject = q->name,
	    .queue = q->name,
	    .text = text,
	    .holds = old > 0};

	clock_human_span(limit_ms, limit, sizeof limit);
	(void)snprintf(text, sizeof text,
	    "%zu finished patches of queue %s have no summary after %s", old,
	    q->name, limit);
	check_note(w, &f);
}

/* Somebody may have helped with chmod(1) or chown(1). */
static void
check_rights(struct watchdog *w)
{
	const struct tree *t = w->tree;
	const int dirs[] = {t->root, t->run, t->state, t->ids, t->journal,
	    t->bad, t->inbox.dir[BOX_CUR]};
	struct stat st, root = {0};
	char text[320];
	struct finding f = {.type = "spool-rights",
	    .subject = "spool",
	    .text = text};
	size_t i;

	(void)fstat(t->root, &root);
	for (i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
		if (dirs[i] != -1 && fstat(dirs[i], &st) == 0 &&
		    (st.st_uid != root.st_uid || (st.st_mode & 0002) != 0))
			f.holds = true;
	/* Another directory, or none, has its name now. */
	if (stat(t->path, &st) == -1 || st.st_ino != root.st_ino ||
	    st.st_dev != root.st_dev)
		f.holds = true;
	(void)snprintf(text, sizeof text,
	    f.holds ? "%.200s was moved, or has directories of another owner "
		      "or that everybody may write to; a restart of the suite "
		      "sets them right"
		    : "%.200s is as it should be",
	    t->path);
	check_note(w, &f);
}

/* Deadlines do not follow the wall clock; people who read times do. */
static void
check_clock(struct watchdog *w)
{
	int64_t ahead_ms = clock_wall_us() / 1000 - clock_mono_ms();
	int64_t jump_ms = ahead_ms - w->check.wall_ahead_ms;

	w->check.wall_ahead_ms = ahead_ms;
	if (jump_ms > -CLOCK_JUMP_MS && jump_ms < CLOCK_JUMP_MS)
		return;
	log_warnx("watchdog: the clock was set by %" PRId64 " ms", jump_ms);
	journal_write(&w->journal, "clock-set",
	    json_pack("{s:I}", "by_ms", (json_int_t)jump_ms));
}

void
check_run(struct watchdog *w)
{
	size_t i;

	supervise_listen(w);
	for (i = 0; i < w->tree->queue_count; i++) {
		check_patches(w, &w->tree->queues[i]);
		check_summaries(w, &w->tree->queues[i]);
	}
	check_rights(w);
	check_clock(w);
	space_look(w);
	usage_run(w);
}

static void
on_check(struct loop *l, struct timer *t)
{
	struct watchdog *w = t->owner;

	if (!w->going_down)
		check_run(w);
	loop_after(l, t, w->settings->watchdog.check);
	supervise_settle(w);
	w->check.spent = true;
}

void
check_open(struct watchdog *w)
{
	w->check.wall_ahead_ms = clock_wall_us() / 1000 - clock_mono_ms();
	w->check.timer.on = on_check;
	w->check.timer.owner = w;
	loop_after(&w->loop, &w->check.timer, w->settings->watchdog.check);
}
