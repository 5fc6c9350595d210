/* SPDX-License-Identifier: ISC */
/*
 * Outcomes to summaries: claim, publish, settle. What a crash left in cur is
 * taken up first; doing it again changes nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alert.h"
#include "common/clock.h"
#include "common/log.h"
#include "summarizer/summarizer.h"

#define BATCH 64 /* outcomes of a queue in one turn of the loop */

/* Two copies of one outcome come from a put whose answer was unknown and that
 * was repeated; the first one counts. */
static bool
drop_repeat(struct summarizer *s, struct queue_tree *q, const char *name)
{
	struct box *box = &q->outcomes;
	int first = spool_exists(box->dir[BOX_CUR], name) ? box->dir[BOX_CUR]
							  : box->dir[BOX_DONE];
	json_t *a = NULL;
	json_t *b = NULL;
	enum spool_answer answer;

	if (spool_read_json(first, name, &a) == 1 &&
	    spool_read_json(box->dir[BOX_NEW], name, &b) == 1 &&
	    json_equal(a, b))
		answer = spool_remove(box->dir[BOX_NEW], name);
	else
		answer = publish_set_aside(s, q, box->dir[BOX_NEW], name,
		    "second outcome of one attempt");
	json_decref(a);
	json_decref(b);
	return answer == SPOOL_DONE;
}

/* new -> cur; true when it lies in cur. */
static bool
claim(struct summarizer *s, struct queue_tree *q, const char *name)
{
	struct box *box = &q->outcomes;
	enum spool_answer answer;

	if (spool_exists(box->dir[BOX_DONE], name) ||
	    spool_exists(box->dir[BOX_CUR], name)) {
		if (!drop_repeat(s, q, name))
			log_warn("%s: repeat not removed", name);
		return false;
	}
	answer = spool_move(box->dir[BOX_NEW], name, box->dir[BOX_CUR], NULL);
	if (answer == SPOOL_REFUSED && errno != ENOENT)
		log_warn("%s: not claimed", name);
	return answer == SPOOL_DONE;
}

static void
journal_summary(struct summarizer *s, const struct facts *f, const char *name)
{
	const struct envelope *e = &f->outcome.env;

	log_info("%s: summarized, %s", f->where, outcome_words(&f->outcome));
	journal_write(&s->journal, "summarized",
	    json_pack("{s:s,s:s,s:i,s:s,s:s}", "id", e->id, "queue", e->queue,
		"attempt", e->attempt, "state",
		outcome_state_name[f->outcome.state], "summary", name));
}

/* What the file name still tells: the slug of the key for an id. */
static void
envelope_of_name(const struct queue_tree *q, const char *key, int attempt,
    struct envelope *e)
{
	static const struct envelope empty;
	const char *slug = strchr(key, '-');
	size_t len;

	envelope_copy(e, &empty);
	slug = slug == NULL ? key : slug + 1;
	len = strlen(slug);
	if (len > 9)
		len -= 9; /* "-HASH8" */
	(void)snprintf(e->id, sizeof e->id, "%.*s", (int)len, slug);
	(void)strlcpy(e->queue, q->name, sizeof e->queue);
	(void)strlcpy(e->key, key, sizeof e->key);
	memset(e->digest, '0', DIGEST_SIZE - 1);
	e->attempt = attempt;
	e->detected_us = e->queued_us = key_time_us(key);
}

/* The envelope of a patch whose outcome is lost: from its queue file, which
 * says the state too, else from the name. */
static enum outcome_state
recall_patch(const struct queue_tree *q, const char *key, int attempt,
    struct envelope *e)
{
	struct queue_name found;
	enum queue_dir dir = tree_find_key(q, key, attempt, &found);
	char name[NAME_SIZE];
	json_t *doc = NULL;
	struct job job;

	envelope_of_name(q, key, attempt, e);
	if (dir == Q__MAX)
		return OUTCOME_FAILED;
	key_queue_file(&found, name);
	if (spool_read_json(q->dir[dir], name, &doc) == 1 &&
	    job_decode(doc, &job) == 0) {
		envelope_free(e);
		envelope_copy(e, &job.env);
		e->attempt = attempt;
		job_free(&job);
	}
	json_decref(doc);
	return dir == Q_COMPLETED ? OUTCOME_COMPLETED : OUTCOME_FAILED;
}

/* The summary, then a readable stand-in in done, so that no later attempt
 * gets this one's number. */
