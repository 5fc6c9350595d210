/* SPDX-License-Identifier: ISC */
/* Opening, the signals, the pulse, and the way down. */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "watchdog/handover.h"
#include "watchdog/orphans.h"
#include "watchdog/pages.h"
#include "watchdog/predecessors.h"
#include "watchdog/rights.h"
#include "watchdog/watchdog.h"

#define PREDECESSORS_MS 60000 /* looked for after a start */
#define FIRST_LOOK_MS 2000
#define SURE_LOOKS 2
#define LATER_LOOK_MS 100 /* everybody else waits for it */

void
watchdog_down(struct watchdog *w)
{
	if (w->going_down)
		return;
	log_info("watchdog: going down");
	w->going_down = true;
	daemon_stopping();
	supervise_settle(w);
}

/* A second ^C: the person does not want to wait for anybody's grace. */
static void
kill_all(struct watchdog *w)
{
	struct service *s;

	log_warnx("watchdog: asked twice, killing what is left");
	TAILQ_FOREACH (s, &w->services, link)
		if (s->fsm.alive)
			service_signal(s, SIGKILL);
}

static void
reap_orphans(struct watchdog *w)
{
	pid_t known[SERVICES_MAX];
	struct orphans o = {.known = known};
	struct service *s;

	o.known_count = supervise_errands(w, known, SERVICES_MAX);
	TAILQ_FOREACH (s, &w->services, link)
		if (s->pid != 0 && o.known_count < SERVICES_MAX)
			known[o.known_count++] = s->pid;
	orphans_reap(&o);
}

static void
on_signal(struct loop *l, const struct signalfd_siginfo *si)
{
	struct watchdog *w = l->owner;
	struct buf errs = {0};

	switch (si->ssi_signo) {
	case SIGINT:
		if (w->going_down)
			kill_all(w);
		watchdog_down(w);
		break;
	case SIGTERM:
		watchdog_down(w);
		break;
	case SIGHUP:
		(void)reload_run(w, &errs);
		buf_free(&errs);
		break;
	case SIGCHLD:
		reap_orphans(w);
		break;
	default:
		break;
	}
}

/* Who gave up for want of a good file or binary tries again with a new one. */
static void
look_for_changes(struct watchdog *w)
{
	struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if ((s->fsm.state == FSM_NEEDS_OPERATOR ||
			s->fsm.state == FSM_DEGRADED) &&
		    service_changed(s))
			supervise_feed(s, FSM_EV_CHANGED);
}

static void
beat_upward(struct watchdog *w)
{
	const struct service *s;
	uint64_t restarts = 0;
	char status[96];
	size_t ready = 0, all = 0;

	TAILQ_FOREACH (s, &w->services, link) {
		all++;
		ready += s->fsm.state == FSM_READY;
		restarts += s->restarts;
	}
	(void)snprintf(status, sizeof status, "%zu of %zu daemons ready", ready,
	    all);
	daemon_beat(restarts, 0, status);
}

/* A quarter of the hang deadline: the yardstick for our own lateness, and the
 * time for everything that may wait a little. */
static int64_t
pulse_ms(const struct watchdog *w)
{
	int64_t quarter = w->settings->watchdog.hang / 4;

	return quarter < daemon_beat_interval() ? quarter
						: daemon_beat_interval();
}

void
watchdog_pulse(struct watchdog *w, int64_t awake_ms)
{
	w->due_ms = awake_ms + pulse_ms(w);
	loop_after(&w->loop, &w->pulse, w->due_ms - clock_mono_ms());
}

static void
kill_predecessors(struct watchdog *w, int64_t limit_ms)
{
	int killed;
	bool sure;

	/* What a killed supervisor's daemons may have left; they themselves
	 * died with it. Should one of ours carry the mark by inheritance, it
	 * must not hand it on. */
	(void)unsetenv(PREDECESSORS_MARK);
	killed = predecessors_kill(w->tree->path, w->since_us, limit_ms, &sure);
	w->sure_looks += sure;
	if (killed > 0)
		log_warnx("watchdog: killed %d processes of a predecessor",
		    killed);
}

static void
on_pulse(struct loop *l, struct timer *t)
{
	struct watchdog *w = t->owner;
	int64_t awake_ms = supervise_gap(w);

	(void)l;
	supervise_listen(w);
	/* The first look may have ended by the clock on a busy machine. */
	if (w->sure_looks < SURE_LOOKS &&
	    clock_mono_ms() - w->since_ms < PREDECESSORS_MS) {
		kill_predecessors(w, LATER_LOOK_MS);
		w->check.spent = true;
	}
	service_note_oom(w);
	look_for_changes(w);
	report_retry(w);
	fallback_look(w);
	own_log_pulse(w);
	beat_upward(w);
	watchdog_pulse(w, awake_ms);
	supervise_settle(w);
	w->rests = true;
}

