/* SPDX-License-Identifier: ISC */
/*
 * Journals are a view and may be cut anywhere by a crash or a rotation: a line
 * that does not parse is left out, never an error.
 */
#include "ctl/events.h"

#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/key.h"
#include "common/spool.h"
#include "ctl/out.h"

#define CHUNK 65536

/* Recovery knows of some patches no more than the key. */
static bool
is_about(const json_t *doc, const char *id)
{
	const char *given = json_string_value(json_object_get(doc, "id"));
	const char *key = out_string(doc, "key");

	return given != NULL ? strcmp(given, id) == 0
			     : key_valid(key) && key_is_of(key, id);
}

static bool
is_wanted(const struct events *e, const json_t *doc)
{
	return (e->id == NULL || is_about(doc, e->id)) &&
	       (e->queue == NULL ||
		   strcmp(out_string(doc, "queue"), e->queue) == 0);
}

static void
add_line(struct events *e, const char *daemon, const char *line, size_t len)
{
	struct event *ev;
	json_t *doc;

	/* parsing is dear, and an id stands in a line as it is or escaped */
	if (e->id != NULL && memmem(line, len, e->id, strlen(e->id)) == NULL &&
	    memmem(line, len, e->hash8, strlen(e->hash8)) == NULL &&
	    memchr(line, '\\', len) == NULL)
		return;
	doc = json_loadb(line, len, 0, NULL);
	if (doc == NULL || !is_wanted(e, doc)) {
		json_decref(doc);
		return;
	}
	e->items = xreallocarray(e->items, e->count + 1, sizeof(*e->items));
	ev = &e->items[e->count];
	ev->doc = doc;
	ev->nth = e->count++;
	(void)strlcpy(ev->daemon, daemon, sizeof(ev->daemon));
}

/* Whole lines of text; the number of bytes they take. */
static size_t
add_lines(struct events *e, const char *daemon, const char *text, size_t len)
{
	const char *at = text, *end;

	while ((end = memchr(at, '\n', len - (size_t)(at - text))) != NULL) {
		add_line(e, daemon, at, (size_t)(end - at));
		at = end + 1;
	}
	return (size_t)(at - text);
}

/* From offset on; the offset behind the last whole line. */
static off_t
add_from(struct events *e, const char *daemon, int fd, off_t offset)
{
	struct buf text = {0};
	size_t used;
	ssize_t n;

	for (;;) {
		buf_reserve(&text, CHUNK);
		n = pread(fd, text.bytes + text.len, CHUNK,
		    offset + (off_t)text.len);
		if (n <= 0)
			break;
		text.len += (size_t)n;
		used = add_lines(e, daemon, text.bytes, text.len);
		buf_shift(&text, used);
		offset += (off_t)used;
	}
	buf_free(&text);
	return offset;
}

/* "NAME.log" or "NAME.log.3": NAME into daemon, the number or 0; else -1. */
static int
parse_name(const char *file, char daemon[64])
{
	const char *log = strstr(file, ".log");
	const char *err = NULL;
	long long n = 0;

	if (log == NULL || log - file > 63 || (log[4] != '\0' && log[4] != '.'))
		return -1;
	memcpy(daemon, file, (size_t)(log - file));
	daemon[log - file] = '\0';
	if (log[4] == '.')
		n = strtonum(log + 5, 1, 100000, &err);
	return err == NULL ? (int)n : -1;
}

static int
open_file(int dir, const char *name)
{
	return openat(dir, name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static void
read_file(struct events *e, int dir, const char *name, off_t tail_bytes)
{
	char daemon[64];
	int number = parse_name(name, daemon), fd;
	struct stat st;
	off_t from = 0;

	if (number == -1 || (number > 0 && tail_bytes > 0))
		return;
	fd = open_file(dir, name);
	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && tail_bytes > 0 && st.st_size > tail_bytes)
		from = st.st_size - tail_bytes;
	(void)add_from(e, daemon, fd, from);
	(void)close(fd);
}

int
events_read(struct events *e, int dir, off_t tail_bytes)
{
	struct spool_names names;
	size_t i;

	if (spool_list(dir, 0, &names) == -1)
		return -1;
	for (i = 0; i < names.count; i++)
		read_file(e, dir, names.names[i], tail_bytes);
	spool_names_free(&names);
	return 0;
}

static int
is_queueing(const struct event *e)
{
	return strcmp(out_string(e->doc, "event"), "queued") == 0;
}

static int
compare(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int order = strcmp(out_string(x->doc, "at"), out_string(y->doc, "at"));

	/* Within a millisecond: nothing of a patch is before its queueing. */
	if (order == 0)
		order = is_queueing(y) - is_queueing(x);
	if (order == 0)
		order = x->nth < y->nth ? -1 : 1;
	return order;
}

void
events_sort(struct events *e)
{
	if (e->count > 1)
		qsort(e->items, e->count, sizeof(*e->items), compare);
}

void
events_clear(struct events *e)
{
	size_t i;

	for (i = 0; i < e->count; i++)
		json_decref(e->items[i].doc);
	free(e->items);
	e->items = NULL;
	e->count = 0;
}

static struct events_tail *
tail_of(struct events_follow *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		if (strcmp(f->tails[i].name, name) == 0)
			return &f->tails[i];
	f->tails = xreallocarray(f->tails, f->count + 1, sizeof(*f->tails));
	f->tails[f->count] = (struct events_tail){0};
	(void)strlcpy(f->tails[f->count].name, name,
	    sizeof(f->tails[f->count].name));
	return &f->tails[f->count++];
}

/* What was added to a journal between our last look and its rotation. */
static void
rest_of(struct events *e, int dir, const char *name, const char *daemon,
    const struct events_tail *t)
{
	char *rotated = xasprintf("%s.1", name);
	int fd = open_file(dir, rotated);
	struct stat st;

	if (fd != -1 && fstat(fd, &st) == 0 && st.st_ino == t->ino)
		(void)add_from(e, daemon, fd, t->offset);
	if (fd != -1)
		(void)close(fd);
	free(rotated);
}

static void
more_of(struct events *e, int dir, const char *name, struct events_tail *t,
    bool skip)
{
	char daemon[64];
	struct stat st;
	int fd;

	if (parse_name(name, daemon) != 0)
		return;
	fd = open_file(dir, name);
	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0) {
		if (t->ino != 0 && st.st_ino != t->ino)
			rest_of(e, dir, name, daemon, t);
		if (st.st_ino != t->ino || st.st_size < t->offset)
			t->offset = 0; /* rotated, or cut */
		t->ino = st.st_ino;
		t->offset =
		    skip ? st.st_size : add_from(e, daemon, fd, t->offset);
	}
	(void)close(fd);
}

int
events_more(struct events *e, int dir, struct events_follow *f)
{
	bool first = !f->begun;
	struct spool_names names;
	size_t i;

	if (spool_list(dir, 0, &names) == -1)
		return -1;
	for (i = 0; i < names.count; i++)
		more_of(e, dir, names.names[i], tail_of(f, names.names[i]),
		    first);
	spool_names_free(&names);
	f->begun = true;
	return 0;
}

void
events_follow_free(struct events_follow *f)
{
	free(f->tails);
	f->tails = NULL;
	f->count = 0;
}
