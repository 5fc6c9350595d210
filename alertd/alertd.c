/* SPDX-License-Identifier: ISC */
/* alertd's wiring: when it looks, when it sends, when it saves. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/alertd.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/retain.h"
#include "common/text.h"

#define RESCAN_MS (30 * 1000)
#define RETRY_MS 1000     /* after an alert that could not be taken */
#define SAVE_DELAY_MS 200 /* changes that only people look at */
#define KEEP_MS (60 * 60 * 1000)
#define KEEP_SOON_MS 1000 /* while there is more than one look can take */
#define STOP_WAIT_MS 3000 /* for transfers under way */
#define RESERVE_BYTES (1024 * 1024)

void
alertd_raise(struct alertd *a, const struct alert *alert)
{
	enum spool_answer answer = alert_raise(a->tree, alert);

	if (answer == SPOOL_REFUSED && reserve_spend(&a->reserve, errno))
		answer = alert_raise(a->tree, alert);
	if (answer != SPOOL_DONE)
		log_warn("%s: alert not raised, %s", alert->subject,
		    alert->text);
}

size_t
alertd_waiting(const struct alertd *a)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < a->channel_count; i++)
		n += a->channels[i].count +
		     (a->channels[i].current != NULL ? 1 : 0);
	return n;
}

void
alertd_tick(struct alertd *a)
{
	char status[96];
	int64_t busy = 0;
	size_t waiting = alertd_waiting(a);

	if (a->busy_since_ms != 0)
		busy = clock_mono_ms() - a->busy_since_ms;
	(void)snprintf(status, sizeof status,
	    "%zu active alert%s, deliveries waiting: %zu", a->table.count,
	    text_s(a->table.count), waiting);
	daemon_beat(a->work, busy, status);
}

void
alertd_changed(struct alertd *a)
{
	a->dirty = true;
	if (!a->save.armed)
		loop_after(&a->loop, &a->save, SAVE_DELAY_MS);
}

static void
on_intake(struct loop *l, struct timer *t)
{
	struct alertd *a = t->owner;
	bool well;

	a->busy_since_ms = clock_mono_ms();
	well = intake_new(a);
	a->busy_since_ms = 0;
	if (reserve_fill(&a->reserve) == -1 && errno != ENOSPC)
		log_warn("%s: not allocated", a->reserve.name);
	if (!t->armed)
		loop_after(l, t, well ? RESCAN_MS : RETRY_MS);
	alertd_tick(a);
}

static void
on_hint(struct hint *h)
{
	struct alertd *a = h->owner;

	if (!a->unwell)
		loop_after(&a->loop, &a->intake, 0);
}

static void
on_send(struct loop *l, struct timer *t)
{
	struct alertd *a = t->owner;
	int64_t next = channel_send_due(a);

	if (next >= 0 && !t->armed)
		loop_after(l, t, next);
}

static void
on_beat(struct loop *l, struct timer *t)
{
	struct alertd *a = t->owner;

	alertd_tick(a);
	if (sandbox_moved(&a->sandbox)) {
		log_warnx("a channel's directory is another one now: starting "
			  "anew to write there");
		a->status = EXIT_TEMPORARY;
		loop_stop(l);
		return;
	}
	loop_after(l, t, daemon_beat_interval());
}

static void
on_save(struct loop *l, struct timer *t)
{
	struct alertd *a = t->owner;

	if (a->dirty && !status_save(a))
		loop_after(l, t, RETRY_MS);
}

/* With the alert its delivery files go. */
static bool
may_forget(void *owner, const char *name)
{
	struct alertd *a = owner;
	char file[DELIVERY_NAME_SIZE];
	bool ok = true;
	size_t i;

	/* Each of these waits for the disk: thousands must not look like a
	 * hang. */
	a->work++;
	alertd_tick(a);
	for (i = 0; i < a->channel_count; i++) {
		delivery_file(name, &a->channels[i], file);
		if (spool_exists(a->deliveries, file))
			ok = ok &&
			     spool_remove(a->deliveries, file) == SPOOL_DONE;
	}
	return ok;
}

static void
on_keep(struct loop *l, struct timer *t)
{
	struct alertd *a = t->owner;
	const struct retain r = {
	    .age_ms = a->settings->retention.alerts_age,
	    .bytes = a->settings->retention.alerts_bytes,
	    .move_to = -1,
	    .may_remove = may_forget,
	    .owner = a,
	};

	int done = retain_dir(a->tree->alerts.dir[BOX_DONE], &r);
	int dead = retain_dir(a->tree->alerts_dead, &r);
	bool more = done >= RETAIN_MORE || dead >= RETAIN_MORE;

	if (done == -1 || dead == -1)
		log_warn("alerts: retention not applied");
	orphan_find(a);
	for (enum box_dir d = BOX_NEW; d <= BOX_CUR; d++)
		if (tree_renew(a->tree, a->tree->alerts.dir[d], TREE_GIANT) ==
		    -1)
			log_warn("alerts/%s: not renewed", box_dir_name[d]);
	loop_after(l, t, more ? KEEP_SOON_MS : KEEP_MS);
}

