/* SPDX-License-Identifier: ISC */
/*
 * Channels: each has its queue, its pause and one attempt at a time, so that
 * a sick one delays nobody else. After a failure the channel pauses and the
 * delivery steps back behind the others of its channel: a message that its
 * receiver cannot take does not stop those behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "alertd/alertd.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

/* A delivery ends as dead only after this many attempts as well as after
 * alerts.lifetime: a clock that jumps must not end it. */
#define DEAD_ATTEMPTS 3

void
channel_open_all(struct alertd *a)
{
	const struct alert_settings *set = &a->settings->alerts;
	size_t i;

	TAILQ_INIT(&a->unsaved);
	a->channel_count = set->channel_count;
	a->channels = xcalloc(a->channel_count + 1, sizeof *a->channels);
	for (i = 0; i < a->channel_count; i++) {
		struct channel *c = &a->channels[i];

		c->settings = &set->channels[i];
		key_slug(c->settings->name, c->name);
		c->least =
		    alert_severity_named(c->settings->severity, ALERT_INFO);
		TAILQ_INIT(&c->waiting);
	}
}

static void
free_all(struct delivery_list *list)
{
	struct delivery *d, *next;

	TAILQ_FOREACH_SAFE (d, list, link, next)
		delivery_free(d);
	TAILQ_INIT(list);
}

static void
take_off(struct channel *c, struct delivery *d)
{
	TAILQ_REMOVE(&c->waiting, d, link);
	c->count--;
}

void
channel_close_all(struct alertd *a)
{
	size_t i;

	for (i = 0; i < a->channel_count; i++) {
		free_all(&a->channels[i].waiting);
		delivery_free(a->channels[i].current);
	}
	free_all(&a->unsaved);
	free(a->channels);
	a->channels = NULL;
	a->channel_count = 0;
}

struct channel *
channel_named(struct alertd *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->channel_count; i++)
		if (strcmp(a->channels[i].settings->name, name) == 0)
			return &a->channels[i];
	return NULL;
}

void
channel_add(struct channel *c, struct delivery *d)
{
	if (d->held && d->next_ms > c->paused_ms)
		c->paused_ms = d->next_ms;
	TAILQ_INSERT_TAIL(&c->waiting, d, link);
	c->count++;
}

bool
channel_has(const struct channel *c, const char *alert)
{
	const struct delivery *d;

	TAILQ_FOREACH (d, &c->waiting, link)
		if (strcmp(d->alert, alert) == 0)
			return true;
	return c->current != NULL && strcmp(c->current->alert, alert) == 0;
}

static bool
same_trouble(const struct delivery *a, const struct delivery *b)
{
	static const char *const keys[] = {"type", "component", "subject"};
	size_t i;

	for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (!json_equal(json_object_get(a->message, keys[i]),
			json_object_get(b->message, keys[i])))
			return false;
	return true;
}

/* What was told first of one trouble goes first: never a resolved one before
 * its firing. */
static struct delivery *
eldest(const struct channel *c, struct delivery *d)
{
	struct delivery *e;

	TAILQ_FOREACH (e, &c->waiting, link)
		if (strcmp(e->alert, d->alert) < 0 && same_trouble(e, d))
			d = e;
	return d;
}

/* The most severe of those whose time has come; NULL and *next otherwise. */
static struct delivery *
pick(const struct channel *c, int64_t now, int64_t *next)
{
	struct delivery *best = NULL;
	struct delivery *d;

	*next = -1;
	if (TAILQ_EMPTY(&c->waiting))
		return NULL;
	if (c->paused_ms > now) {
		*next = c->paused_ms - now;
		return NULL;
	}
	TAILQ_FOREACH (d, &c->waiting, link) {
		if (d->next_ms > now) {
			if (*next == -1 || d->next_ms - now < *next)
				*next = d->next_ms - now;
		} else if (best == NULL || d->severity > best->severity) {
			best = d;
		}
	}
	if (best == NULL)
		return NULL;
	best = eldest(c, best);
	if (best->next_ms <= now)
		return best;
	*next = best->next_ms - now;
	return NULL;
}

/* Full jitter: between nothing and the doubled delay. */
static int64_t
backoff(const struct alert_settings *set, int failures)
{
	int64_t most = set->retry;

	while (--failures > 0 && most < set->retry_max)
		most *= 2;
	if (most > set->retry_max)
		most = set->retry_max;
	return 1 + (int64_t)arc4random_uniform((uint32_t)most);
}

static bool
is_over(const struct alertd *a, const struct delivery *d)
{
	int64_t age_ms = (clock_wall_us() - d->first_us) / 1000;

	return d->attempts >= DEAD_ATTEMPTS &&
	       age_ms >= a->settings->alerts.lifetime;
}

static void
journal_delivery(struct alertd *a, const struct delivery *d)
{
	journal_write(&a->journal, delivery_state_name[d->state],
	    json_pack("{s:s,s:s,s:s,s:O*,s:O*,s:i}", "channel",
		d->channel->settings->name, "delivery", d->id, "alert",
		d->alert, "type", json_object_get(d->message, "type"),
		"subject", json_object_get(d->message, "subject"), "attempts",
		d->attempts));
}

