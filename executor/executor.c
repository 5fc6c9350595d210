/* SPDX-License-Identifier: ISC */
/* State and wiring: what wakes the executor, and what it then looks at. */
#include <sys/resource.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/utf8.h"
#include "executor/executor.h"
#include "executor/hints.h"
#include "executor/hold.h"
#include "executor/isolate.h"
#include "executor/kept.h"
#include "executor/tail.h"

#define HELD_MS 2000    /* waits of .held are looked at so often */
#define HELD_REST_MS 20 /* from one look to the next, at least */
#define STRAY_MS 500
#define RUN_MS 60000 /* a held queue waits for the end of a run */
#define TIDY_FIRST_MS 60000
#define TIDY_MS (3600 * 1000)

void
executor_beat(void *executor)
{
	struct executor *ex = executor;
	struct run *r = &ex->run;
	char text[256];
	int64_t busy = r->active ? clock_mono_ms() - r->started_ms + 1 : 0;

	if (snprintf(text, sizeof(text), "%s%s%.150s",
		ex->hold[0] != '\0' ? ex->hold
		: r->active         ? r->job.env.id
		: ex->paused        ? "paused"
				    : "idle",
		r->active ? ": " : "", r->active ? r->doing : "") < 0)
		text[0] = '\0';
	utf8_trim(text);
	/* Else the next one, up to five seconds later, would speak of the last
	 * patch until then. */
	if (!daemon_beat(ex->work, busy, text) && ex->beat.armed)
		loop_after(&ex->loop, &ex->beat, DAEMON_BEAT_SOON_MS);
}

void
executor_alert(struct executor *ex, const struct alert *a)
{
	if (ex->dry.on || alert_raise(ex->tree, a) == SPOOL_DONE)
		return;
	log_warn("alert %s for %s: not raised: %s", a->type, a->subject,
	    a->text);
	ex->trouble = true;
}

/* True when patches may be run: workspace there, everything recovered. */
static bool
make_ready(struct executor *ex)
{
	bool missing = ex->workspace.fd == -1;

	if (missing && isolate_open(ex) == -1) {
		if (errno == ESRCH)
			executor_hold(ex, "%s", ex->why);
		else
			hold_missing(ex);
		return false;
	}
	ex->hold[0] = '\0';
	if (!ex->recovered && recover_all(ex) == -1)
		return false;
	if (isolate_ready(ex) == -1) {
		executor_hold(ex,
		    "what isolation this machine allows cannot be tried at "
		    "present: %s",
		    ex->why);
		return false;
	}
	ex->hold_ms = 0;
	hold_release(ex);
	status_write(ex);
	return true;
}

static void
leave_workspace(struct executor *ex)
{
	workspace_close(&ex->workspace);
	place_close(&ex->place);
	ahead_drop(&ex->ahead);
	ex->recovered = false;
}

static void
adopt_strays(struct executor *ex)
{
	size_t moved;

	if (ex->strays.count == 0)
		return;
	if (strays_adopt(&ex->strays, ex->q->dir[Q_PATCHES], &ex->tree->inbox,
		&moved) == -1) {
		log_warn("a dropped file was not moved to the inbox");
		/* It may have been renewed. */
		(void)tree_refresh(ex->tree);
	}
	if (moved > 0)
		log_info("dropped files: %zu moved to the inbox", moved);
}

/* Reading what is held takes a tenth of the time at most. */
static int64_t
held_wait_ms(const struct executor *ex)
{
	int64_t pause = ex->held_cost_ms * 10;
	int64_t at =
	    ex->held_at_ms + (pause > HELD_REST_MS ? pause : HELD_REST_MS);
	int64_t wait = at - clock_mono_ms();

	return wait > 0 ? wait : 0;
}

static int64_t
next_look_ms(const struct executor *ex)
{
	if (ex->strays.count > 0)
		return STRAY_MS;
	if (waits_are_due(&ex->waits))
		return 0;
	/* A paused one reads its queue when it goes on, which is told. */
	if (!ex->paused && (ex->index.dirty || ex->index.more))
		return 50;
	if (ex->held_any && ex->held_stale)
		return held_wait_ms(ex);
	return ex->held_any ? HELD_MS : RESCAN_MS;
}

