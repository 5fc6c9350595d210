/* SPDX-License-Identifier: ISC */
/*
 * Making and opening the spool's directories. Two tables hold every path; a
 * row whose parent is not open yet would be a hole for a planted symlink, so
 * parents stand before their children.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/spool.h"
#include "common/sys.h"
#include "common/tree.h"

#define OWNER_NAME "patchflow"
#define GROUP_NAME "patchflow"
#define SUBMIT_NAME "patchflow-submit"
#define MODE_ABOVE 0755
#define MODE_OWN 02750
#define MODE_PASS 02751 /* submitters pass through, and see nothing */
#define MODE_DROP 03770

enum access { OWN, PASS, DROP };

struct row {
	const char *path;
	size_t offset; /* of the descriptor; NO_FD: only made and checked */
	enum access access;
};

#define NO_FD SIZE_MAX
#define IN_TREE(field) offsetof(struct tree, field)
#define IN_QUEUE(field) offsetof(struct queue_tree, field)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct row tree_rows[] = {
    {"inbox", NO_FD, PASS},
    {"inbox/tmp", IN_TREE(inbox.dir[BOX_TMP]), DROP},
    {"inbox/new", IN_TREE(inbox.dir[BOX_NEW]), DROP},
    {"inbox/cur", IN_TREE(inbox.dir[BOX_CUR]), OWN},
    {"inbox/done", IN_TREE(inbox.dir[BOX_DONE]), OWN},
    {"alerts", NO_FD, PASS},
    {"alerts/tmp", IN_TREE(alerts.dir[BOX_TMP]), DROP},
    {"alerts/new", IN_TREE(alerts.dir[BOX_NEW]), DROP},
    {"alerts/cur", IN_TREE(alerts.dir[BOX_CUR]), OWN},
    {"alerts/done", IN_TREE(alerts.dir[BOX_DONE]), OWN},
    {"alerts/dead", IN_TREE(alerts_dead), OWN},
    {"alerts/requests", IN_TREE(alerts_requests), OWN},
    {"bad", IN_TREE(bad), OWN},
    {"corrupt", IN_TREE(corrupt), OWN},
    {"ids", IN_TREE(ids), OWN},
    {"ids/pending", IN_TREE(ids_pending), OWN},
    {"journal", IN_TREE(journal), OWN},
    {"state", IN_TREE(state), OWN},
    {"run", IN_TREE(run), OWN},
};

static const struct row queue_rows[] = {
    {"patches", IN_QUEUE(dir[Q_PATCHES]), OWN},
    {"patches/.held", IN_QUEUE(dir[Q_HELD]), OWN},
    {"patches/.running", IN_QUEUE(dir[Q_RUNNING]), OWN},
    {"patches/.completed", IN_QUEUE(dir[Q_COMPLETED]), OWN},
    {"patches/.failed", IN_QUEUE(dir[Q_FAILED]), OWN},
    {"patches/.archive", IN_QUEUE(dir[Q_ARCHIVE]), OWN},
    {"patches/.tmp", IN_QUEUE(dir[Q_TMP]), OWN},
    {"requests", NO_FD, OWN},
    {"requests/tmp", IN_QUEUE(requests.dir[BOX_TMP]), OWN},
    {"requests/new", IN_QUEUE(requests.dir[BOX_NEW]), OWN},
    {"requests/cur", IN_QUEUE(requests.dir[BOX_CUR]), OWN},
    {"requests/done", IN_QUEUE(requests.dir[BOX_DONE]), OWN},
    {"outcomes", NO_FD, OWN},
    {"outcomes/tmp", IN_QUEUE(outcomes.dir[BOX_TMP]), OWN},
    {"outcomes/new", IN_QUEUE(outcomes.dir[BOX_NEW]), OWN},
    {"outcomes/cur", IN_QUEUE(outcomes.dir[BOX_CUR]), OWN},
    {"outcomes/done", IN_QUEUE(outcomes.dir[BOX_DONE]), OWN},
    {"summaries", IN_QUEUE(summaries[S_READY]), OWN},
    {"summaries/.tmp", IN_QUEUE(summaries[S_TMP]), OWN},
    {"summaries/.completed", IN_QUEUE(summaries[S_COMPLETED]), OWN},
    {"summaries/.failed", IN_QUEUE(summaries[S_FAILED]), OWN},
    {"summaries/.backup", IN_QUEUE(summaries[S_BACKUP]), OWN},
};

const char *const queue_dir_path[Q__MAX] = {
    [Q_PATCHES] = "patches",
    [Q_HELD] = "patches/.held",
    [Q_RUNNING] = "patches/.running",
    [Q_COMPLETED] = "patches/.completed",
    [Q_FAILED] = "patches/.failed",
    [Q_ARCHIVE] = "patches/.archive",
    [Q_TMP] = "patches/.tmp",
};

const char *const queue_dir_state[Q__MAX] = {
    [Q_PATCHES] = "queued",
    [Q_HELD] = "held",
    [Q_RUNNING] = "running",
    [Q_COMPLETED] = "completed",
    [Q_FAILED] = "failed",
    [Q_ARCHIVE] = "archived",
    [Q_TMP] = "",
};

