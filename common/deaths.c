/* SPDX-License-Identifier: ISC */
/* A ring of checked slots in a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/deaths.h"
#include "common/spool.h"
#include "common/sys.h"

#define ROOM (DEATHS_SLOT - 1) /* behind it a newline, for people's sake */

/* The document of a slot, or NULL: never written, or torn. */
static json_t *
read_slot(int fd, int64_t slot)
{
	char bytes[DEATHS_SLOT];
	ssize_t n = pread(fd, bytes, sizeof bytes, slot * DEATHS_SLOT);

	while (n > 0 && (bytes[n - 1] == ' ' || bytes[n - 1] == '\0' ||
			    (n > 1 && bytes[n - 1] == '\n' &&
				(bytes[n - 2] == ' ' || bytes[n - 2] == '\n'))))
		n--;
	return n > 0 ? spool_check(bytes, (size_t)n) : NULL;
}

static int64_t
seq_of(const json_t *doc)
{
	return json_integer_value(json_object_get(doc, "seq"));
}

int
deaths_open(struct deaths *d, int dir)
{
	int64_t slot;
	json_t *doc;

	d->next = 1;
	d->fd = sys_openat(dir, DEATHS_FILE,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (d->fd == -1)
		return -1;
	/* What cannot be allocated now may be writable later: no error. */
	(void)sys_fallocate(d->fd, (off_t)DEATHS_KEPT * DEATHS_SLOT);
	for (slot = 0; slot < DEATHS_KEPT; slot++) {
		doc = read_slot(d->fd, slot);
		if (seq_of(doc) >= d->next)
			d->next = seq_of(doc) + 1;
		json_decref(doc);
	}
	return 0;
}

void
deaths_close(struct deaths *d)
{
	if (d->fd != -1)
		(void)close(d->fd);
	d->fd = -1;
}

/* The text of a record that fits: its tail gives way first. Owned. */
static char *
format(json_t *doc, size_t *len)
{
	char *text = spool_format(doc, len);

	if (text != NULL && *len > ROOM) {
		free(text);
		(void)json_object_set_new(doc, "tail", json_string(""));
		text = spool_format(doc, len);
	}
	if (text != NULL && *len > ROOM) {
		free(text);
		errno = EMSGSIZE;
		return NULL;
	}
	return text;
}

int
deaths_add(struct deaths *d, json_t *doc)
{
	char bytes[DEATHS_SLOT];
	char *text = NULL;
	size_t len = 0;
	ssize_t n = -1;

	errno = ENOMEM;
	if (json_object_set_new(doc, "seq", json_integer(d->next)) == 0)
		text = format(doc, &len);
	if (text != NULL) {
		memset(bytes, ' ', sizeof bytes);
		bytes[ROOM] = '\n';
		memcpy(bytes, text, len);
		n = sys_pwrite(d->fd, bytes, sizeof bytes,
		    d->next % DEATHS_KEPT * DEATHS_SLOT);
		d->next++;
	}
	free(text);
	json_decref(doc);
	return n == (ssize_t)sizeof bytes ? 0 : -1;
}

static int
by_seq(const void *a, const void *b)
{
	int64_t x = seq_of(*(json_t *const *)a),
		y = seq_of(*(json_t *const *)b);

	return (x > y) - (x < y);
}

json_t *
deaths_read(int dir)
{
	json_t *found[DEATHS_KEPT], *all;
	size_t count = 0, i;
	int64_t slot;
	int fd = openat(dir, DEATHS_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1)
		return NULL;
	for (slot = 0; slot < DEATHS_KEPT; slot++) {
		found[count] = read_slot(fd, slot);
		if (found[count] != NULL)
			count++;
	}
	(void)close(fd);
	qsort(found, count, sizeof(json_t *), by_seq);
	all = json_array();
	for (i = 0; i < count; i++)
		(void)json_array_append_new(all, found[i]);
	return all;
}
