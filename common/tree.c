/* SPDX-License-Identifier: ISC */
/* Making and opening the spool's directories, with their rights. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"
#include "common/buf.h"
#include "common/spool.h"
#include "common/sys.h"
#include "common/tree_part.h"

#define OWNER_NAME "patchflow"
#define GROUP_NAME "patchflow"
#define SUBMIT_NAME "patchflow-submit"
#define MODE_ABOVE 0755
#define MODE_OWN 02750
#define MODE_PASS 02751 /* submitters pass through, and see nothing */
#define MODE_DROP 03770

static void
set_slots(void *base, const struct tree_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].offset != TREE_NO_FD)
			*tree_slot(base, &rows[i]) = -1;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

static void
close_slots(void *base, const struct tree_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].offset != TREE_NO_FD)
			close_fd(tree_slot(base, &rows[i]));
}

static mode_t
mode_of(const struct tree *t, enum tree_access access)
{
	if (t->submit == (gid_t)-1 && access == TREE_PASS)
		return MODE_OWN;
	return access == TREE_DROP   ? MODE_DROP
	       : access == TREE_PASS ? MODE_PASS
				     : MODE_OWN;
}

/* Refuses a foreign directory; gives our own its owner, group and mode. */
static int
settle_rights(const struct tree *t, int fd, enum tree_access access)
{
	gid_t group = access == TREE_DROP ? t->submit : t->group;
	mode_t mode = mode_of(t, access);
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_uid != geteuid() && st.st_uid != 0 && st.st_uid != t->owner) {
		errno = EPERM;
		return -1;
	}
	if (geteuid() != 0 && st.st_uid != geteuid())
		return 0;
	if (geteuid() == 0 &&
	    (st.st_uid != t->owner ||
		(group != (gid_t)-1 && st.st_gid != group)) &&
	    sys_fchown(fd, t->owner, group) == -1)
		return -1;
	/* Whether there are submitters is root's to know and to open for. */
	if ((st.st_mode & 07777) == mode ||
	    (geteuid() != 0 && access == TREE_PASS &&
		(st.st_mode & 07777) == MODE_PASS))
		return 0;
	return sys_fchmod(fd, mode);
}

/* The descriptor of a directory that is there with its rights, or -1. */
static int
open_made(const struct tree *t, int base, const char *path,
    enum tree_access access)
{
	int fd = spool_dir(base, path), err;

	if (fd == -1 && errno == ENOENT) {
		if (spool_make(base, path, MODE_OWN) == -1)
			return -1;
		fd = spool_dir(base, path);
	}
	if (fd == -1 || settle_rights(t, fd, access) == 0)
		return fd;
	err = errno;
	(void)close(fd);
	errno = err;
	return -1;
}

/* A directory that is none of this user's business stays closed. */
static bool
none_of_ours(const struct tree *t)
{
	return (errno == EACCES || errno == EROFS) && geteuid() != 0 &&
	       geteuid() != t->owner;
}

static int
open_rows(struct tree *t, int dir, void *base, const struct tree_row *rows,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int *keep = tree_slot(base, &rows[i]), fd = -1;

		if (!rows[i].fluid || t->lock == -1 ||
		    tree_finish_renewal(t, dir, rows[i].path) == 0)
			fd = open_made(t, dir, rows[i].path, rows[i].access);
		if (fd == -1 && none_of_ours(t))
			continue;
		if (fd == -1)
			return (int)i;
		if (keep != NULL)
			*keep = fd;
		else
			(void)close(fd);
	}
	return -1;
}

static gid_t
group_of(const char *name)
{
	struct account a;

	return geteuid() == 0 && account_group(name, &a) == 0 ? a.gid
							      : (gid_t)-1;
}

/* Only root can give a directory there to somebody, so it did. */
static bool
given_by_root(int root)
{
	struct stat st;

	return fstatat(root, "..", &st, 0) == 0 && st.st_uid == 0 &&
	       (st.st_mode & 022) == 0;
}

static int
take_owner(struct tree *t, bool made)
{
	struct account owner;
	struct stat st;
	bool mine;

	if (fstat(t->root, &st) == -1)
		return -1;
	t->owner = st.st_uid;
	mine = st.st_uid == geteuid() || st.st_uid == 0;
	if (mine && !(made && geteuid() == 0))
		return 0;
	if (account_user(OWNER_NAME, &owner) == 0) {
		if (made && geteuid() == 0)
			t->owner = owner.uid;
		mine = mine || st.st_uid == owner.uid;
	}
	if (mine || given_by_root(t->root))
		return 0;
	errno = EPERM;
	return -1;
}

/* What lies above SPOOL is no secret of ours: others must get through. */
static int
make_root(const char *path)
{
	char above[PATH_MAX];
	char *slash;

	(void)strlcpy(above, path, sizeof(above));
	slash = strrchr(above, '/');
	if (slash != NULL && slash != above) {
		*slash = '\0';
		if (spool_make(AT_FDCWD, above, MODE_ABOVE) == -1)
			return -1;
	}
	return spool_make(AT_FDCWD, path, MODE_OWN);
}

/* Only its owner and group are said here: the rest is settled at each open. */
static int
give(const char *path, const struct account *to)
{
	gid_t group = group_of(GROUP_NAME);
	int fd = spool_dir(AT_FDCWD, path), rc;

	if (fd == -1)
		return -1;
	rc = sys_fchown(fd, to->uid, group != (gid_t)-1 ? group : to->gid);
	(void)close(fd);
	return rc;
}

