/* SPDX-License-Identifier: ISC */
/*
 * The operations of a record taken back, by the same evidence as forward: an
 * operation stands where its new inode is no longer in T. Where the workspace
 * no longer shows what we put there, somebody has changed it since: theirs
 * stays, and the path is named.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/sys.h"
#include "executor/commit.h"
#include "executor/cursor.h"
#include "executor/displaced.h"
#include "executor/utf8.h"

#define BEAT_EVERY 100

static int
leave(struct commit *c, const struct op *o)
{
	if (c->displaced == NULL)
		c->displaced = json_array();
	json_array_append_new(c->displaced, utf8_string(o->path));
	return 0;
}

static bool
is_gone(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

/* 1 to be taken back, 0 not: then it was never done, or has been already. */
static int
stands(const struct commit *c, const struct op *o, const char *name,
    bool *exchanged)
{
	struct stat st;

	*exchanged = true;
	if (fstatat(o->kind == OP_PUT ? c->txn->new : c->txn->old, name, &st,
		AT_SYMLINK_NOFOLLOW) == 0)
		return o->kind == OP_DELETE || st.st_ino != o->new_ino;
	if (errno != ENOENT)
		return -1;
	*exchanged = false;
	return o->kind == OP_PUT;
}

/* git's scratch paper: whoever writes it next may have it. */
static bool
is_scrap(const struct op *o)
{
	return strcmp(o->path, ".git/COMMIT_EDITMSG") == 0;
}

static int
unput(struct commit *c, const struct op *o, int dir, const char *base)
{
	char name[OP_NAME_SIZE];
	struct stat st;
	bool exchanged;
	int answer;

	op_name(o, name);
	answer = stands(c, o, name, &exchanged);
	if (answer != 1)
		return answer;
	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? leave(c, o) : -1;
	if (st.st_ino != o->new_ino ||
	    displaced_is_changed(c, o, dir, base, &st))
		return is_scrap(o) ? 0 : leave(c, o);
	return exchanged ? sys_renameat2(c->txn->new, name, dir, base,
			       RENAME_EXCHANGE)
			 : sys_renameat2(dir, base, c->txn->new, name,
			       RENAME_NOREPLACE);
}

static int
undelete(struct commit *c, const struct op *o, int dir, const char *base)
{
	char name[OP_NAME_SIZE];

	op_name(o, name);
	if (sys_renameat2(c->txn->old, name, dir, base, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EEXIST ? leave(c, o) : -1;
}

static int
unmeta(struct commit *c, const struct op *o)
{
	struct op_meta before = {o->old_mode, o->old_uid, o->old_gid};

	if (commit_meta(c, o->path, &before) == 0)
		return 0;
	return is_gone(errno) ? leave(c, o) : -1;
}

static int
revert_one(struct commit *c, const struct op *o, struct cursor *k)
{
	char name[OP_NAME_SIZE];
	const char *base;
	bool exchanged;
	int answer;

	if (o->kind == OP_META)
		return unmeta(c, o);
	op_name(o, name);
	/* Another commit may need an object of ours by now; one that nobody
	 * needs is harmless. */
	answer = op_is_object(o) ? 0 : stands(c, o, name, &exchanged);
	if (answer == -1)
		return -1;
	if (cursor_enter(k, o->path, &base) == -1) {
		if (answer == 0)
			return 0;
		return is_gone(errno) ? leave(c, o) : -1;
	}
	if (answer == 0)
		return 0;
	return o->kind == OP_PUT ? unput(c, o, k->dir, base)
				 : undelete(c, o, k->dir, base);
}

/* Written between the look at it and its rename: it has come to T, whole. */
static void
look_again(struct commit *c, const struct ops *ops)
{
	for (size_t i = 0; i < ops->count; i++) {
		const struct op *o = &ops->items[i];
		char name[OP_NAME_SIZE];
		struct stat st;

		op_name(o, name);
		if (o->kind == OP_PUT && !is_scrap(o) &&
		    fstatat(c->txn->new, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_ino == o->new_ino &&
		    displaced_is_changed(c, o, c->txn->new, name, &st))
			(void)leave(c, o);
	}
}

int
commit_revert(struct commit *c, const struct ops *ops, const char **at)
{
	struct cursor k;
	int answer = 0, saved;

	c->decided_ns = commit_time_ns(c->txn);
	cursor_open(&k, c->workspace->fd);
	for (size_t i = ops->count; i > 0 && answer == 0; i--) {
		*at = ops->items[i - 1].path;
		answer = revert_one(c, &ops->items[i - 1], &k);
		if (i % BEAT_EVERY == 0 && c->beat != NULL)
			c->beat(c->owner);
	}
	if (answer == 0)
		look_again(c, ops);
	if (answer == 0)
		answer = cursor_sync(&k);
	saved = errno;
	cursor_close(&k);
	errno = saved;
	return answer;
}
