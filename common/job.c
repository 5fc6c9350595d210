/* SPDX-License-Identifier: ISC */
/*
 * The envelope and the queue file. Decoding is strict: what we did not write
 * exactly so is not ours, and a field that is missing or of another type is
 * an error, never a default.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/job.h"
#include "common/text.h"

#define ENVELOPE_FIELDS 12
#define JOB_FIELDS (ENVELOPE_FIELDS + 3) /* format, patch, warnings */

/* The fields as JSON holds them, borrowed. */
struct raw {
	const char *id, *queue, *key, *digest, *source, *conversation;
	const char *message_id, *author, *detected_at, *queued_at;
	json_int_t attempt, uid;
	size_t id_len;
};

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

static void
set_time(json_t *into, const char *name, int64_t wall_us)
{
	char iso[ISO_TIME_SIZE];

	clock_iso(wall_us, iso);
	(void)json_object_set_new(into, name, json_string(iso));
}

void
envelope_encode(const struct envelope *e, json_t *into)
{
	(void)json_object_set_new(into, "id", text_json(e->id));
	(void)json_object_set_new(into, "queue", json_string(e->queue));
	(void)json_object_set_new(into, "key", json_string(e->key));
	(void)json_object_set_new(into, "attempt", json_integer(e->attempt));
	(void)json_object_set_new(into, "digest", json_string(e->digest));
	(void)json_object_set_new(into, "source", text_json(e->source));
	(void)json_object_set_new(into, "conversation",
	    text_json(e->conversation));
	(void)json_object_set_new(into, "message_id", text_json(e->message_id));
	(void)json_object_set_new(into, "author", text_json(e->author));
	(void)json_object_set_new(into, "uid", json_integer(e->uid));
	set_time(into, "detected_at", e->detected_us);
	set_time(into, "queued_at", e->queued_us);
}

static bool
digest_valid(const char *s)
{
	return strlen(s) == DIGEST_SIZE - 1 &&
	       strspn(s, "0123456789abcdef") == DIGEST_SIZE - 1;
}

static bool
raw_valid(const struct raw *r)
{
	return strlen(r->id) == r->id_len && key_id_valid(r->id) &&
	       key_queue_valid(r->queue) && key_is_of(r->key, r->id) &&
	       digest_valid(r->digest) && r->attempt >= 1 &&
	       r->attempt <= ATTEMPT_MAX && r->uid >= 0 && r->uid < UINT32_MAX;
}

int
envelope_decode(const json_t *doc, struct envelope *e)
{
	struct raw r;
	struct envelope out = {0};

	*e = out;
	/* Jansson's unpack takes no const; it changes nothing. */
	if (json_unpack_ex((json_t *)(uintptr_t)doc, NULL, 0,
		"{s:s%,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:s}", "id",
		&r.id, &r.id_len, "queue", &r.queue, "key", &r.key, "attempt",
		&r.attempt, "digest", &r.digest, "source", &r.source,
		"conversation", &r.conversation, "message_id", &r.message_id,
		"author", &r.author, "uid", &r.uid, "detected_at",
		&r.detected_at, "queued_at", &r.queued_at) == -1)
		return invalid();
	if (!raw_valid(&r) ||
	    clock_parse_iso(r.detected_at, &out.detected_us) == -1 ||
	    clock_parse_iso(r.queued_at, &out.queued_us) == -1)
		return invalid();
	(void)strlcpy(out.id, r.id, sizeof(out.id));
	(void)strlcpy(out.queue, r.queue, sizeof(out.queue));
	(void)strlcpy(out.key, r.key, sizeof(out.key));
	(void)strlcpy(out.digest, r.digest, sizeof(out.digest));
	out.attempt = (int)r.attempt;
	out.uid = (uid_t)r.uid;
	out.source = xstrdup(r.source);
	out.conversation = xstrdup(r.conversation);
	out.message_id = xstrdup(r.message_id);
	out.author = xstrdup(r.author);
	*e = out;
	return 0;
}

void
envelope_free(struct envelope *e)
{
	free(e->source);
	free(e->conversation);
	free(e->message_id);
	free(e->author);
	*e = (struct envelope){0};
}

static char *
copy_text(const char *s)
{
	return xstrdup(s == NULL ? "" : s);
}

void
envelope_copy(struct envelope *to, const struct envelope *from)
{
	*to = *from;
	to->source = copy_text(from->source);
	to->conversation = copy_text(from->conversation);
	to->message_id = copy_text(from->message_id);
	to->author = copy_text(from->author);
}

json_t *
job_encode(const struct job *j)
{
	json_t *doc = json_object();
	json_t *warnings =
	    j->warnings == NULL ? json_array() : json_incref(j->warnings);

	(void)json_object_set_new(doc, "format", json_string(JOB_FORMAT));
	envelope_encode(&j->env, doc);
	(void)json_object_set(doc, "patch", j->patch);
	(void)json_object_set_new(doc, "warnings", warnings);
	return doc;
}

static bool
all_strings(const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!json_is_string(json_array_get(array, i)))
			return false;
	return json_is_array(array);
}

int
job_decode(const json_t *doc, struct job *j)
{
	const char *format = json_string_value(json_object_get(doc, "format"));
	json_t *patch = json_object_get(doc, "patch");
	json_t *warnings = json_object_get(doc, "warnings");

	*j = (struct job){0};
	if (format == NULL || strcmp(format, JOB_FORMAT) != 0 ||
	    json_object_size(doc) != JOB_FIELDS || !json_is_object(patch) ||
	    !all_strings(warnings))
		return invalid();
	if (envelope_decode(doc, &j->env) == -1)
		return -1;
	j->patch = json_incref(patch);
	j->warnings = json_incref(warnings);
	return 0;
}

void
job_free(struct job *j)
{
	envelope_free(&j->env);
	json_decref(j->patch);
	json_decref(j->warnings);
	*j = (struct job){0};
}