/* Those that wait for a patch of this queue are due when it has ended: while
 * there is other work, the rest may take its time. */
static bool
is_time_for_held(const struct executor *ex)
{
	const struct index *x = &ex->index;
	bool idle = ex->paused || (x->next == x->count && !x->dirty);

	return ex->held_any && held_wait_ms(ex) == 0 &&
	       (idle || clock_mono_ms() - ex->held_at_ms >= HELD_MS);
}

/* One thing a turn, so that signals and requests are never far away. */
static void
look(struct executor *ex)
{
	bool started;

	/* What is asked of it is answered by what is there now. */
	if (!ex->run.active && ex->workspace.fd != -1 &&
	    (!workspace_is_there(&ex->workspace) ||
		!workspace_is_writable(&ex->workspace))) {
		(void)tail_finish(ex);
		leave_workspace(ex);
	}
	requests_take(ex);
	if (ex->run.active || ex->stopping)
		return;
	if (ex->workspace.fd == -1 || !ex->recovered) {
		(void)tail_finish(ex);
		ahead_drop(&ex->ahead);
		if (ex->hold[0] != '\0' && ex->retry.armed)
			return;
		if (!make_ready(ex))
			return;
	}
	/* What waits for the last patch may go before all others. */
	if (ex->held_any)
		(void)tail_finish(ex);
	kept_limit(ex);
	if (is_time_for_held(ex))
		pick_held(ex);
	pick_due(ex);
	adopt_strays(ex);
	started = !ex->paused && ex->hold[0] == '\0' && pick_next(ex);
	executor_beat(ex);
	if (ex->run.active)
		return;
	(void)tail_finish(ex);
	kept_limit(ex);
	kept_finish(ex);
	/* They hold what the machine has mounted. */
	if (!started)
		ahead_drop(&ex->ahead);
	executor_wake(ex, started ? 0 : next_look_ms(ex));
}

static void
on_scan(struct loop *l, struct timer *t)
{
	(void)l;
	look(t->owner);
}

static void
on_retry(struct loop *l, struct timer *t)
{
	struct executor *ex = t->owner;

	if (ex->run.active)
		loop_after(l, &ex->retry, RUN_MS);
	else if (make_ready(ex))
		executor_wake(ex, 0);
}

static void
on_beat(struct loop *l, struct timer *t)
{
	executor_beat(t->owner);
	loop_after(l, t, daemon_beat_interval());
}

static void
on_tidy(struct loop *l, struct timer *t)
{
	tidy_queue(t->owner);
	loop_after(l, t, TIDY_MS);
}

static void
on_hint(struct hint *h)
{
	struct executor *ex = h->owner;

	ex->index.dirty = true;
	executor_wake(ex, 0);
}

/* A patch of another queue has ended: one of ours may have waited for it. */
static void
on_other(struct hint *h)
{
	struct executor *ex = h->owner;

	if (!ex->held_any)
		return;
	ex->held_stale = true;
	executor_wake(ex, held_wait_ms(ex));
}

void
executor_wake(struct executor *ex, int64_t delay_ms)
{
	int64_t at = clock_mono_ms() + delay_ms;

	if (!ex->scan.armed || ex->scan.at_ms > at)
		loop_after(&ex->loop, &ex->scan, delay_ms);
}

static void
on_grace(struct loop *l, struct timer *t)
{
	struct executor *ex = t->owner;

	(void)l;
	if (ex->run.active)
		run_kill(ex, RUN_STOPPED);
}

static void
on_signal(struct loop *l, const struct signalfd_siginfo *si)
{
	struct executor *ex = l->owner;

	if (si->ssi_signo != SIGTERM && si->ssi_signo != SIGINT)
		return;
	if (!ex->run.active) {
		loop_stop(l);
		return;
	}
	/* A second signal does not wait for the grace. */
	hand_rest(ex);
	loop_after(l, &ex->grace,
	    ex->stopping ? 0 : ex->settings->watchdog.stop_grace);
	ex->stopping = true;
	daemon_stopping();
}

