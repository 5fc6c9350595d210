/* SPDX-License-Identifier: ISC */
/*
 * Alerts from the spool: claimed, judged, turned into deliveries. The order
 * that a crash must not upset: the deliveries are durable, then the table
 * that has counted the alert (with its name in `taken`), then the alert may
 * leave cur. What is found in cur at start is either counted or not, and has
 * deliveries or not; each of the four is carried on from where it was.
 */
#include <errno.h>
#include <string.h>

#include "alertd/alertd.h"
#include "common/clock.h"
#include "common/log.h"

#define BATCH 256         /* alerts in one turn of the loop */
#define TAKEN_JUDGED (-1) /* in taken, instead of a number of deliveries */
#define ALERT_BYTES (256u * 1024) /* no alert of ours is as long */
#define FORGET_MS (24ll * 60 * 60 * 1000)

/* Anybody in the group may raise an alert, so any owner will do. */
static int
read_alert(struct alertd *a, const char *name, json_t **doc)
{
	struct spool_file file;
	int r = spool_read(a->tree->alerts.dir[BOX_CUR], name, ALERT_BYTES,
	    true, &file);

	*doc = NULL;
	if (r != 1)
		return r;
	*doc = spool_check(file.bytes, file.len);
	if (*doc != NULL)
		(void)json_object_set_new(*doc, "uid",
		    json_integer((json_int_t)file.uid));
	spool_file_free(&file);
	return *doc == NULL ? -1 : 1;
}

static void
set_aside(struct alertd *a, const char *name)
{
	log_warnx("%s: alert is damaged, set aside in corrupt/", name);
	if (tree_set_aside(a->tree, a->tree->alerts.dir[BOX_CUR], "alerts",
		name) != SPOOL_DONE)
		log_warn("%s: not set aside", name);
	alertd_raise(a,
	    &(struct alert){.type = "spool-corrupt",
		.component = "alertd",
		.subject = name,
		.severity = ALERT_ERROR,
		.text = "an alert could not be read; it lies in corrupt/"});
}

static struct rule_times
times(const struct alertd *a)
{
	return (struct rule_times){
	    .now_us = clock_wall_us(),
	    .dedupe_ms = a->settings->alerts.dedupe,
	    .forget_ms = FORGET_MS,
	};
}

/* The words that every channel gets. */
static json_t *
make_message(const json_t *doc, const struct rule_entry *e, int64_t repeats)
{
	json_t *m = json_copy((json_t *)(uintptr_t)doc);
	char first[ISO_TIME_SIZE];

	(void)json_object_del(m, "format");
	(void)json_object_set_new(m, "repeats",
	    json_integer((json_int_t)repeats));
	if (e != NULL) {
		clock_iso(e->first_us, first);
		(void)json_object_set_new(m, "first_at", json_string(first));
	}
	return m;
}

/* Queues d, or puts what an earlier run had decided; the number of open
 * deliveries this adds, -1 when it is not durable. */
static int
deliver_to(struct alertd *a, struct channel *c, const char *name,
    json_t *message)
{
	struct delivery *d;
	int r;

	if (channel_has(c, name))
		return 1;
	r = delivery_load(a, c, name, &d);
	if (r == -1)
		return -1;
	if (r == 0) {
		d = delivery_new(a, c, name, message);
		if (!delivery_store(a, d)) {
			delivery_free(d);
			return -1;
		}
	}
	if (!delivery_open_state(d->state)) {
		delivery_free(d);
		return 0;
	}
	/* It was being sent when we died: it may have arrived. */
	if (d->state == DELIVERY_SENDING) {
		d->state = DELIVERY_AMBIGUOUS;
		d->repeat = true;
	}
	channel_add(c, d);
	return 1;
}

static bool
has_deliveries(struct alertd *a, const char *name)
{
	char file[DELIVERY_NAME_SIZE];
	size_t i;

	for (i = 0; i < a->channel_count; i++) {
		delivery_file(name, &a->channels[i], file);
		if (spool_exists(a->deliveries, file))
			return true;
	}
	return false;
}

static bool
is_for(const struct channel *c, const struct alert *alert,
    const struct rule_entry *e, enum rule_verdict verdict)
{
	const char *told;

	if (strcmp(alert->type, "channel-failed") == 0 &&
	    strcmp(alert->subject, c->settings->name) == 0)
		return false;
	if (verdict == RULE_TELL)
		return alert->severity >= c->least;
	if (verdict != RULE_RESOLVE)
		return false;
	told =
	    json_string_value(json_object_get(e->channels, c->settings->name));
	return told != NULL &&
	       strcmp(told, delivery_state_name[DELIVERY_DEAD]) != 0;
}

