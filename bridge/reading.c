/* SPDX-License-Identifier: ISC */
/* The cursor's steps: over what was decided, and over what is too large. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/judge.h"
#include "bridge/reading.h"
#include "common/clock.h"
#include "common/log.h"

void
reading_advance(struct reading *r, size_t len, const struct extract_state *st)
{
	struct cursor *c = &r->s->cursor;
	const char *at = r->text.bytes;
	size_t left = len < r->text.len ? len : r->text.len;

	if (left == 0)
		return;
	c->offset += (off_t)left;
	c->extract = *st;
	r->s->dirty = true;
	for (size_t i = 0; i < left; i++)
		c->line += at[i] == '\n';
	buf_shift(&r->text, left);
}

enum accept_answer
reading_hand_in(struct reading *r, const struct extract_block *b,
    const char *error)
{
	struct source *s = r->s;
	char *occurrence = xasprintf("%s:%lld", s->label,
	    (long long)s->cursor.offset + (long long)b->offset);
	struct document d = {.text = b->text,
	    .len = b->len,
	    .source = s->label,
	    .occurrence = occurrence,
	    .conversation = s->set->conversation,
	    .message_id = "",
	    .author = b->author,
	    .queue = "",
	    .fallback = s->set->queue,
	    .priority = -1,
	    .uid = r->t.st.st_uid,
	    .detected_us = clock_wall_us(),
	    .line = s->cursor.line + b->line - 1,
	    .indent = b->indent,
	    .again = s->retry.delay_ms != 0,
	    .counts = &s->counts};
	enum accept_answer answer = error == NULL
					? accept_document(r->k, &d)
					: accept_unreadable(r->k, &d, error);

	free(occurrence);
	return answer;
}

/* The fence that the text begins with: the content's offset, 0 where the open
 * block has none. */
static size_t
opening_fence(const struct reading *r, char *mark, int *len)
{
	const char *at = r->text.bytes;
	const char *end = memchr(at, '\n', r->text.len);
	size_t content = end != NULL ? (size_t)(end - at) + 1 : 0;

	*mark = '\0';
	*len = 0;
	if (!r->open || end == NULL)
		return 0;
	while (at < end && strchr("`~{[", *at) == NULL)
		at++;
	if (at == end || *at == '{' || *at == '[')
		return 0;
	*mark = *at;
	for (; at < end && *at == *mark; at++)
		(*len)++;
	return content;
}

/* A block that is too large to be a document is refused as it stands, and
 * passed over up to the end of its fence. */
void
reading_refuse_oversized(struct reading *r)
{
	struct source *s = r->s;
	char *error = xasprintf("the block is longer than the %" PRId64
				" bytes of bridge.document_max",
	    r->k->set->bridge.document_max);
	struct extract_block b = {.line = 1};
	const char *why;
	char mark;
	int marks;

	b.offset = opening_fence(r, &mark, &marks);
	b.line += b.offset > 0;
	b.text = r->text.bytes + b.offset;
	b.len = r->text.len - b.offset;
	(void)strlcpy(b.author, s->cursor.extract.author, sizeof b.author);
	if (judge_block(&b, &s->set->authors, &why) == JUDGE_PATCH &&
	    reading_hand_in(r, &b, error) == ACCEPT_RETRY) {
		r->error = errno;
		r->failed = true;
	} else {
		log_warnx("%s: passed over a block at line %lld, %s", s->label,
		    (long long)s->cursor.line, error);
		s->cursor.skip = mark;
		s->cursor.skip_len = marks;
		r->told = true;
		s->waits = false;
		reading_advance(r, r->text.len, &s->cursor.extract);
	}
	free(error);
}

static bool
closes(const struct cursor *c, const char *line, size_t len)
{
	size_t i = 0;
	int marks = 0;

	while (i < len && strchr(" \t>", line[i]) != NULL)
		i++;
	for (; i < len && line[i] == c->skip; i++)
		marks++;
	while (i < len && strchr(" \t\r", line[i]) != NULL)
		i++;
	return i == len && marks >= c->skip_len;
}

/* Drops whole lines up to and with the one that closes the fence. */
void
reading_pass_over(struct reading *r)
{
	struct cursor *c = &r->s->cursor;

	while (c->skip != '\0' && r->text.len > 0) {
		const char *at = r->text.bytes;
		const char *nl = memchr(at, '\n', r->text.len);
		size_t len = nl != NULL ? (size_t)(nl - at) : r->text.len;

		/* A longer line without end is none that closes. */
		if (nl == NULL && len < CHUNK_BYTES)
			return;
		if (closes(c, at, len))
			c->skip = '\0';
		reading_advance(r, nl != NULL ? len + 1 : len, &c->extract);
	}
}
