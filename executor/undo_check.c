/* SPDX-License-Identifier: ISC */
/*
 * Is everything as the patch left it, and is what it replaced as it was?
 * Where the outcome or the record tells a hash, the content decides; elsewhere
 * inode and ctime do, which nobody can set back.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "executor/beneath.h"
#include "executor/gitindex.h"
#include "executor/gitlock.h"
#include "executor/pathjson.h"
#include "executor/subtree.h"
#include "executor/undo.h"

#define TOLD_MAX 100 /* sentences */

struct check {
	struct executor *ex;
	const struct txn *txn;
	struct record *record;
	struct timespec done;
	json_t *told; /* pathjson_key: entry of outcome.changes or hidden */
	json_t *changed;
};

static int
say(struct check *k, const char *path, const char *what)
{
	json_t *entry;

	if (json_array_size(k->changed) >= TOLD_MAX)
		return 0;
	entry = json_pack("{s:s}", "why", what);
	pathjson_put(entry, path);
	json_array_append_new(k->changed, entry);
	return 0;
}

static void
index_changes(json_t *told, const json_t *list)
{
	json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		char *path = pathjson_take(entry);
		char *key = path != NULL ? pathjson_key(path) : NULL;

		if (key != NULL)
			json_object_set(told, key, entry);
		free(key);
		free(path);
	}
}

/* What is told of path, or NULL. */
static const json_t *
told_of(const struct check *k, const char *path)
{
	char *key = pathjson_key(path);
	const json_t *entry = json_object_get(k->told, key);

	free(key);
	return entry;
}

static bool
is_later(const struct check *k, const struct stat *st)
{
	return st->st_ctim.tv_sec > k->done.tv_sec ||
	       (st->st_ctim.tv_sec == k->done.tv_sec &&
		   st->st_ctim.tv_nsec > k->done.tv_nsec);
}

