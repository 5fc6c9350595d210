/* SPDX-License-Identifier: ISC */
/* Inode numbers tell whose a displaced file is; size, time and content tell
 * whether it still is what was checked. */
#include <sys/stat.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "executor/beneath.h"
#include "executor/changes.h"
#include "executor/displaced.h"
#include "executor/subtree.h"
#include "executor/utf8.h"

#define BEAT_EVERY 100
#define NS 1000000000LL
#define HASH_MAX (4 << 20) /* larger ones are trusted by size and time */

static int64_t
ns(const struct timespec *t)
{
	return t->tv_sec * NS + t->tv_nsec;
}

static void
note(struct commit *c, const char *path)
{
	if (c->displaced == NULL)
		c->displaced = json_array();
	json_array_append_new(c->displaced, utf8_string(path));
}

/* Written in place and dated back: only the content can tell. */
static bool
is_other_content(int dir, const char *name, const struct record *r,
    const char *path)
{
	const json_t *told =
	    changes_find(json_object_get(r->outcome, "changes"), path);
	const char *want =
	    json_string_value(json_object_get(told, "old_sha256"));
	char digest[DIGEST_SIZE];
	int fd, failed;

	if (want == NULL)
		return false;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return false;
	failed = digest_fd(fd, digest);
	(void)close(fd);
	return failed == 0 && strcmp(digest, want) != 0;
}

static int
visit_inner(struct subtree_walk *w, const struct subtree_at *at)
{
	const int64_t *since = w->owner;

	/* Its own rename has touched the top. */
	return w->seen > 0 && ns(&at->st->st_ctim) >= *since;
}

static bool
is_written(const struct record *r, const struct op *o, int dir,
    const char *name, const struct stat *st)
{
	int64_t since = r->since_ns;
	struct subtree_walk w = {.visit = visit_inner, .owner = &since};

	if (S_ISDIR(st->st_mode))
		return since != 0 && subtree_walk(&w, dir, name, name) == 1;
	if (!S_ISREG(st->st_mode))
		return false;
	return st->st_size != o->old_size ||
	       ns(&st->st_mtim) != o->old_mtime_ns ||
	       (st->st_size <= HASH_MAX &&
		   is_other_content(dir, name, r, o->path));
}

static bool
is_foreign(const struct commit *c, const struct record *r, const struct op *o)
{
	int dir = o->kind == OP_PUT ? c->txn->new : c->txn->old;
	char name[OP_NAME_SIZE];
	struct stat st;

	op_name(o, name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return st.st_ino != o->old_ino ||
		       is_written(r, o, dir, name, &st);
	/* Another one than was to be deleted stands there by now. */
	return o->kind == OP_DELETE &&
	       beneath_stat(c->workspace->fd, o->path, &st) == 1 &&
	       st.st_ino != o->old_ino;
}

void
displaced_find(struct commit *c, const struct record *r)
{
	for (size_t i = 0; i < r->ops.count; i++) {
		const struct op *o = &r->ops.items[i];

		if (o->kind != OP_META && is_foreign(c, r, o))
			note(c, o->path);
		if (i % BEAT_EVERY == 0 && c->beat != NULL)
			c->beat(c->owner);
	}
}

/* A directory's own times move with what is put beside it. */
static int
visit_changed(struct subtree_walk *w, const struct subtree_at *at)
{
	const int64_t *since = w->owner;

	return w->seen > 0 && !S_ISDIR(at->st->st_mode) &&
	       ns(&at->st->st_ctim) > *since;
}

bool
displaced_is_changed(const struct commit *c, const struct op *o, int dir,
    const char *name, const struct stat *st)
{
	int64_t since = c->decided_ns;
	struct subtree_walk w = {.visit = visit_changed,
	    .owner = &since,
	    .beat = c->beat,
	    .beat_owner = c->owner};

	if (S_ISDIR(st->st_mode))
		return subtree_walk(&w, dir, name, o->path) == 1;
	return S_ISREG(st->st_mode) && o->new_mtime_ns != 0 &&
	       (st->st_size != o->new_size ||
		   ns(&st->st_mtim) != o->new_mtime_ns);
}

/* The clock of ctime ticks coarsely: in the tick of DONE the content tells. */
static bool
is_late(const struct txn *t, const struct record *r, const struct op *o,
    int64_t done)
{
	int dir = o->kind == OP_PUT ? t->new : t->old;
	char name[OP_NAME_SIZE];
	struct stat st;

	op_name(o, name);
	if (o->kind == OP_META || !S_ISREG(o->old_mode) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	return ns(&st.st_ctim) > done || is_written(r, o, dir, name, &st);
}

const char *
displaced_late(const struct txn *t, const struct record *r)
{
	struct stat done;

	if (fstatat(t->dir, "DONE", &done, 0) == -1)
		return NULL;
	for (size_t i = 0; i < r->ops.count; i++) {
		if (is_late(t, r, &r->ops.items[i], ns(&done.st_ctim)))
			return r->ops.items[i].path;
	}
	return NULL;
}
