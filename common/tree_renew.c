/* SPDX-License-Identifier: ISC */
/*
 * Renewing a directory while others put into it.
 *
 * The old one and a fresh one change names in one call, then everything that
 * the old one holds (the queue's own subdirectories, and files that were put
 * by descriptor in between) moves over, then the old one is removed. Removing
 * works only when it is empty, and from then on nothing can come into it, so
 * no file is left behind whenever its put ends. A crash leaves the two names;
 * whoever opens the spool next ends it, before a subdirectory that is still
 * in the old one could be taken for missing.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/sys.h"
#include "common/tree_part.h"

#define LOCK_FILE "tree.lock"
#define LOCK_TRIES 1000
#define LOCK_WAIT_MS 10
#define DRAIN_TRIES 1000 /* rounds of puts that came in between */

static bool
is_owned(int fd, uid_t uid)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == uid;
}

int
tree_lock(const struct tree *t, int *fd)
{
	int err;

	*fd = sys_openat(t->run, LOCK_FILE,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd == -1)
		return errno == EACCES || errno == EBADF || errno == EROFS ? 0
									   : -1;
	/* Nothing is changed that need not be: a disk may hang. */
	if (geteuid() == 0 && !is_owned(*fd, t->owner) &&
	    sys_fchown(*fd, t->owner, (gid_t)-1) == -1)
		goto fail;
	for (int i = 0; flock(*fd, LOCK_EX | LOCK_NB) == -1; i++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || i == LOCK_TRIES)
			goto fail;
		(void)poll(NULL, 0, LOCK_WAIT_MS);
	}
	return 0;
fail:
	err = errno;
	tree_unlock(*fd);
	*fd = -1;
	errno = err;
	return -1;
}

void
tree_unlock(int fd)
{
	if (fd != -1)
		(void)close(fd);
}

/* Where a directory stands, and the name its successor has before and its
 * predecessor after the exchange. */
struct renewal {
	int parent; /* owned */
	char name[NAME_MAX];
	char spare[NAME_MAX];
};

static int
locate(int base, const char *path, struct renewal *r)
{
	const char *slash = strrchr(path, '/');
	const char *leaf = slash == NULL ? path : slash + 1;
	char above[NAME_MAX] = ".";

	if (slash != NULL)
		(void)snprintf(above, sizeof(above), "%.*s",
		    (int)(slash - path), path);
	(void)strlcpy(r->name, leaf, sizeof(r->name));
	(void)snprintf(r->spare, sizeof(r->spare), "%s%.200s.renew",
	    leaf[0] == '.' ? "" : ".", leaf);
	r->parent = spool_dir(base, above);
	return r->parent;
}

/* One entry of the old directory into the new one. */
static int
move_over(struct tree *t, int old, int new, const char *name)
{
	if (sys_renameat2(old, name, new, name, RENAME_NOREPLACE) == 0 ||
	    errno == ENOENT)
		return 0;
	if (errno != EEXIST)
		return -1;
	/* A subdirectory that somebody made in between; or the same file put
	 * twice, under a name that says the same document. */
	if (sys_unlinkat(new, name, AT_REMOVEDIR) == 0)
		return sys_renameat2(old, name, new, name, RENAME_NOREPLACE);
	return errno == ENOTDIR &&
		       tree_set_aside(t, old, "renew", name) == SPOOL_DONE
		   ? 0
		   : -1;
}

static int
move_all(struct tree *t, int old, int new)
{
	DIR *d = spool_opendir(old);
	const struct dirent *e;
	int r = 0, err;

	if (d == NULL)
		return -1;
	for (errno = 0; r == 0 && (e = readdir(d)) != NULL; errno = 0)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = move_over(t, old, new, e->d_name);
	err = errno;
	(void)closedir(d);
	if (r == 0 && err == 0 &&
	    (sys_fsync(new) == -1 || sys_fsync(old) == -1))
		return -1;
	errno = err;
	return r == 0 && err == 0 ? 0 : -1;
}

/* Empties the directory that has the spare name into its successor until it
 * can be removed. */
static int
drain(struct tree *t, const struct renewal *r)
{
	int old = spool_dir(r->parent, r->spare);
	int new = spool_dir(r->parent, r->name);
	int done = -1, err;

	for (int i = 0; old != -1 && new != -1 && i < DRAIN_TRIES; i++) {
		if (move_all(t, old, new) == -1)
			break;
		done = sys_unlinkat(r->parent, r->spare, AT_REMOVEDIR);
		if (done == 0 || (errno != ENOTEMPTY && errno != EEXIST))
			break;
	}
	err = errno;
	if (old != -1)
		(void)close(old);
	if (new != -1)
		(void)close(new);
	errno = err;
	return done == 0 ? sys_fsync(r->parent) : -1;
}

int
tree_finish_renewal(struct tree *t, int base, const char *path)
{
	struct renewal r;
	int done = 0, err;

	if (locate(base, path, &r) == -1)
		return errno == ENOENT ? 0 : -1;
	if (spool_exists(r.parent, r.spare) && spool_exists(r.parent, r.name))
		done = drain(t, &r);
	err = errno;
	(void)close(r.parent);
	errno = err;
	return done;
}

