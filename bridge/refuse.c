/* SPDX-License-Identifier: ISC */
/*
 * What cannot be run ends as visibly as what can: an outcome (so a summary),
 * an alert, and the raw text in bad/ with the reason beside it.
 *
 * Order: outcome, alert, text, reason. The reason file comes last and says
 * that all the others are there, so a crash in between is mended when the
 * source is read again (refuse_again).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/accept.h"
#include "common/alert.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#define BAD_FORMAT "patchflow-bad-1"
#define HASH12 12

/* How one refusal is named and explained. */
struct refusal {
	const struct filing *f;
	const struct ids_entry *entry;
	const char *id;
	bool conflict; /* id is not the declared one */
	enum outcome_reason reason;
};

static enum outcome_reason
reason_of(const struct patch_result *p)
{
	switch (p->reason) {
	case PATCH_OK:
		return OUTCOME_ID_CONFLICT;
	case PATCH_MALFORMED:
		return OUTCOME_MALFORMED;
	case PATCH_INVALID:
		return OUTCOME_INVALID;
	case PATCH_NOT_EXECUTABLE:
		return OUTCOME_NOT_EXECUTABLE;
	case PATCH_FORBIDDEN:
		return OUTCOME_FORBIDDEN;
	}
	return OUTCOME_INVALID;
}

static const char *
error_of(const struct refusal *r)
{
	if (r->reason == OUTCOME_ID_CONFLICT)
		return "another patch of this id is queued, held, running or "
		       "completed";
	return r->f->patch->error;
}

static const char *
hint_of(const struct refusal *r)
{
	if (r->reason == OUTCOME_ID_CONFLICT)
		return "give the new patch an id of its own; the same id may "
		       "be used again only after the first one has failed";
	return r->f->patch->hint;
}

/* Lines and columns are those of the source, not of the block. */
static long long
line_of(const struct refusal *r)
{
	const struct doc_error *at = r->f->place;

	if (r->reason == OUTCOME_ID_CONFLICT || at->line == 0)
		return (long long)r->f->doc->line;
	return (long long)(r->f->doc->line + at->line - 1);
}

static json_t *
place_of(const struct refusal *r)
{
	const struct doc_error *at = r->f->place;
	bool none = r->reason == OUTCOME_ID_CONFLICT || at->line == 0;

	return json_pack("{s:I, s:i, s:s}", "line", (json_int_t)line_of(r),
	    "column", none ? 1 : at->column + r->f->doc->indent, "path",
	    r->f->patch->path);
}

static json_t *
outcome_of(const struct refusal *r)
{
	const struct patch_result *p = r->f->patch;
	char now[ISO_TIME_SIZE];
	struct envelope env;
	json_t *doc;
	const char *told = NULL;

	accept_envelope(r->f, r->id, r->entry, &env);
	doc = outcome_new(&env, OUTCOME_REJECTED, OUTCOME_NO_STAGE, r->reason);
	envelope_free(&env);
	clock_iso(clock_wall_us(), now);
	json_object_set_new(doc, "error", json_string(error_of(r)));
	json_object_set_new(doc, "hint", json_string(hint_of(r)));
	json_object_set_new(doc, "place", place_of(r));
	json_object_set_new(doc, "started_at", json_string(now));
	json_object_set_new(doc, "finished_at", json_string(now));
	json_object_set_new(doc, "duration_ms", json_integer(0));
	json_object_set(doc, "warnings", p->warnings);
	if (p->canonical != NULL)
		told = json_string_value(
		    json_object_get(p->canonical, "description"));
	if (told != NULL)
		json_object_set_new(doc, "description", json_string(told));
	if (r->conflict)
		json_object_set_new(doc, "declared_id", json_string(p->id));
	return doc;
}

static enum spool_answer
tell(struct desk *k, const struct refusal *r)
{
	const struct document *d = r->f->doc;
	char *subject = xasprintf("%s@%s", r->id, r->f->queue);
	char *text = xasprintf("%s, line %lld: %s: %s", d->source, line_of(r),
	    outcome_reason_name[r->reason], error_of(r));
	struct alert alert = {.type = "patch-rejected",
	    .component = DESK_NAME,
	    .subject = subject,
	    .severity = ALERT_ERROR,
	    .text = text,
	    .queue = r->f->queue,
	    .id = r->id};
	enum spool_answer answer = alert_raise(k->tree, &alert);

	free(subject);
	free(text);
	return answer;
}

/* KEY.EXT; KEY,N.EXT for the revisions behind the first. */
static void
bad_name(const struct ids_entry *entry, const char *ext, char out[NAME_SIZE])
{
	if (entry->attempt == 1)
		(void)snprintf(out, NAME_SIZE, "%s.%s", entry->key, ext);
	else
		(void)snprintf(out, NAME_SIZE, "%s,%d.%s", entry->key,
		    entry->attempt, ext);
}

static json_t *
reason_file(const struct refusal *r)
{
	const struct document *d = r->f->doc;
	char now[ISO_TIME_SIZE];

	clock_iso(clock_wall_us(), now);
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:o, s:s, "
			 "s:I, s:I, s:s}",
	    "format", BAD_FORMAT, "id", r->id, "queue", r->f->queue, "key",
	    r->entry->key, "attempt", r->entry->attempt, "reason",
	    outcome_reason_name[r->reason], "error", error_of(r), "hint",
	    hint_of(r), "place", place_of(r), "source", d->source, "uid",
	    (json_int_t)d->uid, "bytes", (json_int_t)d->len, "at", now);
}

