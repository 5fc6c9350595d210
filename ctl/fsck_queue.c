/* SPDX-License-Identifier: ISC */
/*
 * fsck of one queue: each patch in one state, each terminal attempt with one
 * outcome, each settled outcome with one summary.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/doc.h"
#include "common/job.h"
#include "common/spool.h"
#include "ctl/control.h"
#include "ctl/fsck.h"
#include "ctl/look.h"
#include "ctl/out.h"

#define FENCE "---\n"
#define FENCE_LEN (sizeof(FENCE) - 1)

static char *
path_of(const struct queue_tree *q, const char *dir)
{
	return xasprintf("%s/%s", q->name, dir);
}

static char *
place_of(const struct queue_tree *q, const char *dir, const char *name)
{
	return xasprintf("%s/%s/%s", q->name, dir, name);
}

static bool
is_terminal(enum queue_dir d)
{
	return d == Q_COMPLETED || d == Q_FAILED || d == Q_ARCHIVE;
}

/* The same KEY behind d in the life cycle, seen while d still holds it. */
static void
check_single(struct fsck *f, struct queue_tree *q, enum queue_dir d,
    const struct queue_name *n, const char *name)
{
	struct queue_name other;
	enum queue_dir found = tree_find_key(q, n->key, n->attempt, &other);
	char *place;

	if (found == d || found == Q__MAX || !spool_exists(q->dir[d], name))
		return;
	/* A failed attempt stays behind where a resend took its place. */
	if (is_terminal(d) && other.attempt > n->attempt)
		return;
	place = place_of(q, queue_dir_path[d], name);
	fsck_say(f, FSCK_WRONG, place, "is in %s too", queue_dir_path[found]);
	free(place);
}

static void
check_terminal(struct fsck *f, struct queue_tree *q, enum queue_dir d,
    const struct queue_name *n, const char *name)
{
	const struct retention_settings *keep = &f->c->s.retention;
	int64_t age_ms = (clock_wall_us() - key_time_us(n->key)) / 1000;
	char *place;

	/* An outcome goes with its summary, if not before, and a queue file
	 * may well be kept longer. */
	if (age_ms >= keep->outcomes_age || age_ms >= keep->summaries_age)
		return;
	/* the outcome comes first, so while the file stands it must, too */
	if (tree_find_outcome(q, n->key, n->attempt) != BOX__MAX ||
	    !spool_exists(q->dir[d], name))
		return;
	place = place_of(q, queue_dir_path[d], name);
	fsck_say(f, FSCK_WRONG, place, "has no outcome");
	free(place);
}

static void
check_job(struct fsck *f, struct queue_tree *q, enum queue_dir d,
    const char *name)
{
	struct queue_name n;
	struct job job;
	json_t *doc = NULL;
	char *path = path_of(q, queue_dir_path[d]);
	int found = spool_read_json(q->dir[d], name, &doc);
	bool named = key_parse_queue_file(name, &n) == 0;

	f->files++;
	if (found == -1 && errno == ENOMSG && d == Q_PATCHES)
		fsck_say(f, FSCK_NOTE, path,
		    "%s was dropped by hand and is taken in soon", name);
	else if (found == -1 || (found == 1 && !named))
		fsck_bad_file(f, q->dir[d], path,
		    is_terminal(d) ? "patches" : NULL, name);
	else if (found == 1 && job_decode(doc, &job) == -1)
		fsck_bad_file(f, q->dir[d], path, NULL, name);
	else if (found == 1) {
		if (strcmp(job.env.key, n.key) != 0)
			fsck_say(f, FSCK_WRONG, path,
			    "%s holds the patch of key %s", name, job.env.key);
		check_single(f, q, d, &n, name);
		if (is_terminal(d))
			check_terminal(f, q, d, &n, name);
		job_free(&job);
	}
	json_decref(doc);
	free(path);
}

static void
check_states(struct fsck *f, struct queue_tree *q)
{
	struct spool_names names;
	size_t i;
	int d;

	for (d = Q_PATCHES; d <= Q_ARCHIVE; d++) {
		if (spool_list(q->dir[d], 0, &names) == -1) {
			fsck_say(f, FSCK_WRONG, q->name, "%s: %s",
			    queue_dir_path[d], strerror(errno));
			continue;
		}
		for (i = 0; i < names.count; i++)
			check_job(f, q, (enum queue_dir)d, names.names[i]);
		spool_names_free(&names);
	}
}

static void
check_running(struct fsck *f, struct queue_tree *q)
{
	char *executor = xasprintf("executor@%s", q->name);
	struct spool_names names;

	if (!control_is_running(f->c, executor) &&
	    spool_list(q->dir[Q_RUNNING], 1, &names) == 0) {
		if (names.count > 0)
			fsck_say(f, FSCK_NOTE, q->name,
			    "%s was interrupted; the executor's next start "
			    "decides",
			    names.names[0]);
		spool_names_free(&names);
	}
	free(executor);
}

static bool
has_summary(const struct queue_tree *q, const char *key, int attempt)
{
	char name[NAME_SIZE];
	int tries;

	key_summary_file(key, attempt, name);
	/* a summary only moves forward; once more for one that just did */
	for (tries = 0; tries < 2; tries++)
		if (spool_exists(q->summaries[S_READY], name) ||
		    spool_exists(q->summaries[S_COMPLETED], name) ||
		    spool_exists(q->summaries[S_FAILED], name))
			return true;
	return false;
}

