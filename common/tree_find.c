/* SPDX-License-Identifier: ISC */
/* Finding a KEY in the spool, and setting aside what cannot be trusted. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/tree_part.h"

#define DIGITS 10
#define NEAR_ATTEMPTS 8 /* looked for by name, before any listing */

/* Attempts that a KEY may be found under by name. */
struct range {
	int from; /* 0: by listing, whatever attempt */
	int to;
};

enum spool_answer
tree_set_aside(struct tree *t, int dir, const char *what, const char *name)
{
	char unique[NAME_SIZE], to[NAME_MAX + 1];

	spool_unique_name("corrupt", unique, sizeof(unique));
	(void)snprintf(to, sizeof(to), "%.32s.%.140s.%.64s", what, name,
	    unique);
	return spool_move(dir, name, t->corrupt, to);
}

/* By name: the highest of these attempts that dir holds. */
static bool
find_named(int dir, const char *key, const struct range *r,
    struct queue_name *found)
{
	struct queue_name n = {0};
	char name[NAME_SIZE];

	(void)strlcpy(n.key, key, sizeof(n.key));
	for (n.attempt = r->to; n.attempt >= r->from; n.attempt--)
		for (n.digit = 0; n.digit < DIGITS; n.digit++) {
			key_queue_file(&n, name);
			if (!spool_exists(dir, name))
				continue;
			*found = n;
			return true;
		}
	return false;
}

/* By listing, whatever digit and attempt: 1 found, 0 not, -1 error. */
static int
find_listed(int dir, const char *key, struct queue_name *found)
{
	DIR *d = spool_opendir(dir);
	struct queue_name n;
	const char *name;
	int hit = 0, err;

	if (d == NULL)
		return -1;
	while ((name = spool_readdir(d)) != NULL)
		if (key_parse_queue_file(name, &n) == 0 &&
		    strcmp(n.key, key) == 0 &&
		    (hit == 0 || n.attempt > found->attempt)) {
			*found = n;
			hit = 1;
		}
	err = errno;
	(void)closedir(d);
	errno = err;
	return err == 0 ? hit : -1;
}

/* One look through the life cycle. */
static enum queue_dir
find_once(const struct queue_tree *q, const char *key, const struct range *r,
    struct queue_name *found)
{
	enum queue_dir where = Q__MAX;
	struct queue_name n;

	for (int d = Q_PATCHES; d <= Q_ARCHIVE; d++) {
		int hit = r->from > 0 ? find_named(q->dir[d], key, r, &n)
				      : find_listed(q->dir[d], key, &n);

		if (hit == -1)
			return Q__MAX;
		if (hit == 0 ||
		    (where != Q__MAX && n.attempt <= found->attempt))
			continue;
		where = (enum queue_dir)d;
		*found = n;
		/* None can be higher. */
		if (n.attempt == r->to)
			break;
	}
	errno = 0;
	return where;
}

/* What has ended has an outcome. If that is gone, so may be those of later
 * attempts, and the range was too short. */
static bool
is_sure(enum queue_dir where, const struct queue_name *n, const struct range *r)
{
	return where < Q_COMPLETED || (where != Q__MAX && n->attempt < r->to);
}

/*
 * Nothing by name. Before that is believed: a directory may have been renewed
 * since ours was opened, or be so now, and a file that goes back (a retry, a
 * requeue) may pass between two looks.
 */
static enum queue_dir
find_surely(const struct queue_tree *q, const char *key,
    const struct range *near, struct queue_name *n)
{
	static const struct range any = {0, 0};
	enum queue_dir where = Q__MAX;
	int lock, err;

	if (tree_lock(q->tree, &lock) == -1)
		return Q__MAX;
	if (tree_refresh(q->tree) != -1) {
		where = find_once(q, key, near, n);
		if (!is_sure(where, n, near) && errno == 0)
			where = find_once(q, key, &any, n);
	}
	err = errno;
	tree_unlock(lock);
	errno = err;
	return where;
}

static enum box_dir
find_outcome(const struct queue_tree *q, const char *name)
{
	/* They only ever move forward: one look in that order is enough. */
	for (int d = BOX_NEW; d <= BOX_DONE; d++)
		if (spool_exists(q->outcomes.dir[d], name))
			return (enum box_dir)d;
	return BOX__MAX;
}

/* An attempt is followed by another one only after its outcome: the first
 * without one is the last that there can be. */
static int
last_attempt(const struct queue_tree *q, const char *key, int from)
{
	char name[NAME_SIZE];
	int n = from;

	for (; n < from + NEAR_ATTEMPTS - 1; n++) {
		key_outcome_file(key, n, name);
		if (find_outcome(q, name) == BOX__MAX)
			break;
	}
	return n;
}

enum queue_dir
tree_find_key(const struct queue_tree *q, const char *key, int from,
    struct queue_name *found)
{
	struct range near = {from > 0 ? from : 1, 0};
	enum queue_dir where;

	near.to = last_attempt(q, key, near.from);
	where = find_once(q, key, &near, found);
	if (is_sure(where, found, &near))
		return where;
	return find_surely(q, key, &near, found);
}

enum box_dir
tree_find_outcome(const struct queue_tree *q, const char *key, int attempt)
{
	char name[NAME_SIZE];
	enum box_dir where;

	key_outcome_file(key, attempt, name);
	where = find_outcome(q, name);
	if (where == BOX__MAX && tree_refresh_outcomes(q) > 0)
		where = find_outcome(q, name);
	return where;
}