/* 1 equal to what the outcome tells under field, 0 not, -1 it is silent. */
static int
compare_told(const struct check *k, const struct subtree_at *at,
    const char *field)
{
	const char *want =
	    json_string_value(json_object_get(told_of(k, at->path), field));
	char digest[DIGEST_SIZE], target[4096];
	ssize_t n;
	int fd, failed;

	if (want == NULL)
		return -1;
	if (S_ISLNK(at->st->st_mode)) {
		n = readlinkat(at->dir, at->name, target, sizeof(target));
		if (n == -1)
			return 0;
		digest_bytes(target, (size_t)n, digest);
		return strcmp(digest, want) == 0;
	}
	if (!S_ISREG(at->st->st_mode))
		return 0;
	fd = openat(at->dir, at->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	failed =
	    fd == -1 ? -1 : digest_fd_told(fd, digest, executor_beat, k->ex);
	if (fd != -1)
		(void)close(fd);
	return failed == 0 && strcmp(digest, want) == 0;
}

static bool
has_told_mode(const struct check *k, const struct subtree_at *at)
{
	const char *mode =
	    json_string_value(json_object_get(told_of(k, at->path), "mode"));

	return mode == NULL ||
	       (at->st->st_mode & 07777) == (mode_t)strtoul(mode, NULL, 8);
}

/* An entry of a new tree, or a new file. */
static int
visit_live(struct subtree_walk *w, const struct subtree_at *at)
{
	struct check *k = w->owner;
	int equal;

	if (S_ISDIR(at->st->st_mode)) {
		if (told_of(k, at->path) == NULL && is_later(k, at->st))
			return say(k, at->path, "is new or was changed");
		return has_told_mode(k, at) ? 0
					    : say(k, at->path,
						  "has another "
						  "mode");
	}
	equal = compare_told(k, at, "new_sha256");
	if (equal == 0)
		return say(k, at->path, "was changed");
	if (equal == -1 && is_later(k, at->st))
		return say(k, at->path, "is new or was changed");
	return has_told_mode(k, at) ? 0 : say(k, at->path, "has another mode");
}

/* What came with a new tree and is gone by now. */
static void
check_missing(struct check *k, const char *top)
{
	size_t len = strlen(top);
	const char *key;
	json_t *entry;
	struct stat st;

	json_object_foreach (k->told, key, entry) {
		char *path = pathjson_take(entry);

		if (strncmp(path, top, len) == 0 && path[len] == '/' &&
		    !json_is_null(json_object_get(entry, "new_sha256")) &&
		    beneath_stat(k->ex->workspace.fd, path, &st) == 0)
			(void)say(k, path, "was removed");
		free(path);
	}
}

/* A rewritten index that says the same is as good as ours. */
static bool
is_same_index(const struct check *k, const struct op *o)
{
	char id[DIGEST_SIZE];

	return strcmp(o->path, GITINDEX_PATH) == 0 &&
	       k->record->index_id[0] != '\0' &&
	       gitindex_id(k->ex->workspace.fd, o->path, id) == 0 &&
	       strcmp(id, k->record->index_id) == 0;
}

static int
check_put(struct check *k, struct op *o)
{
	struct subtree_walk w = {.visit = visit_live,
	    .owner = k,
	    .beat = executor_beat,
	    .beat_owner = k->ex};
	const char *name;
	struct stat st;
	int dir, answer;

	if (op_is_object(o) || strcmp(o->path, ".git/COMMIT_EDITMSG") == 0)
		return 0;
	if (beneath_stat(k->ex->workspace.fd, o->path, &st) != 1)
		return say(k, o->path, "was removed");
	if ((st.st_mode & S_IFMT) != (o->mode & S_IFMT))
		return say(k, o->path, "became something else");
	if (is_same_index(k, o)) {
		op_note_new(o, &st);
		return 0;
	}
	if (st.st_ino != o->new_ino && told_of(k, o->path) == NULL)
		return say(k, o->path, "was replaced");
	op_note_new(o, &st);
	dir = beneath_parent(k->ex->workspace.fd, o->path, &name);
	if (dir == -1)
		return say(k, o->path, "lost its directory");
	answer = subtree_walk(&w, dir, name, o->path);
	(void)close(dir);
	if (S_ISDIR(o->mode))
		check_missing(k, o->path);
	return answer;
}

static int
check_delete(struct check *k, const struct op *o)
{
	const char *name;
	struct stat st;
	int dir = beneath_parent(k->ex->workspace.fd, o->path, &name);

	if (dir == -1)
		return say(k, o->path, "lost its directory");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		(void)say(k, o->path, "was made again");
	(void)close(dir);
	return 0;
}

static int
check_meta(struct check *k, const struct op *o)
{
	struct stat st;

	if (beneath_stat(k->ex->workspace.fd, o->path, &st) != 1)
		return say(k, o->path, "was removed");
	if ((st.st_mode & 07777) != (o->mode & 07777) || st.st_uid != o->uid ||
	    st.st_gid != o->gid)
		return say(k, o->path, "has another mode or owner");
	return 0;
}

struct inner {
	struct check *check;
	const char *top;
};

static int
visit_kept(struct subtree_walk *w, const struct subtree_at *at)
{
	struct inner *in = w->owner;
	int equal = compare_told(in->check, at, "old_sha256");

	if (equal == 0 ||
	    (equal == -1 && w->seen > 0 && is_later(in->check, at->st)))
		(void)say(in->check, at->path,
		    "was written after it had been replaced");
	return 0;
}

/* What was displaced, which is to come back. */
static int
check_kept(struct check *k, const struct op *o)
{
	struct inner in = {k, o->path};
	struct subtree_walk w = {.visit = visit_kept,
	    .owner = &in,
	    .beat = executor_beat,
	    .beat_owner = k->ex};
	int dir = o->kind == OP_PUT ? k->txn->new : k->txn->old;
	char name[OP_NAME_SIZE];
	struct stat st;

	if (o->old_ino == 0)
		return 0;
	op_name(o, name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    st.st_ino != o->old_ino)
		return say(k, o->path, "is not kept");
	return subtree_walk(&w, dir, name, o->path);
}

static int
check_op(struct check *k, struct op *o)
{
	int answer = -1;

	switch (o->kind) {
	case OP_META:
		return check_meta(k, o);
	case OP_DELETE:
		answer = check_delete(k, o);
		break;
	case OP_PUT:
		answer = check_put(k, o);
		break;
	}
	return answer == -1 ? -1 : check_kept(k, o);
}

/* Its own content is no operation's, but what they take back is its. */
static void
check_head(struct check *k)
{
	struct stat st;

	if (gitlock_adds_head(&k->record->ops) &&
	    (beneath_stat(k->ex->workspace.fd, GITLOCK_HEAD, &st) != 1 ||
		is_later(k, &st)))
		(void)say(k, GITLOCK_HEAD, "was changed");
}

int
undo_check(struct executor *ex, const struct txn *t, struct record *r,
    json_t *changed)
{
	struct check k = {.ex = ex, .txn = t, .record = r, .changed = changed};
	struct stat st;
	int answer = 0;

	if (fstatat(t->dir, "DONE", &st, 0) == -1)
		return -1;
	k.done = st.st_ctim;
	k.told = json_object();
	index_changes(k.told, json_object_get(r->outcome, "changes"));
	index_changes(k.told, r->hidden);
	for (size_t i = 0; i < r->ops.count && answer == 0; i++) {
		answer = check_op(&k, &r->ops.items[i]);
		if (i % 100 == 0)
			executor_beat(ex);
	}
	check_head(&k);
	json_decref(k.told);
	return answer;
}