/* Summaries go by retention; only one that should still be there is missed. */
static bool
is_young(const struct fsck *f, const json_t *doc)
{
	int64_t at;

	return clock_parse_iso(out_string(doc, "finished_at"), &at) == -1 ||
	       (clock_wall_us() - at) / 1000 < f->c->s.retention.summaries_age;
}

static void
check_summary(struct fsck *f, struct queue_tree *q, const struct outcome *o,
    const char *name)
{
	char *place;

	if (has_summary(q, o->env.key, o->env.attempt) ||
	    !is_young(f, o->doc) ||
	    !spool_exists(q->outcomes.dir[BOX_DONE], name))
		return;
	place = place_of(q, "outcomes/done", name);
	/* back to new: the summarizer writes it from there */
	if (f->repair && spool_move(q->outcomes.dir[BOX_DONE], name,
			     q->outcomes.dir[BOX_NEW], NULL) == SPOOL_DONE)
		fsck_say(f, FSCK_MENDED, place,
		    "has no summary: given to the summarizer again");
	else
		fsck_say(f, FSCK_WRONG, place, "has no summary");
	free(place);
}

static void
check_outcome(struct fsck *f, struct queue_tree *q, enum box_dir box,
    const char *name)
{
	char *path = xasprintf("%s/outcomes/%s", q->name, box_dir_name[box]);
	char key[KEY_SIZE];
	struct outcome o;
	json_t *doc = NULL;
	int attempt, found = spool_read_json(q->outcomes.dir[box], name, &doc);

	f->files++;
	if (found == -1 ||
	    (found == 1 && (key_parse_outcome_file(name, key, &attempt) == -1 ||
			       outcome_decode(doc, &o) == -1)))
		fsck_bad_file(f, q->outcomes.dir[box], path,
		    box == BOX_DONE ? "outcomes" : NULL, name);
	else if (found == 1) {
		if (strcmp(o.env.key, key) != 0 || o.env.attempt != attempt)
			fsck_say(f, FSCK_WRONG, path,
			    "%s holds the outcome of %s,%d", name, o.env.key,
			    o.env.attempt);
		else if (box == BOX_DONE)
			check_summary(f, q, &o, name);
		outcome_free(&o);
	}
	json_decref(doc);
	free(path);
}

static void
check_outcomes(struct fsck *f, struct queue_tree *q)
{
	struct spool_names names;
	size_t i;
	int d;

	for (d = BOX_NEW; d <= BOX_DONE; d++) {
		if (spool_list(q->outcomes.dir[d], 0, &names) == -1) {
			fsck_say(f, FSCK_WRONG, q->name, "outcomes/%s: %s",
			    box_dir_name[d], strerror(errno));
			continue;
		}
		for (i = 0; i < names.count; i++)
			check_outcome(f, q, (enum box_dir)d, names.names[i]);
		spool_names_free(&names);
	}
}

/* body_sha256 of the front matter against what follows it. */
static bool
is_whole(const struct spool_file *file)
{
	struct doc_error err;
	char sha[DIGEST_SIZE];
	const char *end, *body;
	json_t *front;
	bool whole;

	if (file->len < 2 * FENCE_LEN ||
	    memcmp(file->bytes, FENCE, FENCE_LEN) != 0)
		return false;
	end = memmem(file->bytes + FENCE_LEN - 1, file->len - FENCE_LEN + 1,
	    "\n" FENCE, FENCE_LEN + 1);
	if (end == NULL)
		return false;
	body = end + 1 + FENCE_LEN;
	front = doc_parse(file->bytes + FENCE_LEN,
	    (size_t)(end + 1 - file->bytes) - FENCE_LEN, DOC_YAML, &err);
	digest_bytes(body, (size_t)(file->bytes + file->len - body), sha);
	whole = strcmp(out_string(front, "body_sha256"), sha) == 0;
	json_decref(front);
	return whole;
}

static void
check_summary_file(struct fsck *f, struct queue_tree *q, enum summary_dir d,
    const char *name)
{
	char *path = path_of(q, summary_dir_path[d]);
	char slug_hash[KEY_SIZE];
	struct spool_file file;
	int attempt, found = spool_read(q->summaries[d], name, SPOOL_FILE_MAX,
			 false, &file);

	f->files++;
	if (key_parse_summary_file(name, slug_hash, &attempt) == -1)
		fsck_say(f, FSCK_NOTE, path, "%s is none of ours", name);
	else if (found == -1 || (found == 1 && !is_whole(&file)))
		fsck_bad_file(f, q->summaries[d], path, NULL, name);
	if (found == 1)
		spool_file_free(&file);
	free(path);
}

static void
check_summaries(struct fsck *f, struct queue_tree *q)
{
	static const enum summary_dir dirs[] = {S_READY, S_COMPLETED, S_FAILED,
	    S_BACKUP};
	struct spool_names names;
	size_t i, n;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (spool_list(q->summaries[dirs[i]], 0, &names) == -1) {
			fsck_say(f, FSCK_WRONG, q->name, "%s: %s",
			    summary_dir_path[dirs[i]], strerror(errno));
			continue;
		}
		for (n = 0; n < names.count; n++)
			check_summary_file(f, q, dirs[i], names.names[n]);
		spool_names_free(&names);
	}
}

void
fsck_queue(struct fsck *f, struct queue_tree *q)
{
	check_states(f, q);
	check_running(f, q);
	check_outcomes(f, q);
	check_summaries(f, q);
}