const char *const box_dir_name[BOX__MAX] = {
    [BOX_TMP] = "tmp",
    [BOX_NEW] = "new",
    [BOX_CUR] = "cur",
    [BOX_DONE] = "done",
};

const char *const summary_dir_path[S__MAX] = {
    [S_READY] = "summaries",
    [S_TMP] = "summaries/.tmp",
    [S_COMPLETED] = "summaries/.completed",
    [S_FAILED] = "summaries/.failed",
    [S_BACKUP] = "summaries/.backup",
};

static int *
slot(void *base, const struct row *row)
{
	return row->offset == NO_FD ? NULL
				    : (void *)((char *)base + row->offset);
}

static void
set_slots(void *base, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].offset != NO_FD)
			*slot(base, &rows[i]) = -1;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

static void
close_slots(void *base, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].offset != NO_FD)
			close_fd(slot(base, &rows[i]));
}

static mode_t
mode_of(const struct tree *t, enum access access)
{
	if (t->submit == (gid_t)-1 && access == PASS)
		return MODE_OWN;
	return access == DROP   ? MODE_DROP
	       : access == PASS ? MODE_PASS
				: MODE_OWN;
}

/* Refuses a foreign directory; gives our own its owner, group and mode. */
static int
settle_rights(const struct tree *t, int fd, enum access access)
{
	gid_t group = access == DROP ? t->submit : t->group;
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
	if ((st.st_mode & 07777) == mode)
		return 0;
	return sys_fchmod(fd, mode);
}

/* The descriptor of a directory that is there with its rights, or -1. */
static int
open_made(const struct tree *t, int base, const char *path, enum access access)
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
open_rows(struct tree *t, int dir, void *base, const struct row *rows,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int fd = open_made(t, dir, rows[i].path, rows[i].access);
		int *keep = slot(base, &rows[i]);

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
	struct group *g = geteuid() == 0 ? getgrnam(name) : NULL;

	return g == NULL ? (gid_t)-1 : g->gr_gid;
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
	struct passwd *p = getpwnam(OWNER_NAME);
	struct stat st;

	if (fstat(t->root, &st) == -1)
		return -1;
	t->owner = st.st_uid;
	if (made && geteuid() == 0 && p != NULL)
		t->owner = p->pw_uid;
	if (st.st_uid == geteuid() || st.st_uid == 0 ||
	    (p != NULL && st.st_uid == p->pw_uid) || given_by_root(t->root))
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
	return settle_rights(t, t->root, PASS);
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
	q->base = open_made(t, t->root, name, OWN);
	if (q->base == -1)
		return none_of_ours(t) ? 0 : -1;
	bad = open_rows(t, q->base, q, queue_rows, COUNT(queue_rows));
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
		set_slots(&t->queues[i], queue_rows, COUNT(queue_rows));
	}
	for (; t->queue_count < count; t->queue_count++)
		if (open_queue(t, &t->queues[t->queue_count],
			names[t->queue_count], why) == -1) {
			t->queue_count++;
			return -1;
		}
	return 0;
}

static int
open_all(struct tree *t, const char *const *queues, size_t count, char *why)
{
	int bad;

	(void)strlcpy(why, t->path, PATH_MAX);
	if (open_root(t, t->path) == -1)
		return -1;
	bad = open_rows(t, t->root, t, tree_rows, COUNT(tree_rows));
	if (bad != -1) {
		(void)snprintf(why, PATH_MAX, "%.3900s/%s", t->path,
		    tree_rows[bad].path);
		return -1;
	}
	return open_queues(t, queues, count, why);
}

int
tree_open(struct tree *t, const char *path, const char *const *queues,
    size_t count, char *why)
{
	int err;

	*t = (struct tree){.root = -1, .owner = geteuid()};
	t->group = group_of(GROUP_NAME);
	t->submit = group_of(SUBMIT_NAME);
	set_slots(t, tree_rows, COUNT(tree_rows));
	if (strlcpy(t->path, path, sizeof(t->path)) >= sizeof(t->path)) {
		(void)strlcpy(why, path, PATH_MAX);
		errno = ENAMETOOLONG;
		return -1;
	}
	if (open_all(t, queues, count, why) == 0)
		return 0;
	err = errno;
	tree_close(t);
	errno = err;
	return -1;
}

void
tree_close(struct tree *t)
{
	for (size_t i = 0; i < t->queue_count; i++) {
		close_slots(&t->queues[i], queue_rows, COUNT(queue_rows));
		close_fd(&t->queues[i].base);
	}
	free(t->queues);
	t->queues = NULL;
	t->queue_count = 0;
	close_slots(t, tree_rows, COUNT(tree_rows));
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
	int dir = open_made(t, t->state, name, OWN), err;

	*tmp = -1;
	if (dir == -1)
		return -1;
	*tmp = open_made(t, dir, "tmp", OWN);
	if (*tmp != -1)
		return dir;
	err = errno;
	(void)close(dir);
	errno = err;
	return -1;
}
