/* SPDX-License-Identifier: ISC */
/* Operators' requests into a queue's box, and back. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/request.h"
#include "common/text.h"

const char *const request_verb_name[REQUEST__MAX] = {
    [REQUEST_RETRY] = "retry",
    [REQUEST_HOLD] = "hold",
    [REQUEST_CANCEL] = "cancel",
    [REQUEST_APPROVE] = "approve",
    [REQUEST_REJECT] = "reject",
    [REQUEST_UNDO] = "undo",
    [REQUEST_PAUSE] = "pause",
    [REQUEST_RESUME] = "resume",
};

/* pause and resume are about the queue: no id. */
static bool
id_fits(enum request_verb verb, const char *id)
{
	if (verb == REQUEST_PAUSE || verb == REQUEST_RESUME)
		return id[0] == '\0';
	return key_id_valid(id);
}

json_t *
request_encode(const struct request *r)
{
	char at[ISO_TIME_SIZE];
	json_t *doc;

	clock_iso(clock_wall_us(), at);
	doc = json_pack("{s:s,s:s,s:o,s:o,s:s}", "format", REQUEST_FORMAT,
	    "verb", request_verb_name[r->verb], "id", text_json(r->id),
	    "reason", text_json(r->reason), "at", at);
	if (r->digest[0] != '\0') {
		json_object_set_new(doc, "digest", json_string(r->digest));
		json_object_set_new(doc, "attempt", json_integer(r->attempt));
	}
	return doc;
}

const struct box *
request_box(const struct queue_tree *q)
{
	return geteuid() == 0 || geteuid() == q->tree->owner ? &q->requests
							     : &q->asks;
}

enum spool_answer
request_put(struct queue_tree *q, struct request *r)
{
	json_t *doc;
	enum spool_answer answer;

	if (!id_fits(r->verb, r->id)) {
		errno = EINVAL;
		return SPOOL_REFUSED;
	}
	r->uid = getuid();
	spool_unique_name("json", r->name, sizeof(r->name));
	doc = request_encode(r);
	answer = tree_put_json(q->tree, request_box(q)->dir, r->name, doc);
	json_decref(doc);
	return answer;
}

int
request_decode(const json_t *doc, struct request *r)
{
	const char *format, *verb, *id, *reason, *at, *digest = "";
	struct request out = {0};

	/* Jansson's unpack takes no const; it changes nothing. */
	if (json_unpack_ex((json_t *)(uintptr_t)doc, NULL, JSON_STRICT,
		"{s:s,s:s,s:s,s:s,s:s,s?s,s?i}", "format", &format, "verb",
		&verb, "id", &id, "reason", &reason, "at", &at, "digest",
		&digest, "attempt", &out.attempt) == -1 ||
	    strcmp(format, REQUEST_FORMAT) != 0)
		goto invalid;
	while (out.verb < REQUEST__MAX &&
	       strcmp(request_verb_name[out.verb], verb) != 0)
		out.verb++;
	if (out.verb == REQUEST__MAX || !id_fits(out.verb, id) ||
	    strlcpy(out.reason, reason, sizeof(out.reason)) >=
		sizeof(out.reason))
		goto invalid;
	(void)strlcpy(out.id, id, sizeof(out.id));
	if (strlcpy(out.digest, digest, sizeof(out.digest)) >=
	    sizeof(out.digest))
		goto invalid;
	*r = out;
	return 0;
invalid:
	errno = EINVAL;
	return -1;
}
