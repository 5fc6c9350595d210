/* SPDX-License-Identifier: ISC */
/* The summary file: front matter between "---" lines, then the body. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/doc.h"
#include "common/extract.h"
#include "common/patch.h"
#include "summarizer/summarizer.h"

#define FENCE "---\n"
#define FENCE_LEN (sizeof FENCE - 1)

/* The front matter's end: the offset of the closing fence, or 0. */
static size_t
front_end(const char *bytes, size_t len)
{
	const char *at;

	if (len < FENCE_LEN || memcmp(bytes, FENCE, FENCE_LEN) != 0)
		return 0;
	at = memmem(bytes + FENCE_LEN - 1, len - FENCE_LEN + 1, "\n" FENCE,
	    FENCE_LEN + 1);
	return at == NULL ? 0 : (size_t)(at - bytes) + 1;
}

static bool
front_is_whole(const json_t *front, const char *body, size_t len)
{
	char sha[DIGEST_SIZE];
	const char *format =
	    json_string_value(json_object_get(front, "format"));
	const char *said =
	    json_string_value(json_object_get(front, "body_sha256"));

	if (format == NULL || strcmp(format, SUMMARY_FORMAT) != 0 ||
	    said == NULL)
		return false;
	digest_bytes(body, len, sha);
	return strcmp(said, sha) == 0;
}

int
summary_parse(const char *bytes, size_t len, json_t **front)
{
	struct doc_error err;
	size_t end = front_end(bytes, len);
	size_t body = end + FENCE_LEN;

	*front = NULL;
	if (end != 0)
		*front = doc_parse(bytes + FENCE_LEN, end - FENCE_LEN, DOC_YAML,
		    &err);
	if (*front == NULL ||
	    !front_is_whole(*front, bytes + body, len - body)) {
		json_decref(*front);
		*front = NULL;
		errno = EBADMSG;
		return -1;
	}
	return 0;
}

int
summary_load(int dir, const char *name, struct parcel *p)
{
	struct spool_file file;
	int r = spool_read(dir, name, SPOOL_FILE_MAX, true, &file);

	if (r != 1)
		return r;
	p->bytes = NULL;
	if (summary_parse(file.bytes, file.len, &p->front) == -1) {
		spool_file_free(&file);
		errno = EBADMSG;
		return -1;
	}
	p->bytes = xmalloc(file.len + 1);
	memcpy(p->bytes, file.bytes, file.len);
	p->bytes[file.len] = '\0';
	p->len = file.len;
	(void)strlcpy(p->name, name, sizeof p->name);
	spool_file_free(&file);
	return 1;
}

bool
summary_is_of(const json_t *front, const struct facts *f)
{
	const char *sha =
	    json_string_value(json_object_get(front, "outcome_sha256"));
	const char *key = json_string_value(json_object_get(front, "key"));

	return sha != NULL && key != NULL &&
	       strcmp(key, f->outcome.env.key) == 0 &&
	       json_integer_value(json_object_get(front, "attempt")) ==
		   f->outcome.env.attempt &&
	       strcmp(sha, f->digest) == 0;
}

static enum patch_intent
block_intent(const struct extract_block *b)
{
	struct doc_error err;
	enum doc_format format;
	json_t *doc = doc_parse_any(b->text, b->len, &format, &err);
	enum patch_intent intent;

	if (doc == NULL)
		return patch_intent_text(b->text, b->len);
	intent = patch_intent(doc);
	json_decref(doc);
	return intent;
}

bool
summary_is_quiet(const char *text, size_t len)
{
	struct extract_state st = {0};
	struct extract_result r;
	bool quiet = true;
	size_t i;

	extract_text(text, len, true, &st, &r);
	for (i = 0; i < r.count && quiet; i++)
		quiet = block_intent(&r.blocks[i]) == INTENT_NONE;
	extract_free(&r);
	return quiet && !st.in_summary;
}

void
parcel_free(struct parcel *p)
{
	free(p->bytes);
	json_decref(p->front);
	p->bytes = NULL;
	p->front = NULL;
}
