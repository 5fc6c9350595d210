/* SPDX-License-Identifier: ISC */
/* Entries of the id index: their names and targets, looking up, walking. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/ids_part.h"

#define HEX "0123456789abcdef"
#define SPLIT 2 /* digits of H that name its directory */

void
ids_name(const char *queue, const char *id, int rev, char out[IDS_NAME_SIZE])
{
	struct buf b = {0};
	char h[DIGEST_SIZE];

	buf_add(&b, queue, strlen(queue) + 1); /* the NUL parts the two */
	buf_puts(&b, id);
	digest_bytes(b.bytes, b.len, h);
	buf_free(&b);
	if (rev == 1)
		(void)strlcpy(out, h, IDS_NAME_SIZE);
	else
		(void)snprintf(out, IDS_NAME_SIZE, "%s,%d", h, rev);
}

void
ids_target(const struct ids_entry *e, char out[IDS_TARGET_SIZE])
{
	if (e->rev == 1)
		(void)snprintf(out, IDS_TARGET_SIZE, "%s/%s.%s", e->queue,
		    e->key, e->digest);
	else
		(void)snprintf(out, IDS_TARGET_SIZE, "%s/%s.%s,%d", e->queue,
		    e->key, e->digest, e->attempt);
}

/* ",N" at the end of s, cut off: N, 1 where there is none, 0 for nonsense. */
static int
cut_number(char *s)
{
	char *comma = strchr(s, ',');
	const char *why = NULL;
	long long n;

	if (comma == NULL)
		return 1;
	*comma = '\0';
	n = strtonum(comma + 1, 1, ATTEMPT_MAX, &why);
	return why == NULL ? (int)n : 0;
}

/* QUEUE/KEY.DIGEST in place; a KEY may hold dots. */
static int
parse_target(char *target, struct ids_entry *e)
{
	char *slash = strchr(target, '/');
	char *dot = strrchr(target, '.');

	e->attempt = cut_number(target);
	if (slash == NULL || dot == NULL || dot < slash || e->attempt == 0)
		return -1;
	*slash = *dot = '\0';
	if (!key_queue_valid(target) || !key_valid(slash + 1) ||
	    strlen(dot + 1) != DIGEST_SIZE - 1 ||
	    strspn(dot + 1, HEX) != DIGEST_SIZE - 1)
		return -1;
	(void)strlcpy(e->queue, target, sizeof(e->queue));
	(void)strlcpy(e->key, slash + 1, sizeof(e->key));
	(void)strlcpy(e->digest, dot + 1, sizeof(e->digest));
	return 0;
}

int
ids_read(int dir, const char *name, struct ids_entry *e)
{
	char target[IDS_TARGET_SIZE], again[IDS_TARGET_SIZE];
	char copy[IDS_NAME_SIZE + SPLIT + 1];
	ssize_t len = readlinkat(dir, name, target, sizeof(target) - 1);

	*e = (struct ids_entry){0};
	if (len == -1 && errno == ENOENT)
		return 0;
	if (len == -1 && errno != EINVAL)
		return -1;
	if (len > 0 && strlcpy(copy, name, sizeof(copy)) < sizeof(copy)) {
		target[len] = '\0';
		e->rev = cut_number(copy);
		(void)strlcpy(again, target, sizeof(again));
		/* What we would not have written so is not ours. */
		if (e->rev != 0 && parse_target(target, e) == 0) {
			ids_target(e, target);
			if (strcmp(target, again) == 0)
				return 1;
		}
	}
	errno = EBADMSG;
	return -1;
}

/* Revision rev, accepted or pending: 1, 0 or -1. */
static int
lookup_revision(struct tree *t, const char *queue, const char *id, int rev,
    struct ids_entry *e)
{
	char name[IDS_NAME_SIZE], path[IDS_NAME_SIZE + SPLIT + 1];
	int found;

	ids_name(queue, id, rev, name);
	(void)snprintf(path, sizeof(path), "%.2s/%s", name, name);
	/* Pending first: it moves from there to here, never back. */
	found = ids_read(t->ids_pending, name, e);
	e->pending = found == 1;
	if (found == 0)
		found = ids_read(t->ids, path, e);
	return found;
}

int
ids_lookup(struct tree *t, const char *queue, const char *id,
    struct ids_entry **out)
{
	struct ids_entry *list = NULL, e;
	int count = 0, found;

	*out = NULL;
	while ((found = lookup_revision(t, queue, id, count + 1, &e)) == 1) {
		list = xreallocarray(list, (size_t)count + 1, sizeof(*list));
		list[count++] = e;
	}
	if (found == -1) {
		free(list);
		return -1;
	}
	*out = list;
	return count;
}

static int
walk_dir(int dir, bool pending,
    int (*each)(void *, const char *, const struct ids_entry *), void *owner)
{
	DIR *d = spool_opendir(dir);
	struct ids_entry e;
	const char *name;
	int r = 0, found, err;

	if (d == NULL)
		return -1;
	while (r == 0 && (name = spool_readdir(d)) != NULL) {
		found = ids_read(dir, name, &e);
		e.pending = pending;
		if (found == 1 || (found == -1 && errno == EBADMSG))
			r = each(owner, name, found == 1 ? &e : NULL);
		else if (found == -1)
			r = -1;
	}
	err = errno;
	(void)closedir(d);
	errno = err;
	return r == 0 && err != 0 ? -1 : r;
}

/* One of ids/XX; what else may lie there is no entry. */
static int
walk_split(struct tree *t, const char *name,
    int (*each)(void *, const char *, const struct ids_entry *), void *owner)
{
	int dir, r, err;

	if (strlen(name) != SPLIT || strspn(name, HEX) != SPLIT)
		return 0;
	dir = spool_dir(t->ids, name);
	if (dir == -1)
		return -1;
	r = walk_dir(dir, false, each, owner);
	err = errno;
	(void)close(dir);
	errno = err;
	return r;
}

int
ids_walk(struct tree *t,
    int (*each)(void *owner, const char *h, const struct ids_entry *e),
    void *owner)
{
	int r = walk_dir(t->ids_pending, true, each, owner);
	struct spool_names splits;

	if (r != 0 || spool_list(t->ids, 0, &splits) == -1)
		return r != 0 ? r : -1;
	for (size_t i = 0; r == 0 && i < splits.count; i++)
		r = walk_split(t, splits.names[i], each, owner);
	spool_names_free(&splits);
	return r;
}