/* An empty directory under the spare name with the rights of the old one. */
static int
make_spare(const struct renewal *r, const struct stat *like)
{
	int fd, made = -1, err;

	if (sys_mkdirat(r->parent, r->spare, 0700) == -1)
		return -1;
	fd = spool_dir(r->parent, r->spare);
	if (fd == -1)
		return -1;
	if ((geteuid() != 0 ||
		sys_fchown(fd, like->st_uid, like->st_gid) == 0) &&
	    sys_fchmod(fd, like->st_mode & 07777) == 0 && sys_fsync(fd) == 0)
		made = sys_fsync(r->parent);
	err = errno;
	(void)close(fd);
	errno = err;
	return made;
}

static int
replace(struct tree *t, int base, const char *path, const struct stat *like)
{
	struct renewal r;
	int done = -1, err;

	if (tree_finish_renewal(t, base, path) == -1 ||
	    locate(base, path, &r) == -1)
		return -1;
	if (make_spare(&r, like) == 0 &&
	    sys_renameat2(r.parent, r.name, r.parent, r.spare,
		RENAME_EXCHANGE) == 0 &&
	    sys_fsync(r.parent) == 0)
		done = drain(t, &r);
	err = errno;
	(void)close(r.parent);
	errno = err;
	return done;
}

/* The table's row of a descriptor that may be renewed, and its base. */
static const struct tree_row *
row_of(struct tree *t, int dir, int *base)
{
	*base = t->root;
	for (size_t i = 0; i < TREE_ROWS; i++)
		if (tree_rows[i].fluid && *tree_slot(t, &tree_rows[i]) == dir)
			return &tree_rows[i];
	for (size_t n = 0; n < t->queue_count; n++) {
		*base = t->queues[n].base;
		for (size_t i = 0; i < QUEUE_ROWS; i++)
			if (queue_rows[i].fluid &&
			    *tree_slot(&t->queues[n], &queue_rows[i]) == dir)
				return &queue_rows[i];
	}
	return NULL;
}

/* No names but those of subdirectories of ours: 1, 0, -1. */
static int
is_empty(int dir)
{
	DIR *d = spool_opendir(dir);
	const char *name;
	int err;

	if (d == NULL)
		return -1;
	name = spool_readdir(d);
	err = errno;
	(void)closedir(d);
	errno = err;
	if (name == NULL && err != 0)
		return -1;
	return name == NULL;
}

int
tree_renew(struct tree *t, int dir, off_t min_bytes)
{
	const struct tree_row *row;
	struct stat st;
	int base, lock, done, err;

	row = row_of(t, dir, &base);
	if (row == NULL || dir == -1) {
		errno = EINVAL;
		return -1;
	}
	if (fstat(dir, &st) == -1)
		return -1;
	done = st.st_size < min_bytes ? 0 : is_empty(dir);
	if (done != 1)
		return done;
	if (tree_lock(t, &lock) == -1)
		return -1;
	done = replace(t, base, row->path, &st);
	err = errno;
	tree_unlock(lock);
	if (tree_refresh(t) == -1 || done == -1) {
		errno = done == -1 ? err : errno;
		return -1;
	}
	return 1;
}

/* 1 when fd was another directory and is the one of that name now. */
static int
refresh_fd(int base, const char *path, int fd)
{
	struct stat have, want;
	int fresh, r;

	if (fd == -1 || fstatat(base, path, &want, AT_SYMLINK_NOFOLLOW) == -1)
		return fd == -1 || errno == ENOENT ? 0 : -1;
	if (fstat(fd, &have) == -1)
		return -1;
	if (have.st_ino == want.st_ino && have.st_dev == want.st_dev)
		return 0;
	fresh = spool_dir(base, path);
	if (fresh == -1)
		return -1;
	r = dup3(fresh, fd, O_CLOEXEC);
	(void)close(fresh);
	return r == -1 ? -1 : 1;
}

static int
refresh_rows(int dir, const void *base, const struct tree_row *rows,
    size_t count)
{
	int total = 0;

	for (size_t i = 0; i < count; i++) {
		const int *fd;
		int r;

		if (!rows[i].fluid)
			continue;
		fd = (const void *)((const char *)base + rows[i].offset);
		r = refresh_fd(dir, rows[i].path, *fd);
		if (r == -1)
			return -1;
		total += r;
	}
	return total;
}

int
tree_refresh(const struct tree *t)
{
	int total = refresh_rows(t->root, t, tree_rows, TREE_ROWS);

	for (size_t i = 0; total != -1 && i < t->queue_count; i++) {
		const struct queue_tree *q = &t->queues[i];
		int r = refresh_rows(q->base, q, queue_rows, QUEUE_ROWS);

		total = r == -1 ? -1 : total + r;
	}
	return total;
}

int
tree_refresh_outcomes(const struct queue_tree *q)
{
	static const char above[] = "outcomes/";
	int total = 0;

	for (size_t i = 0; i < QUEUE_ROWS; i++) {
		const struct tree_row *row = &queue_rows[i];
		const int *fd;
		int r;

		if (!row->fluid ||
		    strncmp(row->path, above, sizeof(above) - 1) != 0)
			continue;
		fd = (const void *)((const char *)q + row->offset);
		r = refresh_fd(q->base, row->path, *fd);
		if (r == -1)
			return -1;
		total += r;
	}
	return total;
}

enum spool_answer
tree_put_json(const struct tree *t, const int *box, const char *name,
    const json_t *doc)
{
	enum spool_answer answer =
	    spool_put_json(box[BOX_TMP], box[BOX_NEW], name, doc);

	if (answer != SPOOL_REFUSED || errno != ENOENT || tree_refresh(t) < 1)
		return answer;
	return spool_put_json(box[BOX_TMP], box[BOX_NEW], name, doc);
}