static enum spool_answer
publish_damaged(struct summarizer *s, struct queue_tree *q, const char *name,
    const struct facts *f)
{
	char summary[NAME_SIZE];
	enum spool_answer answer = publish_summary(s, q, f, summary);

	if (answer == SPOOL_DONE)
		journal_summary(s, f, summary);
	if (answer == SPOOL_DONE || answer == SPOOL_EXISTS)
		answer = spool_put_json(q->outcomes.dir[BOX_TMP],
		    q->outcomes.dir[BOX_DONE], name, f->doc);
	if (answer == SPOOL_DONE || answer == SPOOL_EXISTS)
		deliver_summary(s, q, summary);
	return answer;
}

/*
 * The outcome cannot be read, yet the attempt is over: its summary says so,
 * and the file goes to corrupt/.
 */
static bool
settle_damaged(struct summarizer *s, struct queue_tree *q, const char *name)
{
	int cur = q->outcomes.dir[BOX_CUR];
	enum spool_answer answer;
	enum outcome_state state;
	char key[KEY_SIZE];
	struct envelope e;
	struct facts f;
	int attempt;

	if (key_parse_outcome_file(name, key, &attempt) == -1)
		return publish_set_aside(s, q, cur, name,
			   "not an outcome's name") == SPOOL_DONE;
	state = recall_patch(q, key, attempt, &e);
	facts_damaged(&f, &e, state, "the outcome file is damaged");
	answer = publish_damaged(s, q, name, &f);
	facts_free(&f);
	envelope_free(&e);
	if (answer != SPOOL_DONE && answer != SPOOL_EXISTS)
		return false;
	s->work++;
	return publish_set_aside(s, q, cur, name, "checksum or contents") ==
	       SPOOL_DONE;
}

/* cur -> done, when the summary is durable. */
static bool
settle(struct summarizer *s, struct queue_tree *q, const char *name)
{
	struct box *box = &q->outcomes;
	char summary[NAME_SIZE];
	enum spool_answer answer;
	struct facts f;
	int r = publish_facts(s, q, box->dir[BOX_CUR], name, &f);

	if (r == 0)
		return true;
	if (r == -1 && (errno == EBADMSG || errno == EFBIG || errno == EPERM ||
			   errno == ENOMSG))
		return settle_damaged(s, q, name);
	if (r == -1) {
		log_warn("%s: outcome not read", name);
		return false;
	}
	answer = publish_summary(s, q, &f, summary);
	if (answer == SPOOL_DONE)
		journal_summary(s, &f, summary);
	if (answer != SPOOL_DONE && answer != SPOOL_EXISTS)
		log_warn("%s: summary not published", name);
	facts_free(&f);
	if (answer != SPOOL_DONE && answer != SPOOL_EXISTS)
		return false;
	answer = spool_move(box->dir[BOX_CUR], name, box->dir[BOX_DONE], NULL);
	if (answer != SPOOL_DONE)
		log_warn("%s: outcome not settled", name);
	s->work++;
	deliver_summary(s, q, summary);
	return answer == SPOOL_DONE;
}

/* Tells once that a queue's summaries cannot be written, and once that they
 * can again. */
static void
tell_health(struct summarizer *s, struct queue_tree *q, bool well)
{
	bool *sick = &s->queue_sick[q - s->tree->queues];

	if (*sick != well)
		return;
	*sick = !well;
	summarizer_alert(s,
	    &(struct alert){.type = "put-failed",
		.component = "summarizer",
		.subject = q->name,
		.severity = ALERT_ERROR,
		.text = well ? "summaries are written again"
			     : "an outcome could not be turned into a "
			       "summary; it waits in outcomes/cur and is "
			       "tried again",
		.queue = q->name,
		.resolved = well});
}

static bool
take_all(struct summarizer *s, struct queue_tree *q, enum box_dir from,
    bool *more)
{
	struct spool_names names;
	bool well = true;
	int taken = 0;
	size_t i;

	if (spool_list(q->outcomes.dir[from], 0, &names) == -1) {
		log_warn("%s/outcomes/%s: not listed", q->name,
		    box_dir_name[from]);
		return false;
	}
	/* All of cur: what is stuck there must not hide what is not. */
	for (i = 0; i < names.count && !loop_stopping(&s->loop); i++) {
		if (from == BOX_NEW && taken == BATCH)
			break;
		summarizer_tick(s);
		if (from == BOX_NEW && !claim(s, q, names.names[i]))
			continue;
		taken++;
		if (!settle(s, q, names.names[i]))
			well = false;
	}
	if (from == BOX_NEW && taken == BATCH)
		*more = true;
	spool_names_free(&names);
	return well;
}

bool
intake_queue(struct summarizer *s, struct queue_tree *q, bool *more)
{
	bool left = !take_all(s, q, BOX_CUR, more);
	bool fresh = !take_all(s, q, BOX_NEW, more);

	tell_health(s, q, !left && !fresh);
	return !left && !fresh;
}