static void
watch_alerts(struct alertd *a)
{
	char *path = xasprintf("%s/alerts/new", a->tree->path);

	if (hint_open(&a->hint, &a->loop, a, on_hint) == -1 ||
	    hint_dir(&a->hint, path) == -1)
		log_warn("%s: not watched", path);
	free(path);
}

static void
open_state(struct alertd *a)
{
	if (state_open(&a->state, a->tree, "alertd") == -1 ||
	    spool_make(a->state.dir, "deliveries", 0750) == -1)
		fatal("state/alertd: not made");
	a->deliveries = spool_dir(a->state.dir, "deliveries");
	if (a->deliveries == -1)
		fatal("state/alertd/deliveries: not opened");
	reserve_open(&a->reserve, a->state.dir, "reserve", RESERVE_BYTES);
	(void)spool_sweep_tmp(a->tree->alerts.dir[BOX_TMP], SPOOL_DEAD_WRITERS);
	status_load(a);
}

static void
set_timer(struct alertd *a, struct timer *t, int64_t delay_ms,
    void (*on)(struct loop *, struct timer *))
{
	t->on = on;
	t->owner = a;
	if (delay_ms >= 0)
		loop_after(&a->loop, t, delay_ms);
}

void
alertd_open(struct alertd *a, const struct daemon_opts *opts,
    const struct settings *settings, struct tree *t)
{
	const struct log_settings *logs = &settings->logs;

	memset(a, 0, sizeof *a);
	a->opts = opts;
	a->settings = settings;
	a->tree = t;
	a->taken = json_object();
	a->orphans = json_object();
	rule_open(&a->table);
	if (loop_open(&a->loop, a, NULL) == -1)
		fatal("loop: not opened");
	open_state(a);
	if (journal_open(&a->journal, t->journal, opts->instance, logs->size,
		(int)logs->count) == -1)
		log_warn("journal: not opened");
	channel_open_all(a);
	if (webhook_open(a) == -1)
		fatalx("libcurl: not opened");
	set_timer(a, &a->intake, 0, on_intake);
	set_timer(a, &a->send, 0, on_send);
	set_timer(a, &a->save, -1, on_save);
	set_timer(a, &a->beat, daemon_beat_interval(), on_beat);
	set_timer(a, &a->keep, KEEP_MS, on_keep);
	watch_alerts(a);
	orphan_find(a);
	intake_recover(a);
}

static bool
is_sending(const struct alertd *a)
{
	size_t i;

	for (i = 0; i < a->channel_count; i++)
		if (a->channels[i].current != NULL)
			return true;
	return false;
}

/* What is under way may end; nothing new is begun. */
static void
finish_transfers(struct alertd *a)
{
	int64_t until = clock_mono_ms() + STOP_WAIT_MS;

	while (is_sending(a) && clock_mono_ms() < until) {
		loop_cancel(&a->loop, &a->send);
		loop_cancel(&a->loop, &a->intake);
		loop_turn(&a->loop, 100);
	}
}

static bool
has_new(const struct alertd *a)
{
	struct spool_names names;
	bool has;

	if (spool_list(a->tree->alerts.dir[BOX_NEW], 1, &names) == -1)
		return false;
	has = names.count > 0;
	spool_names_free(&names);
	return has;
}

/* Everything that can be sent now: a delivery whose time has not come is left
 * for another run. */
static int
drain(struct alertd *a)
{
	bool well;

	do {
		well = intake_new(a);
		while (channel_send_due(a) == 0 || is_sending(a))
			loop_turn(&a->loop, is_sending(a) ? 1000 : 0);
	} while (well && has_new(a) && !a->loop.stop);
	return well && alertd_waiting(a) == 0 ? EXIT_DONE : EXIT_TEMPORARY;
}

int
alertd_run(struct alertd *a)
{
	if (a->opts->once) {
		a->status = drain(a);
	} else {
		loop_run(&a->loop);
		daemon_stopping();
		finish_transfers(a);
	}
	if (!status_save(a))
		log_warnx("state: not saved");
	return a->status;
}

void
alertd_close(struct alertd *a)
{
	sandbox_close(&a->sandbox);
	webhook_close(a);
	channel_close_all(a);
	rule_close(&a->table);
	json_decref(a->taken);
	json_decref(a->orphans);
	journal_close(&a->journal);
	hint_close(&a->hint, &a->loop);
	loop_close(&a->loop);
	(void)close(a->deliveries);
	state_close(&a->state);
}
