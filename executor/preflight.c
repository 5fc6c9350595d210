/* SPDX-License-Identifier: ISC */
/*
 * Everything that could stop the roll-forward half-way, looked for before the
 * record is written: rights, flags, mounts, room; and other people's changes.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/fsinfo.h"
#include "executor/beneath.h"
#include "executor/commit.h"
#include "executor/conflict.h"
#include "executor/instant.h"
#include "executor/subtree.h"

#define ROOM_BYTES (1 << 20) /* for directory blocks and the outcome */
#define ROOM_INODES 16
#define BEAT_EVERY 100

/* One look at all operations. */
struct look {
	const struct commit *c;
	const struct ops *ops;
	struct fault *f;
};

static int
refuse(struct fault *f, const char *path, const char *why)
{
	return fault_fail(f, OUTCOME_PREPARE, "%s: %s", path, why);
}

static int
conflict(const struct look *l, const char *path, const char *why)
{
	struct conflict_look at = {.workspace = l->c->workspace,
	    .txn = l->c->txn,
	    .ops = l->c->plan != NULL ? l->ops : NULL,
	    .bases = l->c->bases};

	(void)fault_fail(l->f, OUTCOME_CONFLICT, "%s %s", path, why);
	l->f->temporary = true;
	conflict_note(&at, path, why, l->f);
	return -1;
}

