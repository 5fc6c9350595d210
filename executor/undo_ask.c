/* SPDX-License-Identifier: ISC */
/*
 * The request for an undo becomes a queue file. Its KEY has the time of the
 * patch that is to be taken back, so that the same request, made twice or
 * again after a crash, is the same file.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/ids.h"
#include "common/outcome.h"
#include "executor/kept.h"
#include "executor/undo.h"

#define PREFIX "undo:"
#define WHY_SIZE 256

static bool
say(char *why, bool ok, const char *text)
{
	strlcpy(why, text, WHY_SIZE);
	return ok;
}

static bool
is_undone(const struct executor *ex, const struct queue_name *n)
{
	char name[NAME_SIZE];
	json_t *doc = NULL;
	const char *state;
	bool undone;

	key_outcome_file(n->key, n->attempt, name);
	if (spool_read_json(ex->q->outcomes.dir[BOX_DONE], name, &doc) != 1)
		return false;
	state = json_string_value(json_object_get(doc, "state"));
	undone = state != NULL && strcmp(state, "undone") == 0;
	json_decref(doc);
	return undone;
}

/* 1, 0, or -1 and errno. */
static int
is_kept(struct executor *ex, const struct queue_name *n)
{
	char name[NAME_SIZE];
	struct txn t;
	int answer, saved;

	if (snprintf(name, sizeof(name), "%s,%d", n->key, n->attempt) < 0)
		return -1;
	answer = kept_open(ex, name, &t);
	saved = errno;
	txn_close(&t);
	errno = saved;
	if (answer == -1)
		return saved == ENOENT ? 0 : -1;
	return 1;
}

/* The envelope of the patch that is taken back: its summary goes to the same
 * conversation. 0 or -1. */
static int
read_job(struct executor *ex, const struct queue_name *n, struct job *job)
{
	char file[NAME_SIZE];
	json_t *doc = NULL;
	int answer = -1;

	key_queue_file(n, file);
	if (spool_read_json(ex->q->dir[Q_COMPLETED], file, &doc) == 1)
		answer = job_decode(doc, job);
	json_decref(doc);
	return answer;
}

/* An undo keeps nothing: it has given back what was kept. */
static bool
is_undo(struct executor *ex, const struct queue_name *n)
{
	struct job job;
	bool is;

	if (read_job(ex, n, &job) == -1)
		return false;
	is = undo_is(job.patch);
	job_free(&job);
	return is;
}

static void
make_job(struct job *job, const char *id, const struct queue_name *n,
    const struct queue_name *as)
{
	struct envelope *e = &job->env;

	json_decref(job->patch);
	job->patch = json_pack("{s:{s:s,s:s,s:i},s:o}", "undo", "id", id, "key",
	    n->key, "attempt", n->attempt, "description",
	    json_sprintf("Takes back %s, attempt %d.", id, n->attempt));
	json_array_clear(job->warnings);
	if (snprintf(e->id, sizeof(e->id), PREFIX "%s", id) < 0)
		e->id[0] = '\0';
	strlcpy(e->key, as->key, sizeof(e->key));
	e->attempt = as->attempt;
	digest_json(job->patch, e->digest);
	e->detected_us = e->queued_us = clock_wall_us();
}

/* For whoever asks for undo:ID by name; before the file, which a crash would
 * else leave without. */
static int
note_id(struct executor *ex, const struct envelope *e)
{
	struct ids_entry entry = {.attempt = e->attempt};

	strlcpy(entry.queue, ex->q->name, sizeof(entry.queue));
	strlcpy(entry.key, e->key, sizeof(entry.key));
	strlcpy(entry.digest, e->digest, sizeof(entry.digest));
	return ids_note(ex->tree, e->id, &entry);
}

static bool
put(struct executor *ex, const char *id, const struct queue_name *n,
    const struct queue_name *as)
{
	char file[NAME_SIZE];
	enum spool_answer a = SPOOL_REFUSED;
	struct job job;
	json_t *doc;

	if (read_job(ex, n, &job) == -1)
		return false;
	make_job(&job, id, n, as);
	doc = job_encode(&job);
	key_queue_file(as, file);
	if (note_id(ex, &job.env) == 0)
		a = spool_put_json(ex->q->dir[Q_TMP], ex->q->dir[Q_PATCHES],
		    file, doc);
	json_decref(doc);
	job_free(&job);
	ex->index.dirty = true;
	return a == SPOOL_DONE || a == SPOOL_EXISTS;
}

/* 1 with the attempt that the next undo is, 0 it waits or runs already. */
static int
next_attempt(struct executor *ex, const char *id, const struct queue_name *n,
    struct queue_name *as)
{
	char undo_id[ID_MAX + 8];
	struct queue_name found;

	memset(as, 0, sizeof(*as));
	if (snprintf(undo_id, sizeof(undo_id), PREFIX "%s", id) < 0)
		return -1;
	key_make(key_time_us(n->key), undo_id, as->key);
	switch (tree_find_key(ex->q, as->key, 1, &found)) {
	case Q_PATCHES:
	case Q_HELD:
	case Q_RUNNING:
		return 0;
	case Q_COMPLETED:
	case Q_FAILED:
	case Q_ARCHIVE:
		as->attempt = found.attempt + 1;
		return 1;
	case Q_TMP:
	case Q__MAX:
		break;
	}
	as->attempt = 1;
	return 1;
}

bool
undo_ask(struct executor *ex, const char *id, const struct queue_name *n,
    char why[WHY_SIZE])
{
	struct queue_name as;
	int kept;

	if (is_undone(ex, n))
		return say(why, true, "it is undone");
	if (is_undo(ex, n))
		return say(why, false, "an undo cannot be undone");
	if (strlen(id) + strlen(PREFIX) > ID_MAX)
		return say(why, false, "its id is too long for an undo");
	if (next_attempt(ex, id, n, &as) == 0)
		return say(why, true, "its undo is under way");
	/* With the workspace away nobody can tell: it waits, like any patch,
	 * and what it finds then is its outcome. */
	kept = ex->place.dir == -1 ? 1 : is_kept(ex, n);
	if (kept == -1)
		return say(why, false, strerror(errno));
	if (kept == 0)
		return say(why, false,
		    "what it replaced is not kept any more "
		    "(retention.transactions_age, transactions_bytes)");
	if (!put(ex, id, n, &as))
		return say(why, false, "the undo could not be queued");
	if (snprintf(why, WHY_SIZE, "queued as " PREFIX "%.150s%s", id,
		ex->place.dir == -1 ? "; it waits for the workspace" : "") < 0)
		why[0] = '\0';
	return true;
}