static void
set_timers(struct executor *ex)
{
	ex->scan = (struct timer){.on = on_scan, .owner = ex};
	ex->beat = (struct timer){.on = on_beat, .owner = ex};
	ex->retry = (struct timer){.on = on_retry, .owner = ex};
	ex->grace = (struct timer){.on = on_grace, .owner = ex};
	ex->tidy = (struct timer){.on = on_tidy, .owner = ex};
	loop_after(&ex->loop, &ex->scan, 0);
	loop_after(&ex->loop, &ex->beat, daemon_beat_interval());
	loop_after(&ex->loop, &ex->tidy, TIDY_FIRST_MS);
}

/* Deep trees are walked with a descriptor a level. */
static void
raise_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max < 8192 ? l.rlim_max : 8192;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

int
executor_open(struct executor *ex, struct tree *t, const struct settings *s,
    const struct daemon_opts *o)
{
	memset(ex, 0, sizeof(*ex));
	ex->opts = o;
	ex->settings = s;
	ex->tree = t;
	ex->workspace.fd = ex->place.dir = ex->others.watch.fd = -1;
	netns_reset(&ex->net);
	ahead_reset(&ex->ahead);
	ex->queue = settings_queue(s, o->queue);
	ex->q = ex->queue != NULL ? tree_queue(t, ex->queue->name) : NULL;
	if (ex->q == NULL) {
		log_warnx("there is no queue %s", o->queue);
		return -1;
	}
	strlcpy(ex->instance, o->instance, sizeof(ex->instance));
	raise_files();
	account_ask_apart();
	if (loop_open(&ex->loop, ex, on_signal) == -1 ||
	    state_open(&ex->state, t, ex->instance) == -1 ||
	    journal_open(&ex->journal, t->journal, ex->instance, s->logs.size,
		(int)s->logs.count) == -1)
		return -1;
	(void)spool_sweep_tmp(ex->q->outcomes.dir[BOX_TMP], SPOOL_DEAD_WRITERS);
	(void)spool_sweep_tmp(ex->q->requests.dir[BOX_TMP], SPOOL_DEAD_WRITERS);
	(void)spool_sweep_tmp(ex->q->asks.dir[BOX_TMP], SPOOL_DEAD_WRITERS);
	(void)spool_sweep_tmp(ex->q->dir[Q_TMP], SPOOL_DEAD_WRITERS);
	set_timers(ex);
	hand_open(ex);
	requests_open(ex);
	hold_open(ex);
	ex->held_any = true;
	hints_open(ex, on_hint, on_other);
	/* Recovery before ready: nobody may think that all is well before. */
	(void)make_ready(ex);
	return 0;
}

/* Everything that can be done now is done, or something has to wait. */
static bool
is_drained(const struct executor *ex)
{
	if (ex->run.active)
		return false;
	if (ex->hold[0] != '\0' || ex->paused)
		return true;
	/* What ended last may be what a held one waits for. */
	if ((ex->held_any && ex->held_stale) || waits_are_due(&ex->waits))
		return false;
	return !ex->index.dirty && !ex->index.more &&
	       ex->index.next == ex->index.count && ex->strays.count == 0 &&
	       ex->scan.armed && ex->scan.at_ms > clock_mono_ms() + HELD_MS / 2;
}

void
executor_run(struct executor *ex)
{
	while (!ex->loop.stop) {
		loop_turn(&ex->loop, -1);
		if (ex->opts->once && is_drained(ex))
			break;
		if (ex->stopping && !ex->run.active)
			break;
	}
}

int
executor_close(struct executor *ex)
{
	daemon_stopping();
	(void)tail_finish(ex);
	kept_limit(ex);
	hand_rest(ex);
	kept_finish(ex);
	/* It is where we are, and a group with somebody in it stays. */
	ahead_close(&ex->ahead);
	cgroup_close(&ex->cgroup);
	netns_close(&ex->net);
	hint_close(&ex->hint, &ex->loop);
	hint_close(&ex->others, &ex->loop);
	journal_close(&ex->journal);
	state_close(&ex->state);
	workspace_close(&ex->workspace);
	place_close(&ex->place);
	index_free(&ex->index);
	waits_free(&ex->waits);
	loop_close(&ex->loop);
	return ex->opts->once && ex->trouble ? EXIT_TEMPORARY : EXIT_DONE;
}