/* The entry of the table shows how far each channel is. */
static void
show_state(struct alertd *a, const struct delivery *d)
{
	struct rule_entry *e = rule_find(&a->table,
	    json_string_value(json_object_get(d->message, "type")),
	    json_string_value(json_object_get(d->message, "component")),
	    json_string_value(json_object_get(d->message, "subject")));

	if (e != NULL)
		(void)json_object_set_new(e->channels,
		    d->channel->settings->name,
		    json_string(delivery_state_name[d->state]));
	alertd_changed(a);
}

/* A resolved notice is for those who were told of the trouble only. */
static void
drop_resolved(struct alertd *a, struct channel *c, const struct delivery *dead)
{
	struct delivery *d, *next;

	TAILQ_FOREACH_SAFE (d, &c->waiting, link, next) {
		if (!json_is_true(json_object_get(d->message, "resolved")) ||
		    !same_trouble(d, dead))
			continue;
		take_off(c, d);
		d->state = DELIVERY_DEAD;
		(void)strlcpy(d->error, "its firing was not delivered",
		    sizeof d->error);
		if (delivery_store(a, d))
			intake_settle(a, d->alert);
		delivery_free(d);
	}
}

static void
finish(struct alertd *a, struct channel *c, struct delivery *d,
    enum delivery_state state)
{
	bool stored;

	d->state = state;
	stored = delivery_store(a, d);
	show_state(a, d);
	journal_delivery(a, d);
	a->work++;
	if (state == DELIVERY_DEAD) {
		c->dead++;
		health_dead(a, c, d);
		drop_resolved(a, c, d);
	} else {
		c->confirmed++;
		health_well(a, c);
		log_info("%s: delivered to %s, delivery %s, attempt %d",
		    d->alert, c->settings->name, d->id, d->attempts);
	}
	if (!stored) {
		a->unwell = true;
		TAILQ_INSERT_TAIL(&a->unsaved, d, link);
		return;
	}
	intake_settle(a, d->alert);
	delivery_free(d);
}

static void
take_saved(struct alertd *a, struct delivery *d)
{
	TAILQ_REMOVE(&a->unsaved, d, link);
}

bool
channel_save_left(struct alertd *a)
{
	struct delivery *d;

	while ((d = TAILQ_FIRST(&a->unsaved)) != NULL && delivery_store(a, d)) {
		take_saved(a, d);
		intake_settle(a, d->alert);
		delivery_free(d);
	}
	return d == NULL;
}

static void
put_back(struct alertd *a, struct channel *c, struct delivery *d,
    const struct result *r)
{
	int64_t now = clock_mono_ms();
	int64_t delay = backoff(&a->settings->alerts, ++c->failures);

	d->held = r->retry_after_ms > 0;
	if (r->retry_after_ms > delay)
		delay = r->retry_after_ms;
	d->state = r->answer == ANSWER_UNKNOWN ? DELIVERY_AMBIGUOUS
					       : DELIVERY_DEFERRED;
	d->next_ms = c->paused_ms = now + delay;
	if (c->failures == 1)
		log_warnx("%s: deferred %lld ms, %s", c->settings->name,
		    (long long)delay, r->error);
	if (!delivery_store(a, d))
		log_warnx("%s: deferral is in memory only", d->alert);
	show_state(a, d);
	channel_add(c, d);
	health_sick(a, c);
}

void
channel_done(struct alertd *a, struct channel *c, const struct result *r)
{
	struct delivery *d = c->current;

	c->current = NULL;
	(void)strlcpy(d->error, r->error, sizeof d->error);
	(void)strlcpy(c->last_error, r->error, sizeof c->last_error);
	if (r->answer == ANSWER_UNKNOWN)
		d->repeat = true;
	if (r->answer == ANSWER_OK) {
		c->failures = 0;
		finish(a, c, d, DELIVERY_CONFIRMED);
	} else if (r->answer == ANSWER_NEVER || is_over(a, d)) {
		finish(a, c, d, DELIVERY_DEAD);
	} else {
		put_back(a, c, d, r);
	}
	loop_after(&a->loop, &a->send, 0);
}

/* A file is searched for the delivery's id before it is written to; for a
 * receiver that cannot be asked, `sending` has to be durable first. */
static void
start(struct alertd *a, struct channel *c, struct delivery *d)
{
	struct result r = {.answer = ANSWER_LATER};
	bool is_file = strcmp(c->settings->type, "file") == 0;

	take_off(c, d);
	c->current = d;
	d->attempts++;
	d->state = DELIVERY_SENDING;
	if (is_file) {
		channel_file_send(c, d, &r);
		channel_done(a, c, &r);
		return;
	}
	/* On a disk that takes nothing, telling people goes first: at worst
	 * it is told twice. */
	if (!delivery_store(a, d))
		log_warnx("%s: sent without a durable state", d->alert);
	if (webhook_send(a, c, d, &r) == -1)
		channel_done(a, c, &r);
}

int64_t
channel_send_due(struct alertd *a)
{
	int64_t least = -1;
	int64_t next;
	size_t i;

	for (i = 0; i < a->channel_count; i++) {
		struct channel *c = &a->channels[i];
		struct delivery *d = NULL;

		if (c->current == NULL)
			d = pick(c, clock_mono_ms(), &next);
		if (d != NULL) {
			start(a, c, d);
			least = 0;
		} else if (c->current == NULL && next >= 0 &&
			   (least == -1 || next < least)) {
			least = next;
		}
	}
	return least;
}