void
watchdog_open_logs(struct watchdog *w)
{
	const struct log_settings *set = &w->settings->logs;
	bool files = !w->opts->foreground;

	logs_close(&w->logs);
	collector_close(&w->logs.collector);
	collector_open(&w->logs.collector, files ? set->to : "files",
	    set->socket);
	if (files)
		rights_make_logs(w->settings);
	if (logs_open(&w->logs, files ? set->directory : "", set->size,
		set->count) == -1)
		log_warn("%s: no log files, lines go to stderr",
		    set->directory);
}

static void
boot(struct watchdog *w)
{
	struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (!s->held && !s->adopted)
			supervise_feed(s, FSM_EV_BOOT);
	supervise_settle(w);
}

static void
open_state(struct watchdog *w)
{
	if (memory_load(w) == -1)
		log_warn("%s/state/watchdog: not opened", w->tree->path);
	else
		(void)memory_save(w); /* that one runs */
	writer_begin(w);
}

/* A number that two suites on one machine do not share. */
static uint64_t
group_tag(const struct watchdog *w)
{
	struct stat st;

	return fstat(w->tree->root, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

void
watchdog_divide(struct watchdog *w)
{
	uint64_t tag = group_tag(w);

	if (strcmp(w->settings->watchdog.cgroup, "off") != 0 && tag != 0)
		cgroup_open(&w->cgroup, tag,
		    limits_want_cgroup(&w->settings->watchdog));
}

void
watchdog_open(struct watchdog *w, struct daemon_opts *o, struct settings *s,
    struct tree *t)
{
	pages_reserve();
	w->opts = o;
	w->settings = s;
	w->tree = t;
	w->since_us = clock_wall_us();
	w->since_ms = clock_mono_ms();
	w->fallback.well_ms = w->since_ms;
	service_note_oom(w);
	service_note_oom(w);
	if (w->past != NULL)
		handover_take(w, w->past);
	w->logs.dir = -1;
	w->logs.file = writer_log;
	w->logs.file_arg = w;
	writer_open(w);
	TAILQ_INIT(&w->services);
	TAILQ_INIT(&w->errands);
	own_log_open(w);
	if (s->queue_count + 3 > SERVICES_MAX)
		fatalx("%s: more than %d queues", s->path, SERVICES_MAX - 3);
	if (loop_open(&w->loop, w, on_signal) == -1)
		fatal("watchdog: no loop");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		log_warn("watchdog: escaped descendants are not adopted");
	kill_predecessors(w, FIRST_LOOK_MS);
	watchdog_open_logs(w);
	watchdog_divide(w);
	if (w->past == NULL)
		cgroup_sweep(&w->cgroup, group_tag(w));
	if (roster_build(w) == -1)
		fatal("watchdog: a daemon could not be set up");
	/* Before anybody forks: a child keeps what is not known to be a
	 * client's, who then waits for the end of its answer. */
	if (!handover_control(w, w->past) && control_open(w) == -1)
		fatal("%s/run/control.sock: not opened", t->path);
	open_state(w);
	w->pulse.on = on_pulse;
	w->pulse.owner = w;
	watchdog_pulse(w, clock_mono_ms());
	check_open(w);
	upgrade_open(w);
	handover_close(w, w->past);
	w->past = NULL;
	boot(w);
	/* What the configuration's parser has used, before it is counted on. */
	(void)malloc_trim(0);
	free(xmalloc(PAGES_RESERVE));
	w->check.spent = true;
}

void
watchdog_close(struct watchdog *w)
{
	struct service *s, *next;
	struct errand *h, *later;

	TAILQ_FOREACH_SAFE (h, &w->errands, link, later)
		errand_end(h);
	space_close(w);
	w->closing = true;
	(void)memory_save(w);
	kill_predecessors(w, FIRST_LOOK_MS);
	log_info("watchdog: stopped");
	writer_close(w);
	control_close(w);
	TAILQ_FOREACH_SAFE (s, &w->services, link, next)
		service_free(s);
	TAILQ_INIT(&w->services);
	cgroup_close(&w->cgroup);
	state_close(&w->state);
	collector_close(&w->logs.collector);
	logs_close(&w->logs);
	loop_close(&w->loop);
	tree_close(w->tree);
	settings_free(w->settings);
}
