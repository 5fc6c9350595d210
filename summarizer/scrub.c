/* SPDX-License-Identifier: ISC */
/*
 * Once a day, and at once when something was found wrong: every summary and
 * every backup is read and compared with its checksum, each is restored from
 * the other, an outcome without a summary gets one, and retention is applied.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/retain.h"
#include "summarizer/summarizer.h"

#define SCRUB_FORMAT "patchflow-scrub-1"
#define SCRUB_FILE "scrub.json"
#define SCRUB_EVERY_MS (24ll * 60 * 60 * 1000)

static const enum summary_dir places[] = {S_READY, S_COMPLETED, S_FAILED};

#define PLACES (sizeof places / sizeof places[0])

static bool
is_due(struct summarizer *s)
{
	json_t *doc = NULL;
	int64_t at_us = 0;
	int64_t age_ms;
	const char *at;

	if (s->scrub_now)
		return true;
	if (state_load(&s->state, SCRUB_FILE, SCRUB_FORMAT, &doc) != 1)
		return true;
	at = json_string_value(json_object_get(doc, "at"));
	if (at == NULL || clock_parse_iso(at, &at_us) == -1)
		at_us = 0;
	json_decref(doc);
	age_ms = (clock_wall_us() - at_us) / 1000;
	return age_ms < 0 || age_ms >= SCRUB_EVERY_MS;
}

static void
remember(struct summarizer *s)
{
	char now[ISO_TIME_SIZE];
	json_t *doc;

	clock_iso(clock_wall_us(), now);
	doc = json_pack("{s:s,s:s}", "format", SCRUB_FORMAT, "at", now);
	if (doc == NULL || state_save(&s->state, SCRUB_FILE, doc) != SPOOL_DONE)
		log_warn("%s: not written", SCRUB_FILE);
	json_decref(doc);
	s->scrub_now = false;
}

/* Reads dir/name; a damaged one is set aside and made again. */
static void
check_file(struct summarizer *s, struct queue_tree *q, int dir,
    const char *name, int other)
{
	struct parcel p = {0};
	enum spool_answer answer = SPOOL_DONE;
	int r = summary_load(dir, name, &p);

	parcel_free(&p);
	if (r == -1 && errno == EBADMSG) {
		answer = publish_set_aside(s, q, dir, name, "checksum");
		if (answer == SPOOL_DONE)
			answer = publish_restore(s, q, other, dir, name);
	} else if (r == -1) {
		answer = SPOOL_REFUSED;
	}
	if (answer == SPOOL_REFUSED || answer == SPOOL_UNKNOWN)
		log_warn("%s: not checked", name);
}

/* Every published summary has a backup, and both are whole. */
static void
check_summaries(struct summarizer *s, struct queue_tree *q,
    enum summary_dir place)
{
	int backup = q->summaries[S_BACKUP];
	int dir = q->summaries[place];
	struct spool_names names;
	size_t i;

	if (spool_list(dir, 0, &names) == -1)
		return;
	for (i = 0; i < names.count && !loop_stopping(&s->loop); i++) {
		const char *name = names.names[i];

		summarizer_tick(s);
		check_file(s, q, dir, name, backup);
		if (spool_exists(backup, name))
			check_file(s, q, backup, name, dir);
		else if (publish_restore(s, q, dir, backup, name) != SPOOL_DONE)
			log_warn("%s: backup not written", name);
	}
	spool_names_free(&names);
}

/* An outcome is only in done when its summary was durable; if the summary is
 * gone all the same, it is made again. */
static void
check_outcome(struct summarizer *s, struct queue_tree *q, const char *name)
{
	int done = q->outcomes.dir[BOX_DONE];
	char summary[NAME_SIZE];
	char key[KEY_SIZE];
	struct facts f;
	int attempt;
	size_t i;

	if (key_parse_outcome_file(name, key, &attempt) == -1)
		return;
	key_summary_file(key, attempt, summary);
	for (i = 0; i < PLACES; i++)
		if (spool_exists(q->summaries[places[i]], summary))
			return;
	if (publish_facts(s, q, done, name, &f) != 1) {
		log_warn("%s: outcome not read, its summary is missing", name);
		return;
	}
	log_warnx("%s: summary was missing, made again", name);
	if (publish_summary(s, q, &f, summary) == SPOOL_DONE)
		deliver_summary(s, q, summary);
	facts_free(&f);
}

