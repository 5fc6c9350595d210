/* SPDX-License-Identifier: ISC */
/* The look around, every watchdog.check. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "watchdog/watchdog.h"

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

static void
check_summaries(struct watchdog *w, const char *queue, size_t old)
{
	char limit[64], text[192];
	struct finding f = {.type = "summary-missing",
	    .subject = queue,
	    .queue = queue,
	    .text = text,
	    .holds = old > 0};

	clock_human_span(w->settings->watchdog.summary_delay, limit,
	    sizeof limit);
	(void)snprintf(text, sizeof text,
	    "%zu finished patches of queue %s have no summary after %s", old,
	    queue, limit);
	check_note(w, &f);
}

static void
check_rights(struct watchdog *w, bool wrong)
{
	char text[320];
	struct finding f = {.type = "spool-rights",
	    .subject = "spool",
	    .text = text,
	    .holds = wrong};

	(void)snprintf(text, sizeof text,
	    wrong ? "%.200s was moved, or has directories of another owner "
		    "or that everybody may write to; a restart of the suite "
		    "sets them right"
		  : "%.200s is as it should be",
	    w->tree->path);
	check_note(w, &f);
}

void
check_take(struct watchdog *w, const struct glance_book *book)
{
	size_t i;

	supervise_listen(w);
	for (i = 0; i < w->tree->queue_count && i < GLANCE_QUEUES; i++) {
		const char *queue = w->tree->queues[i].name;
		const struct glance *g = &book->queues[i];

		if (g->known) {
			check_depth(w, queue, g->depth);
			check_age(w, queue, g->oldest_us);
			check_progress(w, queue, g);
		}
		check_summaries(w, queue, g->unsummarized);
	}
	check_rights(w, book->rights_wrong);
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
	writer_journal(w, "clock-set",
	    json_pack("{s:I}", "by_ms", (json_int_t)jump_ms));
}

void
check_run(struct watchdog *w)
{
	glance_begin(w);
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
	w->check.spent = w->rests = true;
}

void
check_open(struct watchdog *w)
{
	glance_open(w);
	w->check.wall_ahead_ms = clock_wall_us() / 1000 - clock_mono_ms();
	w->check.timer.on = on_check;
	w->check.timer.owner = w;
	loop_after(&w->loop, &w->check.timer, w->settings->watchdog.check);
}
