/* SPDX-License-Identifier: ISC */
/* The workspace, the staging place and the transaction directories. */
#include <sys/statvfs.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/spool.h"
#include "common/sys.h"
#include "executor/foreign.h"
#include "executor/stage.h"
#include "executor/subtree.h"
#include "executor/xattr.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DROP ".drop-"

int
workspace_open(struct workspace *w, const char *path)
{
	w->fd = -1;
	if (realpath(path, w->path) == NULL)
		return -1;
	w->fd = open(w->path, DIR_FLAGS);
	if (w->fd == -1)
		return -1;
	return fstat(w->fd, &w->st);
}

bool
workspace_is_there(const struct workspace *w)
{
	struct stat st;

	return stat(w->path, &st) == 0 && st.st_dev == w->st.st_dev &&
	       st.st_ino == w->st.st_ino;
}

bool
workspace_is_writable(const struct workspace *w)
{
	struct statvfs v;

	return fstatvfs(w->fd, &v) == -1 || (v.f_flag & ST_RDONLY) == 0;
}

void
workspace_close(struct workspace *w)
{
	if (w->fd != -1)
		(void)close(w->fd);
	w->fd = -1;
}

#define TRIAL ".patchflow-trial"

/* What a trial that was killed half-way has left on either side. */
static int
sweep_trial(int place, const struct workspace *w)
{
	if (sys_unlinkat(place, TRIAL, 0) == -1 && errno != ENOENT)
		return -1;
	return sys_unlinkat(w->fd, TRIAL, 0) == -1 && errno != ENOENT ? -1 : 0;
}

/* A rename across a mount point fails even within one filesystem, so only a
 * real one tells. The workspace's own times are put back. */
static int
trial_rename(int place, const struct workspace *w)
{
	struct timespec ts[2];
	struct stat st;
	int fd, answer, saved, swept = -1;

	if (fstat(w->fd, &st) == -1)
		return -1;
	fd = sys_openat(place, TRIAL, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return -1;
	(void)close(fd);
	answer = sys_renameat2(place, TRIAL, w->fd, TRIAL, RENAME_NOREPLACE);
	saved = errno;
	ts[0] = st.st_atim;
	ts[1] = st.st_mtim;
	/* Twice: a moment's error leaves nothing in somebody's directory. */
	for (int i = 0; i < 2 && swept == -1; i++)
		swept = sweep_trial(place, w);
	if (swept == -1 || sys_utimensat(w->fd, ".", ts) == -1)
		return -1;
	errno = saved;
	return answer;
}

/* A rename that was proven fails once one of them is mounted anew, as a bind
 * mount of itself. */
static bool
is_one_mount(int a, int b)
{
	struct statx x, y;

	return statx(a, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 &&
	       statx(b, "", AT_EMPTY_PATH, STATX_MNT_ID, &y) == 0 &&
	       (x.stx_mask & y.stx_mask & STATX_MNT_ID) != 0 &&
	       x.stx_mnt_id == y.stx_mnt_id;
}

int
place_open(struct place *p, const char *path, const struct workspace *w,
    bool proven)
{
	int saved;

	strlcpy(p->path, path, sizeof(p->path));
	p->dir = -1;
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return -1;
	p->dir = open(path, DIR_FLAGS);
	if (p->dir != -1 && sweep_trial(p->dir, w) == 0 &&
	    ((proven && is_one_mount(p->dir, w->fd)) ||
		trial_rename(p->dir, w) == 0))
		return 0;
	saved = errno;
	place_close(p);
	/* Leaves no empty directory beside the workspace. */
	(void)rmdir(path);
	errno = saved;
	return -1;
}

void
place_close(struct place *p)
{
	if (p->dir != -1)
		(void)close(p->dir);
	p->dir = -1;
}

static int
open_parts(struct txn *t)
{
	t->upper = openat(t->dir, "upper", DIR_FLAGS);
	t->new = openat(t->dir, "new", DIR_FLAGS);
	t->old = openat(t->dir, "old", DIR_FLAGS);
	t->tmp = openat(t->dir, "tmp", DIR_FLAGS);
	return t->upper == -1 || t->new == -1 || t->old == -1 || t->tmp == -1
		   ? -1
		   : 0;
}

void
txn_reset(struct txn *t)
{
	t->dir = t->upper = t->new = t->old = t->tmp = -1;
}

static void
begin(struct txn *t, const struct place *p, const char *name)
{
	strlcpy(t->name, name, sizeof(t->name));
	t->place = p->dir;
	txn_reset(t);
}

/* The merged root shows upper's own attributes. A workspace that is not ours
 * can only be cloned, and the clone is. */
static int
dress_upper(int upper, const struct workspace *w)
{
	if ((w->st.st_uid != geteuid() || w->st.st_gid != getegid()) &&
	    sys_fchown(upper, w->st.st_uid, w->st.st_gid) == -1 &&
	    (errno != EPERM || !foreign_is(&w->st)))
		return -1;
	if (xattr_copy(w->fd, upper) == -1)
		return -1;
	return sys_fchmod(upper, w->st.st_mode & 07777);
}

int
txn_create(struct txn *t, const struct place *p, const char *name,
    const struct workspace *w)
{
	static const char *const parts[] = {"upper", "new", "old", "tmp"};

	begin(t, p, name);
	if (sys_mkdirat(p->dir, name, 0700) == -1)
		return -1;
	t->dir = openat(p->dir, name, DIR_FLAGS);
	if (t->dir == -1)
		return -1;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (sys_mkdirat(t->dir, parts[i], 0700) == -1)
			return -1;
	}
	if (open_parts(t) == -1)
		return -1;
	return dress_upper(t->upper, w);
}

int
txn_add_work(const struct txn *t)
{
	return sys_mkdirat(t->dir, "work", 0700);
}

int
txn_open(struct txn *t, const struct place *p, const char *name)
{
	begin(t, p, name);
	t->dir = openat(p->dir, name, DIR_FLAGS);
	if (t->dir == -1)
		return -1;
	return open_parts(t);
}

void
txn_close(struct txn *t)
{
	int *fds[] = {&t->dir, &t->upper, &t->new, &t->old, &t->tmp};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] != -1)
			(void)close(*fds[i]);
		*fds[i] = -1;
	}
}

int
txn_drop(const struct place *p, const char *name)
{
	char gone[NAME_SIZE + 16];

	if (snprintf(gone, sizeof(gone), DROP "%s", name) < 0)
		return -1;
	if (subtree_remove(p->dir, gone) == -1)
		return -1;
	if (sys_renameat2(p->dir, name, p->dir, gone, RENAME_NOREPLACE) == -1)
		return errno == ENOENT ? 0 : -1;
	return subtree_remove(p->dir, gone);
}

/* Only people can help there. It is out of the way, and holds nothing up. */
static bool
is_stuck(const struct place *p, const char *name)
{
	if (errno != EPERM && errno != EBUSY && errno != EXDEV)
		return false;
	log_warn("%s/%s: not removed", p->path, name);
	return true;
}

int
txn_sweep(const struct place *p)
{
	int fd = openat(p->dir, ".", DIR_FLAGS);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int answer = 0;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, DROP, strlen(DROP)) == 0 &&
		    subtree_remove(p->dir, e->d_name) == -1 &&
		    !is_stuck(p, e->d_name))
			answer = -1;
	}
	(void)closedir(d);
	return answer;
}