/* All deliveries of one alert; how many are open, or -1. */
static int
deliver(struct alertd *a, const char *name, const struct alert *alert,
    json_t *message, enum rule_verdict verdict)
{
	struct rule_entry *e =
	    rule_find(&a->table, alert->type, alert->component, alert->subject);
	int open = 0;
	size_t i;

	if (verdict == RULE_TELL && e != NULL)
		(void)json_object_clear(e->channels);
	for (i = 0; i < a->channel_count; i++) {
		struct channel *c = &a->channels[i];
		int n;

		if (!is_for(c, alert, e, verdict))
			continue;
		n = deliver_to(a, c, name, message);
		if (n == -1)
			return -1;
		open += n;
		if (e != NULL)
			(void)json_object_set_new(e->channels,
			    c->settings->name,
			    json_string(
				delivery_state_name[n == 1
							? DELIVERY_QUEUED
							: DELIVERY_CONFIRMED]));
	}
	if (open == 0 && verdict == RULE_TELL && alert->severity > ALERT_INFO)
		log_warnx("%s: no channel takes it, %s %s: %s", name,
		    alert->type, alert->subject, alert->text);
	return open;
}

/* The table knows of it, but its deliveries are not durable yet: it must not
 * be taken for a repeat of itself. */
static bool
is_judged(const struct alertd *a, const char *name)
{
	return json_integer_value(json_object_get(a->taken, name)) ==
	       TAKEN_JUDGED;
}

/*
 * The alert's decision, made once. -1: not durable, it stays in cur and is
 * looked at again.
 */
static int
decide(struct alertd *a, const char *name, const json_t *doc,
    const struct alert *alert)
{
	struct rule_times when = times(a);
	enum rule_verdict verdict;
	struct rule_entry *e;
	json_t *message;
	int64_t repeats;
	int open;

	verdict = rule_judge(&a->table, alert, &when,
	    is_judged(a, name) || has_deliveries(a, name), &repeats);
	e = rule_find(&a->table, alert->type, alert->component, alert->subject);
	message = make_message(doc, e, repeats);
	open = deliver(a, name, alert, message, verdict);
	json_decref(message);
	if (open >= 0 && verdict == RULE_RESOLVE)
		rule_drop(&a->table, e);
	if (open == -1) {
		if (verdict == RULE_TELL)
			(void)json_object_set_new(a->taken, name,
			    json_integer(TAKEN_JUDGED));
		return -1;
	}
	log_info("%s: taken, %s %s %s%s%s", name, alert->type, alert->component,
	    alert->subject, alert->resolved ? ", resolved" : "",
	    verdict == RULE_SUPPRESS ? ", suppressed as a repeat" : "");
	return open;
}

/* Deliveries that were decided before: only what is open goes on. */
static int
resume(struct alertd *a, const char *name)
{
	char file[DELIVERY_NAME_SIZE];
	int open = 0;
	size_t i;

	for (i = 0; i < a->channel_count; i++) {
		int n = 0;

		delivery_file(name, &a->channels[i], file);
		if (spool_exists(a->deliveries, file))
			n = deliver_to(a, &a->channels[i], name, NULL);
		if (n == -1)
			return -1;
		open += n;
	}
	return open;
}

/* One alert in cur; false when it has to be looked at again. */
static bool
take(struct alertd *a, const char *name)
{
	struct alert alert;
	json_t *doc;
	int open;
	int r;

	if (json_object_get(a->taken, name) != NULL && !is_judged(a, name)) {
		open = resume(a, name);
	} else {
		r = read_alert(a, name, &doc);
		if (r == 0)
			return true;
		if (r == -1 && errno != EBADMSG && errno != ENOMSG &&
		    errno != EFBIG && errno != EPERM) {
			log_warn("%s: alert not read", name);
			return false;
		}
		if (r == -1 || alert_decode(doc, &alert) == -1) {
			json_decref(doc);
			set_aside(a, name);
			return true;
		}
		open = decide(a, name, doc, &alert);
		json_decref(doc);
	}
	if (open == -1)
		return false;
	(void)json_object_set_new(a->taken, name, json_integer(open));
	a->work++;
	return true;
}