int
tree_begin(const char *path, const char *user)
{
	struct account to;

	if (user[0] == '\0' || geteuid() != 0 || access(path, F_OK) == 0)
		return 0;
	/* Whoever starts as that user says that there is none. */
	if (account_user(user, &to) == -1 || to.uid == 0)
		return 0;
	return make_root(path) == -1 ? -1 : give(path, &to);
}

/* A submitter may pass through SPOOL but not read it: O_PATH is enough. */
static int
open_root(struct tree *t, const char *path)
{
	bool made = false;

	t->root = spool_dir(AT_FDCWD, path);
	if (t->root == -1 && errno == ENOENT) {
		if (make_root(path) == -1)
			return -1;
		made = true;
		t->root = spool_dir(AT_FDCWD, path);
	}
	if (t->root == -1 && errno == EACCES)
		t->root = sys_openat(AT_FDCWD, path,
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (t->root == -1 || take_owner(t, made) == -1)
		return -1;
	if (settle_rights(t, t->root, TREE_PASS) == 0)
		return 0;
	/* Our own, but closed to us: what an O_PATH descriptor answers would
	 * tell nobody why. */
	if (errno == EBADF)
		errno = EACCES;
	return -1;
}

static int
open_queue(struct tree *t, struct queue_tree *q, const char *name, char *why)
{
	int bad;

	(void)snprintf(why, PATH_MAX, "%.3900s/%.64s", t->path, name);
	if (!key_queue_valid(name)) {
		errno = EINVAL;
		return -1;
	}
	(void)strlcpy(q->name, name, sizeof(q->name));
	q->tree = t;
	q->base = open_made(t, t->root, name, TREE_PASS);
	if (q->base == -1)
		return none_of_ours(t) ? 0 : -1;
	bad = open_rows(t, q->base, q, queue_rows, QUEUE_ROWS);
	if (bad == -1)
		return 0;
	(void)snprintf(why, PATH_MAX, "%.3900s/%.64s/%s", t->path, name,
	    queue_rows[bad].path);
	return -1;
}

static int
open_queues(struct tree *t, const char *const *names, size_t count, char *why)
{
	t->queues = xcalloc(count, sizeof(t->queues[0]));
	for (size_t i = 0; i < count; i++) {
		t->queues[i].base = -1;
		set_slots(&t->queues[i], queue_rows, QUEUE_ROWS);
	}
	for (; t->queue_count < count; t->queue_count++)
		if (open_queue(t, &t->queues[t->queue_count],
			names[t->queue_count], why) == -1) {
			t->queue_count++;
			return -1;
		}
	return 0;
}

/* Rows from first to before end of SPOOL itself. */
static int
open_some(struct tree *t, size_t first, size_t end, char *why)
{
	const struct tree_row *rows = tree_rows + first;
	int bad = open_rows(t, t->root, t, rows, end - first);

	if (bad == -1)
		return 0;
	(void)snprintf(why, PATH_MAX, "%.3900s/%s", t->path, rows[bad].path);
	return -1;
}

static int
open_all(struct tree *t, const char *const *queues, size_t count, char *why)
{
	(void)strlcpy(why, t->path, PATH_MAX);
	if (open_root(t, t->path) == -1 ||
	    open_some(t, 0, TREE_EARLY, why) == -1)
		return -1;
	/* Another process may be renewing a directory: in the middle of that
	 * its children seem to be missing. */
	if (tree_lock(t, &t->lock) == -1 ||
	    open_some(t, TREE_EARLY, TREE_ROWS, why) == -1)
		return -1;
	return open_queues(t, queues, count, why);
}

int
tree_open(struct tree *t, const char *path, const char *const *queues,
    size_t count, char *why)
{
	int opened, err;

	*t = (struct tree){.root = -1, .lock = -1, .owner = geteuid()};
	t->group = group_of(GROUP_NAME);
	t->submit = group_of(SUBMIT_NAME);
	set_slots(t, tree_rows, TREE_ROWS);
	if (strlcpy(t->path, path, sizeof(t->path)) >= sizeof(t->path)) {
		(void)strlcpy(why, path, PATH_MAX);
		errno = ENAMETOOLONG;
		return -1;
	}
	opened = open_all(t, queues, count, why);
	err = errno;
	tree_unlock(t->lock);
	t->lock = -1;
	if (opened == -1)
		tree_close(t);
	errno = err;
	return opened;
}

void
tree_close(struct tree *t)
{
	for (size_t i = 0; i < t->queue_count; i++) {
		close_slots(&t->queues[i], queue_rows, QUEUE_ROWS);
		close_fd(&t->queues[i].base);
	}
	free(t->queues);
	t->queues = NULL;
	t->queue_count = 0;
	close_slots(t, tree_rows, TREE_ROWS);
	close_fd(&t->root);
}

struct queue_tree *
tree_queue(struct tree *t, const char *name)
{
	for (size_t i = 0; i < t->queue_count; i++)
		if (strcmp(t->queues[i].name, name) == 0)
			return &t->queues[i];
	return NULL;
}

int
tree_state(struct tree *t, const char *name, int *tmp)
{
	int dir = open_made(t, t->state, name, TREE_OWN), err;

	*tmp = -1;
	if (dir == -1)
		return -1;
	*tmp = open_made(t, dir, "tmp", TREE_OWN);
	if (*tmp != -1)
		return dir;
	err = errno;
	(void)close(dir);
	errno = err;
	return -1;
}