static void
check_outcomes(struct summarizer *s, struct queue_tree *q)
{
	struct spool_names names;
	size_t i;

	if (spool_list(q->outcomes.dir[BOX_DONE], 0, &names) == -1)
		return;
	for (i = 0; i < names.count && !loop_stopping(&s->loop); i++) {
		summarizer_tick(s);
		check_outcome(s, q, names.names[i]);
	}
	spool_names_free(&names);
}

struct retention {
	struct summarizer *s;
	struct queue_tree *q;
	int dir;
};

/*
 * Before a delivered summary goes, its outcome goes: an outcome in done
 * without a summary would be told of again.
 */
static bool
may_forget(void *owner, const char *name)
{
	struct retention *r = owner;
	struct queue_tree *q = r->q;
	char outcome[NAME_SIZE];
	struct parcel p = {0};
	const char *key;
	bool ok = summary_load(r->dir, name, &p) == 1;

	/* Each of these waits for the disk: thousands must not look like a
	 * hang. */
	r->s->work++;
	summarizer_tick(r->s);
	key = json_string_value(json_object_get(p.front, "key"));
	if (ok && key != NULL && key_valid(key)) {
		key_outcome_file(key,
		    (int)json_integer_value(
			json_object_get(p.front, "attempt")),
		    outcome);
		ok = spool_remove(q->outcomes.dir[BOX_DONE], outcome) ==
		     SPOOL_DONE;
	}
	parcel_free(&p);
	return ok && spool_remove(q->summaries[S_BACKUP], name) == SPOOL_DONE &&
	       receipt_remove(r->s, q, name) == SPOOL_DONE;
}

static void
keep_to(struct summarizer *s, int dir, const struct retain *r,
    const char *queue, const char *what)
{
	int n, count = 0;

	/* Once a day, so all of it. */
	do {
		n = retain_dir(dir, r);
		count += n > 0 ? n : 0;
		s->work++;
		summarizer_tick(s);
	} while (n >= RETAIN_MORE && !loop_stopping(&s->loop));
	if (n == -1)
		log_warn("%s/%s: retention not applied", queue, what);
	if (count > 0)
		log_info("%s/%s: removed by retention, %d files", queue, what,
		    count);
}

static void
apply_retention(struct summarizer *s, struct queue_tree *q)
{
	const struct retention_settings *set = &s->settings->retention;
	const struct retain outcomes = {.age_ms = set->outcomes_age,
	    .bytes = set->outcomes_bytes,
	    .move_to = -1};
	size_t i;

	for (i = 1; i < PLACES; i++) {
		struct retention owner = {s, q, q->summaries[places[i]]};
		const struct retain r = {
		    .age_ms = set->summaries_age,
		    .bytes = set->summaries_bytes,
		    .move_to = -1,
		    .may_remove = may_forget,
		    .owner = &owner,
		};

		keep_to(s, owner.dir, &r, q->name, summary_dir_path[places[i]]);
	}
	keep_to(s, q->outcomes.dir[BOX_DONE], &outcomes, q->name,
	    "outcomes/done");
	for (enum box_dir d = BOX_NEW; d <= BOX_CUR; d++)
		if (tree_renew(s->tree, q->outcomes.dir[d], TREE_GIANT) == -1)
			log_warn("%s/outcomes/%s: not renewed", q->name,
			    box_dir_name[d]);
}

void
scrub_run(struct summarizer *s)
{
	size_t i, k;

	if (!is_due(s))
		return;
	for (i = 0; i < s->tree->queue_count && !loop_stopping(&s->loop); i++) {
		struct queue_tree *q = &s->tree->queues[i];

		apply_retention(s, q);
		for (k = 0; k < PLACES; k++)
			check_summaries(s, q, places[k]);
		check_outcomes(s, q);
	}
	if (!loop_stopping(&s->loop))
		remember(s);
}
