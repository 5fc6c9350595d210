/* SPDX-License-Identifier: ISC */
/* The summarizer's wiring: when it looks at outcomes and at deliveries. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alert.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "summarizer/summarizer.h"

#define RESCAN_MS (30 * 1000) /* hints may be lost */
#define RETRY_FIRST_MS 1000   /* after an outcome that was left */
#define SCRUB_CHECK_MS (60 * 60 * 1000)
#define RESERVE_BYTES (4 * 1024 * 1024)

void
summarizer_alert(struct summarizer *s, const struct alert *a)
{
	enum spool_answer answer = alert_raise(s->tree, a);

	if (answer == SPOOL_REFUSED && reserve_spend(&s->reserve, errno))
		answer = alert_raise(s->tree, a);
	if (answer != SPOOL_DONE)
		log_warn("%s: alert not raised, %s: %s", a->subject, a->type,
		    a->text);
}

void
summarizer_tick(struct summarizer *s)
{
	char status[96];
	int64_t busy = 0;

	if (s->busy_since_ms != 0 && s->work != s->told_work)
		s->busy_since_ms = clock_mono_ms();
	s->told_work = s->work;
	if (s->busy_since_ms != 0)
		busy = clock_mono_ms() - s->busy_since_ms;
	if (s->waiting > 0)
		(void)snprintf(status, sizeof status,
		    "summaries waiting for delivery: %zu", s->waiting);
	else
		(void)strlcpy(status, "every summary is where it belongs",
		    sizeof status);
	daemon_beat(s->work, busy, status);
}

/* All outcomes that can be turned into summaries now; true when nothing was
 * left because of an error. */
static bool
take_outcomes(struct summarizer *s)
{
	bool well = true;
	bool more = true;
	size_t i;

	while (more && !loop_stopping(&s->loop)) {
		more = false;
		for (i = 0; i < s->tree->queue_count; i++)
			if (!intake_queue(s, &s->tree->queues[i], &more))
				well = false;
	}
	s->failures = well ? 0 : s->failures + 1;
	return well;
}

static int64_t
backoff(int failures)
{
	int64_t delay = RETRY_FIRST_MS;

	while (--failures > 0 && delay < RESCAN_MS)
		delay *= 2;
	return delay < RESCAN_MS ? delay : RESCAN_MS;
}

static void
arm_retry(struct summarizer *s, int64_t delay_ms)
{
	if (s->scrub_now)
		loop_after(&s->loop, &s->scrub, 0);
	/* An armed one is not put off by those that come behind it. */
	if (delay_ms >= 0 && !s->retry.armed)
		loop_after(&s->loop, &s->retry, delay_ms);
}

static void
on_pass(struct loop *l, struct timer *t)
{
	struct summarizer *s = t->owner;
	size_t before = s->waiting;

	s->busy_since_ms = clock_mono_ms();
	(void)take_outcomes(s);
	s->busy_since_ms = 0;
	if (reserve_fill(&s->reserve) == -1 && errno != ENOSPC)
		log_warn("%s: not allocated", s->reserve.name);
	if (s->waiting > before)
		arm_retry(s, s->settings->summaries.retry);
	loop_after(l, t, s->failures > 0 ? backoff(s->failures) : RESCAN_MS);
	summarizer_tick(s);
}

static void
on_retry(struct loop *l, struct timer *t)
{
	struct summarizer *s = t->owner;

	(void)l;
	s->busy_since_ms = clock_mono_ms();
	arm_retry(s, deliver_all(s));
	s->busy_since_ms = 0;
	summarizer_tick(s);
}

static void
on_hint(struct hint *h)
{
	struct summarizer *s = h->owner;

	if (s->failures == 0)
		loop_after(&s->loop, &s->pass, 0);
}

static void
on_beat(struct loop *l, struct timer *t)
{
	struct summarizer *s = t->owner;

	summarizer_tick(s);
	if (sandbox_moved(&s->sandbox)) {
		log_warnx("a destination or workspace is another directory "
			  "now: starting anew to write there");
		s->status = EXIT_TEMPORARY;
		loop_stop(l);
		return;
	}
	loop_after(l, t, daemon_beat_interval());
}

static void
on_scrub(struct loop *l, struct timer *t)
{
	struct summarizer *s = t->owner;

	s->busy_since_ms = clock_mono_ms();
	scrub_run(s);
	s->busy_since_ms = 0;
	loop_after(l, t, SCRUB_CHECK_MS);
}

static void
watch_outcomes(struct summarizer *s)
{
	char *path;
	size_t i;

	if (hint_open(&s->hint, &s->loop, s, on_hint) == -1) {
		log_warn("inotify: not available, looking every %d s",
		    RESCAN_MS / 1000);
		return;
	}
	for (i = 0; i < s->tree->queue_count; i++) {
		path = xasprintf("%s/%s/outcomes/new", s->tree->path,
		    s->tree->queues[i].name);
		if (hint_dir(&s->hint, path) == -1)
			log_warn("%s: not watched", path);
		free(path);
	}
}

static void
open_state(struct summarizer *s)
{
	size_t i;

	if (state_open(&s->state, s->tree, "summarizer") == -1 ||
	    spool_make(s->state.dir, "receipts", 0750) == -1)
		fatal("state/summarizer: not made");
	s->receipts = spool_dir(s->state.dir, "receipts");
	if (s->receipts == -1)
		fatal("state/summarizer/receipts: not opened");
	reserve_open(&s->reserve, s->state.dir, "reserve", RESERVE_BYTES);
	for (i = 0; i < s->tree->queue_count; i++)
		(void)spool_sweep_tmp(s->tree->queues[i].summaries[S_TMP],
		    SPOOL_DEAD_WRITERS);
}

static void
set_timer(struct summarizer *s, struct timer *t, int64_t delay_ms,
    void (*on)(struct loop *, struct timer *))
{
	t->on = on;
	t->owner = s;
	loop_after(&s->loop, t, delay_ms);
}

void
summarizer_open(struct summarizer *s, const struct daemon_opts *opts,
    const struct settings *settings, struct tree *t)
{
	const struct log_settings *logs = &settings->logs;

	memset(s, 0, sizeof *s);
	s->opts = opts;
	s->settings = settings;
	s->tree = t;
	s->queue_sick = xcalloc(t->queue_count + 1, sizeof *s->queue_sick);
	open_state(s);
	if (journal_open(&s->journal, t->journal, opts->instance, logs->size,
		(int)logs->count) == -1)
		log_warn("journal: not opened");
	deliver_open(s);
	if (loop_open(&s->loop, s, NULL) == -1)
		fatal("loop: not opened");
	watch_outcomes(s);
	set_timer(s, &s->pass, 0, on_pass);
	set_timer(s, &s->retry, 0, on_retry);
	set_timer(s, &s->beat, daemon_beat_interval(), on_beat);
	set_timer(s, &s->scrub, SCRUB_CHECK_MS / 60, on_scrub);
}

int
summarizer_run(struct summarizer *s)
{
	bool well;

	if (!s->opts->once) {
		loop_run(&s->loop);
		daemon_stopping();
		return s->status;
	}
	well = take_outcomes(s);
	(void)deliver_all(s);
	scrub_run(s);
	return well && s->waiting == 0 ? EXIT_DONE : EXIT_TEMPORARY;
}

void
summarizer_close(struct summarizer *s)
{
	sandbox_close(&s->sandbox);
	deliver_close(s);
	journal_close(&s->journal);
	hint_close(&s->hint, &s->loop);
	loop_close(&s->loop);
	(void)close(s->receipts);
	state_close(&s->state);
	free(s->queue_sick);
}