static bool
any_dead(struct alertd *a, const char *name)
{
	bool dead = json_object_get(a->orphans, name) != NULL;
	size_t i;

	for (i = 0; i < a->channel_count && !dead; i++) {
		struct delivery *d = NULL;

		if (delivery_load(a, &a->channels[i], name, &d) == 1)
			dead = d->state == DELIVERY_DEAD;
		delivery_free(d);
	}
	return dead;
}

/* Out of cur: nothing more is to be done for it. */
static void
leave(struct alertd *a, const char *name)
{
	struct tree *t = a->tree;
	int to = any_dead(a, name) ? t->alerts_dead : t->alerts.dir[BOX_DONE];

	if (spool_move(t->alerts.dir[BOX_CUR], name, to, NULL) != SPOOL_DONE &&
	    errno != ENOENT) {
		log_warn("%s: alert not settled", name);
		a->unwell = true;
		return;
	}
	if (to == t->alerts_dead)
		a->dead++;
	(void)json_object_del(a->taken, name);
	alertd_changed(a);
}

void
intake_settle(struct alertd *a, const char *name)
{
	json_t *open = json_object_get(a->taken, name);
	json_int_t n = json_integer_value(open) - 1;

	/* Some of its deliveries are not even durable: it stays. */
	if (open == NULL || is_judged(a, name))
		return;
	(void)json_integer_set(open, n > 0 ? n : 0);
	if (n <= 0)
		leave(a, name);
}

/* After the table is durable: those without an open delivery leave. */
static void
leave_quiet(struct alertd *a, const struct spool_names *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		json_t *open = json_object_get(a->taken, names->names[i]);

		if (open != NULL && json_integer_value(open) == 0)
			leave(a, names->names[i]);
	}
}

static bool
claim(struct alertd *a, const char *name)
{
	struct box *box = &a->tree->alerts;
	enum spool_answer answer =
	    spool_move(box->dir[BOX_NEW], name, box->dir[BOX_CUR], NULL);

	if (answer == SPOOL_DONE)
		return true;
	if (errno != ENOENT)
		log_warn("%s: alert not claimed", name);
	return false;
}

static void
take_batch(struct alertd *a, enum box_dir from, bool *well, bool *more)
{
	struct spool_names names;
	size_t i;

	if (spool_list(a->tree->alerts.dir[from], 0, &names) == -1) {
		log_warn("alerts/%s: not listed", box_dir_name[from]);
		*well = false;
		return;
	}
	for (i = 0; i < names.count; i++) {
		if (from == BOX_NEW && (i == BATCH || loop_stopping(&a->loop)))
			break;
		alertd_tick(a);
		if ((from == BOX_NEW && !claim(a, names.names[i])) ||
		    !take(a, names.names[i]))
			*well = false;
	}
	*more = i < names.count;
	if (i > 0 && status_save(a))
		leave_quiet(a, &names, i);
	else if (i > 0)
		*well = false;
	spool_names_free(&names);
}

void
intake_recover(struct alertd *a)
{
	bool well = true;
	bool more = false;

	take_batch(a, BOX_CUR, &well, &more);
	a->unwell = !well;
}

/* Those of cur that an error left: not counted, or counted with nothing
 * open. The others have their deliveries in a queue already. */
static void
take_left(struct alertd *a, bool *well)
{
	struct spool_names names;
	size_t i;

	if (!channel_save_left(a))
		*well = false;
	if (spool_list(a->tree->alerts.dir[BOX_CUR], 0, &names) == -1) {
		*well = false;
		return;
	}
	for (i = 0; i < names.count; i++)
		if ((json_object_get(a->taken, names.names[i]) == NULL ||
			is_judged(a, names.names[i])) &&
		    !take(a, names.names[i]))
			*well = false;
	if (status_save(a))
		leave_quiet(a, &names, names.count);
	else
		*well = false;
	spool_names_free(&names);
}

bool
intake_new(struct alertd *a)
{
	struct rule_times when = times(a);
	bool well = true;
	bool more = false;

	rule_forget(&a->table, &when);
	if (a->unwell) {
		a->unwell = false;
		take_left(a, &well);
	}
	/* Telling goes on between batches. */
	take_batch(a, BOX_NEW, &well, &more);
	if (!well)
		a->unwell = true;
	if (more && well)
		loop_after(&a->loop, &a->intake, 0);
	loop_after(&a->loop, &a->send, 0);
	return well;
}
