/* SPDX-License-Identifier: ISC */
/* A claimed file of the inbox, in cur, to a document. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/intake.h"
#include "common/alert.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#define SUBMISSION_FORMAT "patchflow-submission-1"

static const char *
text_of(const json_t *doc, const char *name)
{
	const char *text = json_string_value(json_object_get(doc, name));

	return text != NULL ? text : "";
}

static void
take_fields(const json_t *doc, struct document *d)
{
	const json_t *text = json_object_get(doc, "text");
	const json_t *priority = json_object_get(doc, "priority");

	d->text = json_is_string(text) ? json_string_value(text) : "";
	d->len = json_string_length(text);
	d->queue = text_of(doc, "queue");
	d->conversation = text_of(doc, "conversation");
	d->message_id = text_of(doc, "message_id");
	d->author = text_of(doc, "author");
	if (json_is_integer(priority) && json_integer_value(priority) >= 0 &&
	    json_integer_value(priority) <= 9)
		d->priority = (int)json_integer_value(priority);
}

static bool
too_long(const struct intake *in, size_t len)
{
	return (int64_t)len > in->desk->set->bridge.document_max;
}

static enum accept_answer
accept_too_long(const struct intake *in, const struct document *d)
{
	char why[96];

	(void)snprintf(why, sizeof why,
	    "the document is longer than the %" PRId64
	    " bytes of bridge.document_max",
	    in->desk->set->bridge.document_max);
	return accept_unreadable(in->desk, d, why);
}

/* The file as a document: the text of a submission, the first line of
 * another checked file, else all of it. */
static enum accept_answer
hand_in(struct intake *in, const char *name, const struct spool_file *f)
{
	json_t *doc = spool_check(f->bytes, f->len);
	bool broken = doc == NULL && errno == EBADMSG;
	bool ours = doc != NULL &&
		    strcmp(text_of(doc, "format"), SUBMISSION_FORMAT) == 0;
	const char *given = ours ? text_of(doc, "name") : "";
	char *source = xasprintf("inbox:%s", given[0] != '\0' ? given : name);
	struct document d = {.text = f->bytes,
	    .len = f->len,
	    .source = source,
	    .occurrence = name,
	    .conversation = "",
	    .message_id = "",
	    .author = "",
	    .queue = "",
	    .fallback = "",
	    .priority = -1,
	    .uid = f->uid,
	    .detected_us = clock_wall_us(),
	    .line = 1,
	    .again = in->retry.delay_ms != 0,
	    .counts = &in->counts};
	enum accept_answer answer;

	if (ours)
		take_fields(doc, &d);
	else if (doc != NULL)
		d.len = strcspn(f->bytes, "\n");
	if (broken)
		answer = accept_unreadable(in->desk, &d,
		    "the file's checksum does not hold: it was changed or "
		    "is not whole");
	else if (too_long(in, d.len))
		answer = accept_too_long(in, &d);
	else
		answer = accept_document(in->desk, &d);
	free(source);
	json_decref(doc);
	return answer;
}

/* The beginning of a file that is too long to be read whole. */
static int
read_beginning(struct intake *in, const char *name, struct spool_file *f)
{
	size_t max = (size_t)in->desk->set->bridge.document_max;
	int fd = openat(in->desk->tree->inbox.dir[BOX_CUR], name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd == -1)
		return -1;
	memset(f, 0, sizeof *f);
	f->bytes = xmalloc(max + 1);
	n = pread(fd, f->bytes, max, 0);
	if (n == -1 || fstat(fd, &st) == -1) {
		spool_file_free(f);
		(void)close(fd);
		return -1;
	}
	(void)close(fd);
	f->bytes[n] = '\0';
	f->len = (size_t)n;
	f->uid = st.st_uid;
	return 0;
}

static enum accept_answer
hand_in_oversized(struct intake *in, const char *name)
{
	struct spool_file f;
	struct document d = {.source = "inbox",
	    .occurrence = name,
	    .conversation = "",
	    .message_id = "",
	    .author = "",
	    .queue = "",
	    .fallback = "",
	    .priority = -1,
	    .detected_us = clock_wall_us(),
	    .line = 1,
	    .again = in->retry.delay_ms != 0,
	    .counts = &in->counts};
	enum accept_answer answer;

	if (read_beginning(in, name, &f) == -1)
		return ACCEPT_RETRY;
	d.text = f.bytes;
	d.len = f.len;
	d.uid = f.uid;
	answer = accept_unreadable(in->desk, &d,
	    "the file is too large to be a document; its beginning is kept");
	spool_file_free(&f);
	return answer;
}

enum accept_answer
submission_accept(struct intake *in, const char *name)
{
	struct spool_file f;
	enum accept_answer answer;
	int found = spool_read(in->desk->tree->inbox.dir[BOX_CUR], name,
	    SPOOL_FILE_MAX, true, &f);

	if (found == 0)
		return ACCEPT_DONE;
	if (found == -1 && errno != EFBIG)
		return ACCEPT_RETRY;
	if (found == -1) {
		answer = hand_in_oversized(in, name);
	} else {
		answer = hand_in(in, name, &f);
		spool_file_free(&f);
	}
	/* That the spool refuses it says nothing about the file. */
	if (answer == ACCEPT_RETRY && errno == EPERM)
		errno = EACCES;
	return answer;
}