static enum spool_answer
keep_text(struct desk *k, const struct refusal *r)
{
	const struct document *d = r->f->doc;
	char name[NAME_SIZE];
	enum spool_answer answer;
	json_t *doc;

	bad_name(r->entry, "txt", name);
	answer = spool_put(k->state.tmp, k->tree->bad, name, d->text, d->len);
	if (answer != SPOOL_DONE && answer != SPOOL_EXISTS)
		return answer;
	bad_name(r->entry, "json", name);
	doc = reason_file(r);
	answer = spool_put_json(k->state.tmp, k->tree->bad, name, doc);
	json_decref(doc);
	return answer == SPOOL_EXISTS ? SPOOL_DONE : answer;
}

static void
note(struct desk *k, const struct refusal *r)
{
	const struct filing *f = r->f;

	f->doc->counts->refused++;
	log_warnx("%s@%s: rejected, %s: %s, from %s line %lld", r->id, f->queue,
	    outcome_reason_name[r->reason], error_of(r), f->doc->source,
	    line_of(r));
	journal_write(&k->journal, "rejected",
	    json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "id", r->id,
		"queue", f->queue, "attempt", r->entry->attempt, "state",
		"rejected", "reason", outcome_reason_name[r->reason], "key",
		r->entry->key, "source", f->doc->source));
}

static enum spool_answer
finish(struct desk *k, const struct refusal *r)
{
	enum spool_answer answer = tell(k, r);

	if (answer == SPOOL_DONE)
		answer = keep_text(k, r);
	if (answer == SPOOL_DONE)
		note(k, r);
	return answer;
}

static enum spool_answer
refuse(struct desk *k, const struct refusal *r)
{
	struct ids_accept accept = {.tree = k->tree,
	    .id = r->id,
	    .entry = r->entry,
	    .dst = IDS_OUTCOME};
	enum spool_answer answer;
	json_t *doc = outcome_of(r);

	accept.doc = doc;
	answer = ids_accept(&accept);
	json_decref(doc);
	return answer == SPOOL_DONE ? finish(k, r) : answer;
}

static bool
unfinished(struct desk *k, const char *queue, const struct ids_entry *entry)
{
	struct queue_tree *q = tree_queue(k->tree, queue);
	char name[NAME_SIZE];

	bad_name(entry, "json", name);
	/* Without its outcome it is long over, and bad/ was tidied up. */
	return !spool_exists(k->tree->bad, name) &&
	       tree_find_outcome(q, entry->key, entry->attempt) != BOX__MAX;
}

static enum spool_answer
refuse_rest(struct desk *k, const struct refusal *r, bool *news)
{
	*news = unfinished(k, r->f->queue, r->entry);
	return *news ? finish(k, r) : SPOOL_DONE;
}

enum spool_answer
refuse_document(struct desk *k, const struct filing *f,
    const struct ids_entry *entry)
{
	struct refusal r = {.f = f,
	    .entry = entry,
	    .id = f->patch->id,
	    .reason = reason_of(f->patch)};

	return refuse(k, &r);
}

enum spool_answer
refuse_again(struct desk *k, const struct filing *f,
    const struct ids_entry *entry, bool *news)
{
	struct refusal r = {.f = f,
	    .entry = entry,
	    .id = f->patch->id,
	    .reason = reason_of(f->patch)};

	return refuse_rest(k, &r, news);
}

/* ID~HASH12, the ID cut at a character where both do not fit. */
static void
conflict_id(const struct filing *f, char out[ID_MAX + 1])
{
	char *text = xasprintf("%s\n%s", f->doc->occurrence, f->patch->digest);
	size_t len = strlen(f->patch->id);
	char hash[DIGEST_SIZE];

	digest_bytes(text, strlen(text), hash);
	free(text);
	if (len > ID_MAX - HASH12 - 1)
		len = ID_MAX - HASH12 - 1;
	while (len > 0 && (f->patch->id[len] & 0xc0) == 0x80)
		len--;
	(void)snprintf(out, ID_MAX + 1, "%.*s~%.*s", (int)len, f->patch->id,
	    HASH12, hash);
}

int
refuse_happened(struct desk *k, const struct filing *f)
{
	struct ids_entry *entries = NULL;
	char id[ID_MAX + 1];
	int count;

	conflict_id(f, id);
	count = ids_lookup(k->tree, f->queue, id, &entries);
	free(entries);
	return count > 0 ? 1 : count;
}

enum spool_answer
refuse_conflict(struct desk *k, const struct filing *f)
{
	struct refusal r = {.f = f,
	    .conflict = true,
	    .reason = reason_of(f->patch)};
	struct identity who;
	char id[ID_MAX + 1];
	bool news;

	conflict_id(f, id);
	if (identity_find(k, f->queue, id, f->patch->digest, &who) == -1)
		return SPOOL_REFUSED;
	r.id = id;
	r.entry = &who.entry;
	switch (who.kind) {
	case IDENTITY_NEW:
	case IDENTITY_REVISION:
	case IDENTITY_RESUME:
		return refuse(k, &r);
	case IDENTITY_DUPLICATE:
		return refuse_rest(k, &r, &news);
	case IDENTITY_CONFLICT:
	case IDENTITY_UNSURE:
		break;
	}
	errno = EAGAIN;
	return SPOOL_REFUSED;
}
