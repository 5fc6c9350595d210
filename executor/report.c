/* SPDX-License-Identifier: ISC */
/* The pipe between the staging process and the executor. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/report.h"
#include "executor/utf8.h"

#define LINE_MAX_BYTES (16u << 20)
#define WAIT_MAX (32u << 10)
#define CHUNK 4096 /* of a stack that each fork has made both copy anew */

/* One pipe, one process that writes to it. */
static struct buf waiting;

static void
add_line(const char *kind, json_t *doc)
{
	char *line;

	json_object_set_new(doc, "kind", json_string(kind));
	line = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (line == NULL)
		return;
	buf_puts(&waiting, line);
	buf_putc(&waiting, '\n');
	free(line);
}

static void
flush(int fd)
{
	size_t at = 0;

	while (at < waiting.len) {
		ssize_t n = write(fd, waiting.bytes + at, waiting.len - at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		at += (size_t)n;
	}
	buf_clear(&waiting);
}

void
report_send(int fd, const char *kind, json_t *doc)
{
	add_line(kind, doc);
	flush(fd);
}

void
report_later(int fd, const char *kind, json_t *doc)
{
	add_line(kind, doc);
	if (waiting.len > WAIT_MAX)
		flush(fd);
}

void
report_text(int fd, const char *kind, const char *text)
{
	report_send(fd, kind, json_pack("{s:o}", "text", utf8_string(text)));
}

void
report_fault(int fd, const struct fault *f)
{
	report_send(fd, "fault", fault_encode(f));
}

static int
take_line(const char *line, size_t len,
    void (*on)(void *, const char *, json_t *), void *owner)
{
	json_t *doc = json_loadb(line, len, 0, NULL);
	const char *kind = json_string_value(json_object_get(doc, "kind"));

	if (kind != NULL)
		on(owner, kind, doc);
	json_decref(doc);
	return kind != NULL ? 0 : -1;
}

static int
take_lines(struct buf *b, void (*on)(void *, const char *, json_t *),
    void *owner)
{
	const char *nl;

	while (b->len > 0 && (nl = memchr(b->bytes, '\n', b->len)) != NULL) {
		size_t len = (size_t)(nl - b->bytes);

		if (take_line(b->bytes, len, on, owner) == -1)
			return -1;
		buf_shift(b, len + 1);
	}
	return b->len > LINE_MAX_BYTES ? -1 : 0;
}

int
report_read(int fd, struct buf *pending,
    void (*on)(void *owner, const char *kind, json_t *doc), void *owner)
{
	char chunk[CHUNK];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_add(pending, chunk, (size_t)n);
		if (take_lines(pending, on, owner) == -1)
			return -1;
	}
	if (n == 0)
		return 0;
	return errno == EAGAIN || errno == EINTR ? 1 : -1;
}
