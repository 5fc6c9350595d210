/* SPDX-License-Identifier: ISC */
/* Taking git's locks by links, and giving them back. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/spool.h"
#include "common/sys.h"
#include "executor/beneath.h"
#include "executor/gitlock.h"
#include "executor/gitpart.h"

#define INDEX_LOCK ".git/index.lock"
#define HEAD_NUMBER "HEAD" /* of its lock, among those of operations */
#define LOCKS "locks"
#define WAIT_MS 5000
#define LOOK_MS 25

static int
refuse(const char *path, struct fault *f)
{
	(void)fault_fail(f, OUTCOME_CONFLICT,
	    "another git holds %s for more than %d s", path, WAIT_MS / 1000);
	fault_hint(f, "if none is running, a crashed one has left it: remove "
		      "it");
	f->temporary = true;
	return -1;
}

/* False: the time is up. */
static bool
pause_until(struct executor *ex, int64_t deadline)
{
	if (clock_mono_ms() >= deadline)
		return false;
	(void)poll(NULL, 0, LOOK_MS);
	executor_beat(ex);
	return true;
}

int
gitlock_wait(struct executor *ex, struct fault *f)
{
	int64_t deadline = clock_mono_ms() + WAIT_MS;
	struct stat st;

	while (beneath_stat(ex->workspace.fd, INDEX_LOCK, &st) == 1) {
		if (!pause_until(ex, deadline))
			return refuse(INDEX_LOCK, f);
	}
	return 0;
}

/* What git itself locks before it writes: the index, HEAD, references; of
 * any repository in the workspace. */
static bool
is_lockable(const char *path)
{
	static const char *const files[] = {"index", "HEAD", "packed-refs"};
	const char *git =
	    strncmp(path, ".git/", 5) == 0 ? path : strstr(path, "/.git/");
	const char *base = strrchr(path, '/');

	if (git == NULL || base == NULL || strstr(git, "/logs/") != NULL ||
	    strstr(git, "/objects/") != NULL)
		return false;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(base + 1, files[i]) == 0)
			return true;
	}
	return strstr(git, "/refs/") != NULL;
}

/* What the link says: its transaction and its own path. */
static char *
make_text(const struct txn *t, const char *path)
{
	return xasprintf("patchflow %s %s.lock", t->name, path);
}

/* The path in such a text; NULL: it is no text of ours. */
static const char *
path_in(const struct txn *t, const char *text)
{
	size_t len = strlen(t->name);

	if (strncmp(text, "patchflow ", 10) != 0 ||
	    strncmp(text + 10, t->name, len) != 0 || text[10 + len] != ' ')
		return NULL;
	return text + 10 + len + 1;
}

/* 1 taken, 0 it cannot be had here, -1 with errno; EEXIST: somebody has it.
 * Where links cannot be made, and where the directory is missing or not ours
 * to write, the checks of the commit decide. */
static int
try_lock(struct executor *ex, const char *path, const char *text)
{
	const char *name;
	int dir = beneath_parent(ex->workspace.fd, path, &name);
	int answer, saved;

	if (dir == -1)
		return errno == EMFILE || errno == ENFILE || errno == EIO ? -1
									  : 0;
	answer = sys_symlinkat(text, dir, name) == 0 ? 1 : -1;
	saved = errno;
	(void)close(dir);
	errno = saved;
	if (answer == -1 &&
	    (saved == EPERM || saved == EOPNOTSUPP || saved == EACCES ||
		saved == EROFS || saved == ENAMETOOLONG))
		return 0;
	return answer;
}

static int
take_one(struct executor *ex, const char *text, const char *path,
    int64_t deadline, struct fault *f)
{
	while (try_lock(ex, path, text) == -1) {
		if (errno != EEXIST)
			return fault_errno(f, OUTCOME_PREPARE, "locking %s",
			    path);
		if (!pause_until(ex, deadline))
			return refuse(path, f);
	}
	return 0;
}

/* What is to be taken, and until when that is tried. */
struct taking {
	struct executor *ex;
	const struct txn *t;
	int64_t deadline;
	struct fault *f;
};