static bool
is_fixed(const struct statx *x)
{
	return (x->stx_attributes &
		   (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
}

static int
check_parent(int dir, const char *path, struct statx *x, struct fault *f)
{
	if (statx(dir, "", AT_EMPTY_PATH, STATX_BASIC_STATS, x) == -1)
		return fault_errno(f, OUTCOME_PREPARE, "%s", path);
	if (is_fixed(x))
		return refuse(f, path,
		    "its directory is immutable or append-only (chattr)");
	if (faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) == -1)
		return refuse(f, path, "its directory is not writable");
	return 0;
}

/* Putting a file into place leaves its other names with the old content: right
 * only where the patch changes all of them. */
static int
check_links(const struct commit *c, const struct ops *ops, const struct op *o,
    const struct statx *x, struct fault *f)
{
	uint32_t names = 0;

	if (o->kind != OP_PUT || !S_ISREG(x->stx_mode) || x->stx_nlink < 2 ||
	    c->split_links)
		return 0;
	for (size_t i = 0; i < ops->count; i++)
		names += ops->items[i].kind != OP_META &&
			 ops->items[i].old_ino == o->old_ino;
	if (names >= x->stx_nlink)
		return 0;
	(void)refuse(f, o->path,
	    "it has other names (hard links) that would keep the old content");
	fault_hint(f, "change all of its names in one patch, or let the queue "
		      "separate them: hard_links: split");
	return -1;
}

/* A directory that moves gets a new "..": that takes write permission. */
static bool
is_stuck_dir(mode_t mode)
{
	return S_ISDIR(mode) && geteuid() != 0 && (mode & 0200) == 0;
}

/* What could not be removed later, when nothing is left that would need it. */
static int
check_removable(const char *path, const struct statx *x, struct fault *f)
{
	if (is_fixed(x))
		return refuse(f, path,
		    "it is immutable or append-only (chattr)");
	if ((x->stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
		return refuse(f, path, "a filesystem is mounted on it");
	return 0;
}

static int
check_old(const struct look *l, const struct op *o, int dir, const char *name,
    const struct statx *parent)
{
	struct fault *f = l->f;
	struct statx x;

	if (statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x) == -1)
		return errno == ENOENT
			   ? conflict(l, o->path, "was removed meanwhile")
			   : fault_errno(f, OUTCOME_PREPARE, "%s", o->path);
	if (x.stx_ino != o->old_ino)
		return conflict(l, o->path, "was replaced meanwhile");
	if (check_removable(o->path, &x, f) == -1)
		return -1;
	if ((parent->stx_mode & S_ISVTX) != 0 && geteuid() != 0 &&
	    parent->stx_uid != geteuid() && x.stx_uid != geteuid())
		return refuse(f, o->path,
		    "its directory is sticky and it belongs to another user");
	if (is_stuck_dir(x.stx_mode))
		return refuse(f, o->path,
		    "a read-only directory cannot be moved away");
	return check_links(l->c, l->ops, o, &x, f);
}

static bool
is_late(const struct stat *st, const struct timespec *since)
{
	return !instant_is_after(since, &st->st_ctim);
}

/* The author has named this very content: then he knew of it. */
static bool
is_declared(const struct commit *c, const char *path)
{
	char digest[DIGEST_SIZE];

	for (size_t i = 0; i < c->plan->base_count; i++) {
		const struct plan_base *b = &c->plan->bases[i];
		int fd, failed;

		if (strcmp(b->path, path) != 0)
			continue;
		fd = beneath_open(c->workspace->fd, path, O_RDONLY);
		failed = fd == -1
			     ? -1
			     : digest_fd_told(fd, digest, c->beat, c->owner);
		if (fd != -1)
			(void)close(fd);
		return failed == 0 && strcmp(digest, b->sha256) == 0;
	}
	return false;
}

struct late {
	const struct timespec *since;
	struct fault *fault;
	char path[1024];
};

/* With a directory goes what others have mounted in there. */
static int
visit_late(struct subtree_walk *w, const struct subtree_at *at)
{
	struct late *l = w->owner;
	struct statx x;

	if (statx(at->dir, at->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		STATX_BASIC_STATS, &x) == -1)
		return -1;
	if (check_removable(at->path, &x, l->fault) == -1)
		return 2;
	if (!is_late(at->st, l->since))
		return 0;
	strlcpy(l->path, at->path, sizeof(l->path));
	return 1;
}

static int
check_late(const struct look *l, const struct op *o, int dir, const char *name)
{
	const struct commit *c = l->c;
	struct late late = {.since = &c->since, .fault = l->f};
	struct subtree_walk w = {.visit = visit_late,
	    .owner = &late,
	    .beat = c->beat,
	    .beat_owner = c->owner};
	int found;

	if (c->same_path != NULL && strcmp(c->same_path, o->path) == 0)
		return 0;
	found = subtree_walk(&w, dir, name, o->path);
	if (found == 2)
		return -1;
	if (found == -1)
		return conflict(l, o->path, "changed while it was looked at");
	if (found == 0 || is_declared(c, late.path))
		return 0;
	return conflict(l, late.path, "was changed by somebody else meanwhile");
}

/*
 * A read lease is only granted while nobody has the file open for writing.
 * Not ours to lease (another owner) is no evidence of anything. Who opens it
 * while we hold the lease breaks it: that is told by a signal, by default a
 * deadly one, so we take one that is ignored.
 */
static int
check_writers(const struct look *l, const struct op *o, int dir,
    const char *name)
{
	int fd, busy;

	if (!S_ISREG(o->old_mode))
		return 0;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return 0;
	if (fcntl(fd, F_SETSIG, SIGURG) == -1) {
		(void)close(fd);
		return 0;
	}
	busy = fcntl(fd, F_SETLEASE, F_RDLCK) == -1 && errno == EAGAIN;
	if (!busy)
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	(void)close(fd);
	return busy ? conflict(l, o->path,
			  "is open for writing by another process")
		    : 0;
}

static int
check_target(const struct look *l, const struct op *o, int dir,
    const char *name)
{
	struct fault *f = l->f;
	struct statx parent;
	struct stat st;

	if (check_parent(dir, o->path, &parent, f) == -1)
		return -1;
	if (o->kind == OP_PUT && is_stuck_dir(o->mode))
		return refuse(f, o->path,
		    "a new directory without write permission cannot be "
		    "moved into place");
	if (o->old_ino == 0)
		return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0
			   ? conflict(l, o->path,
				 "was made by somebody else meanwhile")
			   : 0;
	if (check_old(l, o, dir, name, &parent) == -1 ||
	    check_late(l, o, dir, name) == -1)
		return -1;
	return check_writers(l, o, dir, name);
}

static int
check_meta(const struct look *l, const struct op *o)
{
	struct stat st;

	if (beneath_stat(l->c->workspace->fd, o->path, &st) != 1 ||
	    st.st_ino != o->old_ino || st.st_mode != o->old_mode)
		return conflict(l, o->path, "was changed meanwhile");
	if (geteuid() != 0 && st.st_uid != geteuid())
		return refuse(l->f, o->path,
		    "only its owner can change a directory's mode");
	return 0;
}

static int
check_op(const struct look *l, const struct op *o)
{
	const struct commit *c = l->c;
	struct fault *f = l->f;
	const char *name;
	int dir, answer;

	if (o->kind == OP_META)
		return check_meta(l, o);
	dir = beneath_parent(c->workspace->fd, o->path, &name);
	if (dir == -1 && errno == EXDEV)
		return refuse(f, o->path,
		    "another filesystem is mounted "
		    "in the workspace there");
	if (dir == -1)
		return conflict(l, o->path, "lost its directory meanwhile");
	answer = check_target(l, o, dir, name);
	(void)close(dir);
	return answer;
}

static int
check_room(const struct commit *c, struct fault *f)
{
	struct fsinfo info;

	if (fsinfo_space(c->workspace->fd, &info) == -1)
		return fault_errno(f, OUTCOME_PREPARE, "reading free space");
	if (info.free_bytes >= ROOM_BYTES &&
	    (info.free_inodes == -1 || info.free_inodes >= ROOM_INODES))
		return 0;
	(void)fault_fail(f, OUTCOME_PREPARE,
	    "the workspace's filesystem is full");
	f->temporary = true;
	return -1;
}

/* Unmounted, mounted over or renamed while the patch ran: what it was made for
 * is no longer the workspace, and what is may do with another run. */
static int
check_workspace(const struct commit *c, struct fault *f)
{
	if (workspace_is_there(c->workspace))
		return 0;
	(void)fault_fail(f, OUTCOME_PREPARE,
	    "the workspace was replaced meanwhile");
	f->temporary = true;
	return -1;
}

/* What was changed since would look older than T0. */
static int
check_clock(const struct commit *c, struct fault *f)
{
	if (c->ahead_us == 0 || !instant_was_set_back(c->ahead_us))
		return 0;
	(void)fault_fail(f, OUTCOME_PREPARE,
	    "the machine's clock was set back while the patch ran, so that "
	    "what others changed meanwhile cannot be told");
	f->temporary = true;
	return -1;
}

int
commit_check(const struct commit *c, const struct ops *ops, struct fault *f)
{
	struct look l = {c, ops, f};

	if (check_workspace(c, f) == -1 || check_room(c, f) == -1 ||
	    check_clock(c, f) == -1)
		return -1;
	for (size_t i = 0; i < ops->count; i++) {
		/* A conflict tells of all paths that are in it. */
		if (check_op(&l, &ops->items[i]) == -1 &&
		    f->stage != OUTCOME_CONFLICT)
			return -1;
		if (i % BEAT_EVERY == 0 && c->beat != NULL)
			c->beat(c->owner);
	}
	return f->set ? -1 : 0;
}
