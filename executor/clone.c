/* SPDX-License-Identifier: ISC */
/*
 * The whole workspace below upper, for the modes without an overlay. The last
 * thing made is a mark whose ctime parts what was copied from what commands
 * change later: no program can set a ctime back, but who sets the clock.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/spool.h"
#include "common/sys.h"
#include "executor/clone.h"
#include "executor/instant.h"
#include "executor/foreign.h"
#include "executor/report.h"
#include "executor/subtree.h"
#include "executor/xattr.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define TELL_EVERY 1000
#define TICK_NS 10000000 /* longer than the filesystem's clock stands still */

struct clone {
	int report;
	struct buf dirs;    /* path of the directory that is being copied */
	struct buf foreign; /* foreign.h */
	struct buf known;   /* each directory: clone.h */
	size_t seen;
	bool exact; /* owners can be given */
};

static int copy_inside(struct clone *c, int in, int out);

/* A user's clone is his own; diff_copy knows. */
static int
dress(const struct clone *c, int fd, const struct stat *st)
{
	const struct timespec ts[2] = {st->st_atim, st->st_mtim};

	if (c->exact && sys_fchown(fd, st->st_uid, st->st_gid) == -1)
		return -1;
	return sys_fchmod(fd, st->st_mode & 07777) == -1 ? -1
							 : futimens(fd, ts);
}

static int
copy_open(struct clone *c, int in, int out, const struct stat *st)
{
	int answer = -1;

	if (in != -1 && out != -1 && xattr_copy(in, out) == 0)
		answer = S_ISDIR(st->st_mode) ? copy_inside(c, in, out)
					      : subtree_copy_bytes(in, out);
	/* Filling a directory moves its times: they come last. */
	if (answer == 0)
		answer = dress(c, out, st);
	if (in != -1)
		(void)close(in);
	if (out != -1)
		(void)close(out);
	return answer;
}

static int
copy_link(struct clone *c, int in, int out, const char *name,
    const struct stat *st)
{
	const struct timespec ts[2] = {st->st_atim, st->st_mtim};
	char target[4096];
	ssize_t n = readlinkat(in, name, target, sizeof(target) - 1);

	if (n == -1)
		return -1;
	target[n] = '\0';
	if (sys_symlinkat(target, out, name) == -1 ||
	    (c->exact && fchownat(out, name, st->st_uid, st->st_gid,
			     AT_SYMLINK_NOFOLLOW) == -1))
		return -1;
	return utimensat(out, name, ts, AT_SYMLINK_NOFOLLOW);
}

/* Sockets and devices are left out, and diff_copy takes them for untouched
 * as long as their directory is. */
static int
copy_entry(struct clone *c, int in, int out, const char *name)
{
	struct stat st;

	if (fstatat(in, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (S_ISREG(st.st_mode))
		return copy_open(c,
		    openat(in, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC),
		    sys_openat(out, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600),
		    &st);
	if (S_ISDIR(st.st_mode)) {
		if (sys_mkdirat(out, name, 0700) == -1)
			return -1;
		return copy_open(c, openat(in, name, DIR_FLAGS),
		    openat(out, name, DIR_FLAGS), &st);
	}
	if (S_ISLNK(st.st_mode))
		return copy_link(c, in, out, name, &st);
	if (S_ISFIFO(st.st_mode))
		return mkfifoat(out, name, st.st_mode & 07777);
	return 0;
}

/* What is not as it was, for diff_copy. */
static int
note(struct clone *c, int in, int out, const char *name)
{
	struct stat st, now;

	if (fstatat(in, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    fstatat(out, name, &now, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (S_ISDIR(now.st_mode) &&
	    foreign_note(&c->known, out, name, c->dirs.bytes) == -1)
		return -1;
	if (!foreign_is(&st) && !foreign_is_privileged(in, name, &st))
		return 0;
	return foreign_note(&c->foreign, out, name, c->dirs.bytes);
}

/* The directory that is being filled. */
struct level {
	struct clone *clone;
	int out;
};

static int
copy_named(void *owner, int in, const char *name)
{
	const struct level *l = owner;
	struct clone *c = l->clone;
	size_t mark = c->dirs.len;
	int answer;

	if (mark > 0)
		buf_putc(&c->dirs, '/');
	buf_puts(&c->dirs, name);
	if (++c->seen % TELL_EVERY == 0)
		report_text(c->report, "progress", "copying the workspace");
	/* Our own staging place, where it lies in the workspace. */
	if (strcmp(c->dirs.bytes, ".patchflow") == 0)
		answer = 0;
	else
		answer = copy_entry(c, in, l->out, name) == -1
			     ? -1
			     : note(c, in, l->out, name);
	/* On failure the path stays, for the message. */
	if (answer == 0) {
		c->dirs.len = mark;
		c->dirs.bytes[mark] = '\0';
	}
	return answer;
}

static int
copy_inside(struct clone *c, int in, int out)
{
	return subtree_each(openat(in, ".", DIR_FLAGS), copy_named,
	    &(struct level){c, out});
}

/* In the transaction, which upper lies in. */
static int
make_mark(int upper)
{
	const struct timespec tick = {0, TICK_NS};
	char text[32];
	int fd, answer;

	(void)nanosleep(&tick, NULL);
	fd = sys_openat(upper, "../" CLONE_MARK,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	(void)snprintf(text, sizeof(text), "%lld",
	    (long long)instant_ahead_us());
	answer = spool_write(fd, text, strlen(text));
	(void)close(fd);
	(void)nanosleep(&tick, NULL);
	return answer;
}

static int
write_notes(const struct buf *notes, int upper, const char *where)
{
	int fd, answer;

	if (notes->len == 0)
		return 0;
	fd = sys_openat(upper, where, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return -1;
	answer = spool_write(fd, notes->bytes, notes->len);
	(void)close(fd);
	return answer;
}

static void
fail_clone(const struct clone *c, int workspace, int report)
{
	struct fault f = {0};
	int saved = errno;

	if (saved != EACCES || c->dirs.len == 0 ||
	    foreign_explain(workspace, c->dirs.bytes, false, &f) == 0) {
		errno = saved;
		(void)fault_errno(&f, OUTCOME_PREPARE,
		    "copying the workspace: %s", c->dirs.bytes);
	}
	report_fault(report, &f);
	fault_free(&f);
}

int
clone_workspace(void *owner, int workspace, int upper, int report)
{
	struct clone c = {.report = report, .exact = geteuid() == 0};
	struct stat st;
	int answer;

	(void)owner;
	buf_puts(&c.dirs, "");
	answer = xattr_copy(workspace, upper) == 0
		     ? copy_inside(&c, workspace, upper)
		     : -1;
	/* Its owner and mode are its own already. */
	if (answer == 0 && fstat(workspace, &st) == 0) {
		const struct timespec ts[2] = {st.st_atim, st.st_mtim};

		answer =
		    futimens(upper, ts) == -1 ||
			    write_notes(&c.foreign, upper,
				"../" FOREIGN_LIST) == -1 ||
			    write_notes(&c.known, upper, "../" CLONE_DIRS) == -1
			? -1
			: make_mark(upper);
	}
	if (answer == -1)
		fail_clone(&c, workspace, report);
	buf_free(&c.foreign);
	buf_free(&c.known);
	buf_free(&c.dirs);
	return answer;
}
