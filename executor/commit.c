/* SPDX-License-Identifier: ISC */
/* The record's life, and its operations forward and back. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/spool.h"
#include "common/sys.h"
#include "executor/beneath.h"
#include "executor/commit.h"
#include "executor/subtree.h"

#define BEAT_EVERY 100
#define SYNC_SINGLY 30 /* entries; above, one syncfs(2) is cheaper */

#define COMMIT "COMMIT"
#define DONE "DONE"
#define REVERT "REVERT"

static void
number(size_t n, char out[32])
{
	if (snprintf(out, 32, "%zu", n) < 0)
		out[0] = '\0';
}

static int
visit_sync(struct subtree_walk *w, const struct subtree_at *at)
{
	int fd, answer;

	(void)w;
	if (!S_ISREG(at->st->st_mode) && !S_ISDIR(at->st->st_mode))
		return 0;
	fd = openat(at->dir, at->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -1;
	answer = sys_fsync(fd);
	(void)close(fd);
	return answer;
}

static int
visit_count(struct subtree_walk *w, const struct subtree_at *at)
{
	size_t *count = w->owner;

	(void)at;
	return ++*count > SYNC_SINGLY;
}

static int
each_new(const struct commit *c, const struct ops *ops, struct subtree_walk *w)
{
	for (size_t i = 0; i < ops->count; i++) {
		char name[32];
		int answer;

		if (ops->items[i].kind != OP_PUT)
			continue;
		number(ops->items[i].n, name);
		answer = subtree_walk(w, c->txn->new, name, name);
		if (answer != 0)
			return answer;
	}
	return 0;
}

int
commit_sync(const struct commit *c, const struct ops *ops, struct fault *f)
{
	size_t count = 0;
	struct subtree_walk counter = {.visit = visit_count, .owner = &count};
	struct subtree_walk syncer = {.visit = visit_sync,
	    .beat = c->beat,
	    .beat_owner = c->owner};
	int answer = each_new(c, ops, &counter);

	/* A file that we may not read cannot be synced alone either. */
	if (answer == 0)
		answer = each_new(c, ops, &syncer) == 0 ? 0 : 1;
	if (answer == 1)
		answer = sys_syncfs(c->txn->dir);
	if (answer == 0)
		answer = sys_fsync(c->txn->new);
	if (answer == 0)
		answer = sys_fsync(c->txn->old);
	return answer == 0 ? 0
			   : fault_errno(f, OUTCOME_PREPARE,
				 "syncing the staged files");
}

enum spool_answer
commit_write(const struct txn *t, const struct record *r)
{
	json_t *doc = record_encode(r);
	enum spool_answer answer = spool_put_json(t->tmp, t->dir, COMMIT, doc);

	json_decref(doc);
	return answer;
}

int
commit_done(const struct txn *t)
{
	return spool_move(t->dir, COMMIT, t->dir, DONE) == SPOOL_DONE ? 0 : -1;
}

int
commit_read(const struct txn *t, struct record *r, const char **which)
{
	static const char *const names[] = {DONE, COMMIT, REVERT};
	json_t *doc = NULL;
	int found = 0;

	for (size_t i = 0; i < 3 && found == 0; i++) {
		*which = names[i];
		found = spool_read_json(t->dir, names[i], &doc);
	}
	if (found == 1 && record_decode(doc, r) == -1)
		found = -1;
	json_decref(doc);
	return found;
}

static void
note_displaced(struct commit *c, const struct op *o)
{
	if (c->displaced == NULL)
		c->displaced = json_array();
	json_array_append_new(c->displaced, json_string(o->path));
}

/* Is the new inode still in T? Then the operation was not done yet. */
static int
is_pending(const struct commit *c, const struct op *o, const char *name)
{
	struct stat st;

	if (fstatat(c->txn->new, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	return st.st_ino == o->new_ino;
}

static int
put(struct commit *c, const struct op *o, int dir, const char *base)
{
	char name[32];
	int pending;

	number(o->n, name);
	pending = is_pending(c, o, name);
	if (pending != 1)
		return pending;
	if (o->old_ino == 0) {
		if (sys_renameat2(c->txn->new, name, dir, base,
			RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
		/* Made behind the check: the patch has happened, theirs is
		 * kept in T and named. */
		note_displaced(c, o);
	}
	if (sys_renameat2(c->txn->new, name, dir, base, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	return sys_renameat2(c->txn->new, name, dir, base, RENAME_NOREPLACE);
}

static int delete (struct commit *c, const struct op *o, int dir,
    const char *base)
{
	struct stat st;
	char name[32];

	number(o->n, name);
	if (fstatat(c->txn->old, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (st.st_ino != o->old_ino) {
		note_displaced(c, o); /* not the one that was to go */
		return 0;
	}
	return sys_renameat2(dir, base, c->txn->old, name, RENAME_NOREPLACE);
}

static int
set_meta(const struct commit *c, const char *path, mode_t mode, uid_t uid,
    gid_t gid)
{
	int fd = beneath_open(c->workspace->fd, path, O_RDONLY | O_DIRECTORY);
	struct stat st;
	int answer = -1;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 &&
	    ((st.st_uid == uid && st.st_gid == gid) ||
		sys_fchown(fd, uid, gid) == 0) &&
	    sys_fchmod(fd, mode & 07777) == 0)
		answer = sys_fsync(fd);
	(void)close(fd);
	return answer;
}

/* The directory of the present operation, synced once when it changes. */
struct cursor {
	char *path;
	int dir;
};

static int
cursor_leave(struct cursor *k)
{
	int answer = 0;

	if (k->dir != -1) {
		answer = sys_fsync(k->dir);
		(void)close(k->dir);
	}
	free(k->path);
	k->path = NULL;
	k->dir = -1;
	return answer;
}

static int
cursor_enter(struct cursor *k, int root, const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	*base = slash != NULL ? slash + 1 : path;
	if (k->path != NULL && strlen(k->path) == len &&
	    memcmp(k->path, path, len) == 0)
		return 0;
	if (cursor_leave(k) == -1)
		return -1;
	k->dir = beneath_parent(root, path, base);
	if (k->dir == -1)
		return -1;
	k->path = xstrndup(path, len);
	return 0;
}

static int
apply_one(struct commit *c, const struct op *o, struct cursor *k)
{
	const char *base;

	if (o->kind == OP_META)
		return set_meta(c, o->path, o->mode, o->uid, o->gid);
	if (cursor_enter(k, c->workspace->fd, o->path, &base) == -1)
		return -1;
	return o->kind == OP_PUT ? put(c, o, k->dir, base)
				 : delete (c, o, k->dir, base);
}

static int
unput(const struct commit *c, const struct op *o, int dir, const char *base)
{
	char name[32];
	struct stat st;

	number(o->n, name);
	if (o->old_ino == 0) {
		if (fstatat(c->txn->new, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return 0;
		return sys_renameat2(dir, base, c->txn->new, name,
		    RENAME_NOREPLACE);
	}
	if (fstatat(c->txn->new, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (st.st_ino == o->new_ino)
		return 0;
	return sys_renameat2(c->txn->new, name, dir, base, RENAME_EXCHANGE);
}

static int
undelete(const struct commit *c, const struct op *o, int dir, const char *base)
{
	char name[32];
	struct stat st;

	number(o->n, name);
	if (fstatat(c->txn->old, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	return sys_renameat2(c->txn->old, name, dir, base, RENAME_NOREPLACE);
}

static int
revert_one(struct commit *c, const struct op *o, struct cursor *k)
{
	const char *base;

	if (o->kind == OP_META)
		return set_meta(c, o->path, o->old_mode, o->old_uid,
		    o->old_gid);
	if (cursor_enter(k, c->workspace->fd, o->path, &base) == -1)
		return -1;
	return o->kind == OP_PUT ? unput(c, o, k->dir, base)
				 : undelete(c, o, k->dir, base);
}

static int
run_all(struct commit *c, const struct ops *ops, const char **at,
    int (*one)(struct commit *, const struct op *, struct cursor *))
{
	struct cursor k = {NULL, -1};
	int answer = 0, saved;

	for (size_t i = 0; i < ops->count && answer == 0; i++) {
		*at = ops->items[i].path;
		answer = one(c, &ops->items[i], &k);
		if (i % BEAT_EVERY == 0 && c->beat != NULL)
			c->beat(c->owner);
	}
	saved = errno;
	if (cursor_leave(&k) == -1 && answer == 0) {
		answer = -1;
		saved = errno;
	}
	if (answer == 0 &&
	    (sys_fsync(c->txn->new) == -1 || sys_fsync(c->txn->old) == -1)) {
		answer = -1;
		saved = errno;
	}
	errno = saved;
	return answer;
}

int
commit_apply(struct commit *c, const struct ops *ops, const char **at)
{
	return run_all(c, ops, at, apply_one);
}

int
commit_revert(struct commit *c, const struct ops *ops, const char **at)
{
	return run_all(c, ops, at, revert_one);
}
