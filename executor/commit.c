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
#include "executor/cursor.h"
#include "executor/subtree.h"

#define BEAT_EVERY 100
#define SYNC_SINGLY 30 /* entries; above, one syncfs(2) is cheaper */

#define COMMIT "COMMIT"
#define DONE "DONE"
#define REVERT "REVERT"
#define UNDO "UNDO"
#define REDO "REDO"

struct syncer {
	bool ordered;
	bool failed;
};

static int
visit_sync(struct subtree_walk *w, const struct subtree_at *at)
{
	struct syncer *s = w->owner;
	int fd, answer;

	/* Of directories the journal has everything. */
	if (!S_ISREG(at->st->st_mode) &&
	    (s->ordered || !S_ISDIR(at->st->st_mode)))
		return 0;
	fd = openat(at->dir, at->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -1;
	answer = s->ordered ? spool_flush(fd) : sys_fsync(fd);
	s->failed = answer == -1;
	(void)close(fd);
	return answer;
}

/* Counted, and on their way to the disk all at once before the first of them
 * is waited for. */
static int
visit_start(struct subtree_walk *w, const struct subtree_at *at)
{
	size_t *count = w->owner;
	int fd;

	if (++*count > SYNC_SINGLY)
		return 1;
	if (!S_ISREG(at->st->st_mode))
		return 0;
	fd = openat(at->dir, at->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return 0;
	/* Only a hint: the sync that follows decides. */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	(void)close(fd);
	return 0;
}

static int
each_new(const struct commit *c, const struct ops *ops, struct subtree_walk *w)
{
	for (size_t i = 0; i < ops->count; i++) {
		char name[OP_NAME_SIZE];
		int answer;

		if (ops->items[i].kind != OP_PUT)
			continue;
		op_name(&ops->items[i], name);
		answer = subtree_walk(w, c->txn->new, name, name);
		if (answer != 0)
			return answer;
	}
	return 0;
}

/* In tmp it promises nothing yet. */
static enum spool_answer
draft(const struct commit *c, const struct record *r)
{
	json_t *doc = record_encode(r);
	enum spool_answer answer = spool_draft_json(c->txn->tmp, COMMIT, doc);

	json_decref(doc);
	return answer;
}

static int
sync_new(const struct commit *c, const struct ops *ops)
{
	struct syncer s = {.ordered = c->ordered};
	struct subtree_walk walk = {.visit = visit_sync,
	    .owner = &s,
	    .beat = c->beat,
	    .beat_owner = c->owner};

	/* A file that we may not read cannot be synced alone either. */
	if (each_new(c, ops, &walk) == 0)
		return c->ordered ? 0 : sys_fsync(c->txn->new);
	return s.failed ? -1 : sys_syncfs(c->txn->dir);
}

static int
refuse(struct fault *f, const char *what)
{
	(void)fault_errno(f, OUTCOME_PREPARE, "%s", what);
	f->temporary = true;
	return -1;
}

int
commit_sync(const struct commit *c, const struct record *r, struct fault *f)
{
	size_t count = 0;
	struct subtree_walk starter = {.visit = visit_start, .owner = &count};
	int many = each_new(c, &r->ops, &starter);
	int answer;

	if (draft(c, r) != SPOOL_DONE)
		return refuse(f, "the commit record");
	/* What was begun last is waited for first: by then the others are
	 * written, and the journal with them. */
	if ((c->ordered ? spool_flush_name : spool_sync)(c->txn->tmp, COMMIT) ==
	    -1)
		return refuse(f, "syncing the commit record");
	if (many != 0)
		answer = sys_syncfs(c->txn->dir);
	else
		answer = count > 0 ? sync_new(c, &r->ops) : 0;
	return answer == 0 ? 0
			   : fault_errno(f, OUTCOME_PREPARE,
				 "syncing the staged files");
}

enum spool_answer
commit_write(const struct commit *c)
{
	const struct txn *t = c->txn;

	return c->ordered ? spool_shift(t->tmp, COMMIT, t->dir, NULL)
			  : spool_publish(t->tmp, t->dir, COMMIT);
}

enum spool_answer
commit_write_undo(const struct txn *t, const struct record *r)
{
	json_t *doc = record_encode(r);
	enum spool_answer answer = spool_put_json(t->tmp, t->dir, UNDO, doc);

	json_decref(doc);
	return answer;
}

/* Not synced: a COMMIT that comes back finds all of it done. */
int
commit_done(const struct txn *t)
{
	return sys_renameat2(t->dir, COMMIT, t->dir, DONE, RENAME_NOREPLACE);
}

int
commit_turn(const struct txn *t)
{
	return spool_move(t->dir, COMMIT, t->dir, REVERT) == SPOOL_DONE ? 0
									: -1;
}

int
commit_turn_undo(const struct txn *t)
{
	return spool_move(t->dir, UNDO, t->dir, REDO) == SPOOL_DONE ? 0 : -1;
}

int
commit_redone(const struct txn *t)
{
	return spool_remove(t->dir, REDO) == SPOOL_DONE ? 0 : -1;
}

static const struct {
	const char *name;
	enum commit_state state;
} records[] = {{REDO, COMMIT_REDO}, {UNDO, COMMIT_UNDO}, {DONE, COMMIT_DONE},
    {COMMIT, COMMIT_FORWARD}, {REVERT, COMMIT_BACK}};

#define RECORDS (sizeof(records) / sizeof(records[0]))

bool
commit_exists(const struct txn *t)
{
	for (size_t i = 0; i < RECORDS; i++) {
		if (spool_exists(t->dir, records[i].name))
			return true;
	}
	return false;
}

int64_t
commit_time_ns(const struct txn *t)
{
	struct stat st;

	for (size_t i = 0; i < RECORDS; i++) {
		if (fstatat(t->dir, records[i].name, &st,
			AT_SYMLINK_NOFOLLOW) == 0)
			return st.st_mtim.tv_sec * 1000000000LL +
			       st.st_mtim.tv_nsec;
	}
	return INT64_MAX;
}

int
commit_read(const struct txn *t, struct record *r, enum commit_state *state)
{
	json_t *doc = NULL;
	int found = 0;

	*state = COMMIT_NONE;
	for (size_t i = 0; i < RECORDS && found == 0; i++) {
		found = spool_read_json(t->dir, records[i].name, &doc);
		if (found != 0)
			*state = records[i].state;
	}
	if (found == 1 && record_decode(doc, r) == -1)
		found = -1;
	json_decref(doc);
	return found;
}

/* Is the new inode still in T? Then the operation was not done yet. */
static int
is_put(const struct commit *c, const struct op *o, const char *name)
{
	struct stat st;

	if (fstatat(c->txn->new, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 1 : -1;
	return st.st_ino != o->new_ino;
}

static int
is_deleted(const struct commit *c, const char *name)
{
	struct stat st;

	if (fstatat(c->txn->old, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

/* What is there by now comes to T, whoever made it: displaced_find tells. */
static int
put(struct commit *c, const char *name, int dir, const char *base)
{
	if (sys_renameat2(c->txn->new, name, dir, base, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	return sys_renameat2(c->txn->new, name, dir, base, RENAME_NOREPLACE);
}

static int
put_new(struct commit *c, const char *name, int dir, const char *base)
{
	if (sys_renameat2(c->txn->new, name, dir, base, RENAME_NOREPLACE) == 0)
		return 0;
	/* Made behind the check: the patch has happened, theirs is kept. */
	return errno == EEXIST ? put(c, name, dir, base) : -1;
}

/* Not the one that was to go stays. */
static int delete (struct commit *c, const struct op *o, int dir,
    const char *base)
{
	struct stat st;
	char name[OP_NAME_SIZE];

	op_name(o, name);
	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (st.st_ino != o->old_ino)
		return 0;
	return sys_renameat2(dir, base, c->txn->old, name, RENAME_NOREPLACE);
}

int
commit_meta(const struct commit *c, const char *path, const struct op_meta *m)
{
	int fd = beneath_open(c->workspace->fd, path, O_RDONLY | O_DIRECTORY);
	struct stat st;
	int answer = -1;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 &&
	    ((st.st_uid == m->uid && st.st_gid == m->gid) ||
		sys_fchown(fd, m->uid, m->gid) == 0) &&
	    sys_fchmod(fd, m->mode & 07777) == 0)
		answer = c->ordered ? 0 : sys_fsync(fd);
	(void)close(fd);
	return answer;
}

/* 1 done before, 0 not, -1. */
static int
is_done(const struct commit *c, const struct op *o)
{
	char name[OP_NAME_SIZE];

	op_name(o, name);
	return o->kind == OP_PUT ? is_put(c, o, name) : is_deleted(c, name);
}

static int
apply_one(struct commit *c, const struct op *o, struct cursor *k)
{
	struct op_meta wanted = {o->mode, o->uid, o->gid};
	char name[OP_NAME_SIZE];
	const char *base;
	int done;

	if (o->kind == OP_META)
		return commit_meta(c, o->path, &wanted);
	done = is_done(c, o);
	if (done == -1)
		return -1;
	/* Done before a crash, its directory may have been removed since, with
	 * what we put there. */
	if (cursor_enter(k, o->path, &base) == -1)
		return done ? 0 : -1;
	if (done)
		return 0;
	op_name(o, name);
	if (o->kind == OP_DELETE)
		return delete (c, o, k->dir, base);
	return o->old_ino == 0 ? put_new(c, name, k->dir, base)
			       : put(c, name, k->dir, base);
}

int
commit_apply(struct commit *c, const struct ops *ops, const char **at)
{
	struct cursor k;
	int answer = 0, saved;

	cursor_open(&k, c->workspace->fd);
	for (size_t i = 0; i < ops->count && answer == 0; i++) {
		*at = ops->items[i].path;
		answer = apply_one(c, &ops->items[i], &k);
		if (i % BEAT_EVERY == 0 && c->beat != NULL)
			c->beat(c->owner);
	}
	saved = errno;
	cursor_close(&k);
	errno = saved;
	return answer;
}

/* One that is gone by now was removed with what we put there. */
int
commit_harden(const struct commit *c, const struct ops *ops)
{
	struct cursor k;
	const char *base;
	int answer, saved;

	cursor_open(&k, c->workspace->fd);
	for (size_t i = 0; i < ops->count; i++) {
		if (ops->items[i].kind != OP_META)
			(void)cursor_enter(&k, ops->items[i].path, &base);
	}
	answer = cursor_sync(&k);
	saved = errno;
	cursor_close(&k);
	errno = saved;
	return answer;
}
