/* SPDX-License-Identifier: ISC */
/* From a text to queue files, duplicates and refusals, queue by queue. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/accept.h"
#include "bridge/route.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

/* Another one may take a revision first only while a person runs two bridges
 * on one spool; more than a few tries would be a loop. */
#define ACCEPT_TRIES 3

void
accept_envelope(const struct filing *f, const char *id,
    const struct ids_entry *entry, struct envelope *out)
{
	const struct document *d = f->doc;

	memset(out, 0, sizeof *out);
	(void)strlcpy(out->id, id, sizeof out->id);
	(void)strlcpy(out->queue, f->queue, sizeof out->queue);
	(void)strlcpy(out->key, entry->key, sizeof out->key);
	out->attempt = entry->attempt;
	(void)strlcpy(out->digest, entry->digest, sizeof out->digest);
	out->source = xstrdup(d->source);
	out->conversation = xstrdup(d->conversation);
	out->message_id = xstrdup(d->message_id);
	out->author = xstrdup(d->author);
	out->uid = d->uid;
	out->detected_us = d->detected_us;
	out->queued_us = clock_wall_us();
}

/* Of the time in its file: an executor may have started it since. */
static void
note_queued(struct desk *k, const struct filing *f,
    const struct ids_entry *entry, int digit, int64_t at_us)
{
	log_info("%s@%s: queued, key %s, attempt %d, from %s", f->patch->id,
	    f->queue, entry->key, entry->attempt, f->doc->source);
	journal_write_at(&k->journal, at_us, "queued",
	    json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:i}", "id", f->patch->id,
		"queue", f->queue, "attempt", entry->attempt, "state", "queued",
		"key", entry->key, "source", f->doc->source, "priority",
		digit));
}

static enum spool_answer
queue_patch(struct desk *k, const struct filing *f,
    const struct ids_entry *entry)
{
	int digit =
	    f->doc->priority >= 0 ? f->doc->priority : f->patch->priority;
	struct job job = {.patch = f->patch->canonical,
	    .warnings = f->patch->warnings};
	struct ids_accept accept = {.tree = k->tree,
	    .id = f->patch->id,
	    .entry = entry,
	    .dst = IDS_QUEUE,
	    .digit = digit};
	enum spool_answer answer;
	int64_t at_us;
	json_t *doc;

	accept_envelope(f, f->patch->id, entry, &job.env);
	at_us = job.env.queued_us;
	doc = job_encode(&job);
	envelope_free(&job.env);
	accept.doc = doc;
	answer = ids_accept(&accept);
	json_decref(doc);
	if (answer != SPOOL_DONE)
		return answer;
	f->doc->counts->accepted++;
	note_queued(k, f, entry, digit, at_us);
	return SPOOL_DONE;
}

static void
note_duplicate(struct desk *k, const struct filing *f,
    const struct ids_entry *entry)
{
	if (f->doc->again)
		return;
	f->doc->counts->duplicates++;
	log_info("%s@%s: seen again, not run, from %s", f->patch->id, f->queue,
	    f->doc->source);
	journal_write(&k->journal, "duplicate",
	    json_pack("{s:s, s:s, s:i, s:s, s:s}", "id", f->patch->id, "queue",
		f->queue, "attempt", entry->attempt, "key", entry->key,
		"source", f->doc->source));
}

static enum spool_answer
repeat(struct desk *k, const struct filing *f, const struct ids_entry *entry)
{
	enum spool_answer answer = SPOOL_DONE;
	bool news = false;

	if (f->patch->reason != PATCH_OK)
		answer = refuse_again(k, f, entry, &news);
	if (answer == SPOOL_DONE && !news)
		note_duplicate(k, f, entry);
	return answer;
}

/* A live id, or one that was live when this occurrence was first read. */
static int
conflicts(struct desk *k, const struct filing *f, const struct identity *who)
{
	if (who->kind == IDENTITY_CONFLICT)
		return 1;
	return who->kind == IDENTITY_REVISION ? refuse_happened(k, f) : 0;
}

static enum spool_answer
file_once(struct desk *k, const struct filing *f)
{
	struct identity who;
	int conflict;

	if (identity_find(k, f->queue, f->patch->id, f->patch->digest, &who) ==
	    -1)
		return SPOOL_REFUSED;
	if (who.kind == IDENTITY_DUPLICATE)
		return repeat(k, f, &who.entry);
	/* Ends the other acceptance, one way or the other, and looks again. */
	if (who.kind == IDENTITY_UNSURE)
		return ids_recover(k->tree) == -1 ? SPOOL_REFUSED
						  : SPOOL_EXISTS;
	conflict = conflicts(k, f, &who);
	if (conflict == -1)
		return SPOOL_REFUSED;
	if (conflict == 1)
		return refuse_conflict(k, f);
	if (f->patch->reason != PATCH_OK)
		return refuse_document(k, f, &who.entry);
	return queue_patch(k, f, &who.entry);
}

static enum accept_answer
file_document(struct desk *k, const struct filing *f)
{
	enum spool_answer answer = SPOOL_EXISTS;

	for (int i = 0; i < ACCEPT_TRIES && answer == SPOOL_EXISTS; i++)
		answer = file_once(k, f);
	if (answer == SPOOL_DONE)
		return ACCEPT_DONE;
	log_warn("%s@%s: not put, tried again later", f->patch->id, f->queue);
	return ACCEPT_RETRY;
}

/* Every queue is tried, so that a sick one does not keep it from others. */
static enum accept_answer
file_everywhere(struct desk *k, struct filing *f, struct patch_result *p)
{
	json_t *chosen = json_pack("[s]", f->doc->queue);
	enum accept_answer answer = ACCEPT_DONE;
	struct route route;
	int saved = 0;

	route_targets(k->set, f->doc->queue[0] != '\0' ? chosen : p->targets,
	    f->doc->fallback, p->warnings, &route);
	json_decref(chosen);
	for (size_t i = 0; i < route.count; i++) {
		f->queue = route.queues[i]->name;
		if (file_document(k, f) == ACCEPT_DONE)
			continue;
		saved = errno;
		answer = ACCEPT_RETRY;
	}
	route_free(&route);
	errno = saved;
	return answer;
}

static void
note_work(struct desk *k, const struct document *d)
{
	d->counts->documents++;
	k->work++;
}

enum accept_answer
accept_document(struct desk *k, const struct document *d)
{
	struct patch_result patch;
	struct doc_error place = {0};
	struct filing f = {.doc = d, .patch = &patch, .place = &place};
	enum accept_answer answer;

	patch_read(d->text, d->len, &patch, &place);
	answer = file_everywhere(k, &f, &patch);
	patch_result_free(&patch);
	if (answer == ACCEPT_DONE)
		note_work(k, d);
	return answer;
}

enum accept_answer
accept_unreadable(struct desk *k, const struct document *d, const char *error)
{
	struct patch_result patch = {.reason = PATCH_MALFORMED};
	struct doc_error place = {0};
	struct filing f = {.doc = d, .patch = &patch, .place = &place};
	enum accept_answer answer;

	digest_bytes(d->text, d->len, patch.digest);
	(void)snprintf(patch.id, sizeof patch.id, "bad-%.12s", patch.digest);
	(void)strlcpy(patch.error, error, sizeof patch.error);
	patch.targets = json_array();
	patch.warnings = json_array();
	answer = file_everywhere(k, &f, &patch);
	patch_result_free(&patch);
	if (answer == ACCEPT_DONE)
		note_work(k, d);
	return answer;
}