/* Noted first: what is there after a crash is known. */
static int
note_and_take(const struct taking *k, const char *path, const char *number)
{
	int dir = spool_dir(k->t->dir, LOCKS);
	char *text = make_text(k->t, path);
	int answer = -1;

	if (dir == -1 ||
	    (sys_symlinkat(text, dir, number) == -1 && errno != EPERM &&
		errno != EOPNOTSUPP && errno != ENAMETOOLONG))
		(void)fault_errno(k->f, OUTCOME_PREPARE, "noting a lock");
	else
		answer = take_one(k->ex, text, path_in(k->t, text), k->deadline,
		    k->f);
	if (dir != -1)
		(void)close(dir);
	free(text);
	return answer;
}

static int
take_of(const struct taking *k, const struct op *o)
{
	char number[32];

	(void)snprintf(number, sizeof(number), "%zu", o->n);
	return note_and_take(k, o->path, number);
}

bool
gitlock_adds_head(const struct ops *ops)
{
	bool own = false;

	for (size_t i = 0; i < ops->count; i++) {
		const struct op *o = &ops->items[i];

		if (strcmp(o->path, GITLOCK_HEAD) == 0)
			return false;
		own |= o->kind != OP_META && gitpart_is_own(o->path) &&
		       is_lockable(o->path);
	}
	return own;
}

int
gitlock_take(struct executor *ex, const struct txn *t, const struct ops *ops,
    struct fault *f)
{
	struct taking k = {ex, t, clock_mono_ms() + WAIT_MS, f};
	bool first = true;

	for (size_t i = 0; i < ops->count; i++) {
		const struct op *o = &ops->items[i];

		if (o->kind == OP_META || !is_lockable(o->path))
			continue;
		if (ex->dry.on)
			return gitlock_wait(ex, f);
		if (first && gitlock_wait(ex, f) == -1)
			return -1;
		if (first && sys_mkdirat(t->dir, LOCKS, 0700) == -1 &&
		    errno != EEXIST)
			return fault_errno(f, OUTCOME_PREPARE, "making locks");
		first = false;
		if (take_of(&k, o) == -1)
			return -1;
	}
	return gitlock_adds_head(ops)
		   ? note_and_take(&k, GITLOCK_HEAD, HEAD_NUMBER)
		   : 0;
}

static bool
is_gone(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP ||
	       error == EXDEV;
}

/* 1; 0: removed by hand, and perhaps taken by another git since; -1 with
 * errno: nobody could say, and it must not be forgotten. */
static int
is_ours(int dir, const char *name, const char *text)
{
	char live[PATH_MAX];
	ssize_t n = readlinkat(dir, name, live, sizeof(live) - 1);

	/* EINVAL: git's own is a file. */
	if (n == -1)
		return errno == EINVAL || is_gone(errno) ? 0 : -1;
	live[n] = '\0';
	return strcmp(live, text) == 0;
}

static int
remove_lock(const struct workspace *w, const char *path, const char *text)
{
	const char *name;
	int dir = beneath_parent(w->fd, path, &name);
	int answer, saved;

	if (dir == -1)
		return is_gone(errno) ? 0 : -1;
	answer = is_ours(dir, name, text);
	if (answer == 1)
		answer = sys_unlinkat(dir, name, 0);
	saved = errno;
	(void)close(dir);
	errno = saved;
	return answer;
}

static int
release_one(const struct workspace *w, const struct txn *t, int dir,
    const char *number)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(dir, number, text, sizeof(text) - 1);
	const char *path;

	if (n == -1)
		return errno == EINVAL ? 0 : -1;
	text[n] = '\0';
	path = path_in(t, text);
	if (path != NULL && remove_lock(w, path, text) == -1)
		return -1;
	return sys_unlinkat(dir, number, 0);
}

static int
release_all(const struct workspace *w, const struct txn *t, int dir)
{
	struct spool_names n = {0};
	int answer = spool_list(dir, 0, &n);

	for (size_t i = 0; i < n.count && answer == 0; i++)
		answer = release_one(w, t, dir, n.names[i]);
	spool_names_free(&n);
	return answer;
}

int
gitlock_release(const struct workspace *w, const struct txn *t)
{
	int dir = spool_dir(t->dir, LOCKS);
	int answer, saved;

	if (dir == -1)
		return is_gone(errno) ? 0 : -1;
	answer = release_all(w, t, dir);
	saved = errno;
	(void)close(dir);
	errno = saved;
	return answer == 0 ? sys_unlinkat(t->dir, LOCKS, AT_REMOVEDIR) : -1;
}
