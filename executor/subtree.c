/* SPDX-License-Identifier: ISC */
/* Walking, copying and removing trees by descriptors. */
#include <sys/ioctl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/spool.h"
#include "common/sys.h"
#include "executor/beneath.h"
#include "executor/foreign.h"
#include "executor/subtree.h"
#include "executor/xattr.h"

#define BEAT_EVERY 100
#define CHUNK 65536
#define PART_MAX (1 << 30)
#define WHOLE INT64_MAX
#define BLOCK 512     /* what st_blocks counts */
#define DEPTH_MAX 500 /* levels; one descriptor is open at each */

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool
is_dots(const char *name)
{
	return name[0] == '.' &&
	       (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int
subtree_each(int fd, subtree_visit *visit, void *owner)
{
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int answer = 0, error;

	/* The end and an error look alike. */
	while (d != NULL && answer == 0 && (errno = 0, e = readdir(d)) != NULL)
		if (!is_dots(e->d_name))
			answer = visit(owner, fd, e->d_name);
	if (answer == 0 && errno != 0)
		answer = -1;
	error = errno;
	if (d != NULL)
		(void)closedir(d);
	else if (fd != -1)
		(void)close(fd);
	errno = error;
	return answer;
}

/* A directory that is being walked or removed. */
struct level {
	struct subtree_walk *walk;
	int depth;
};

static int walk_entry(struct subtree_walk *w, int dir, const char *name,
    int depth);

static int
walk_named(void *owner, int dir, const char *name)
{
	const struct level *l = owner;
	struct buf *path = &l->walk->path;
	size_t mark = path->len;
	int answer;

	if (mark > 0)
		buf_putc(path, '/');
	buf_puts(path, name);
	answer = walk_entry(l->walk, dir, name, l->depth + 1);
	path->len = mark;
	path->bytes[mark] = '\0';
	return answer;
}

static int
walk_entry(struct subtree_walk *w, int dir, const char *name, int depth)
{
	struct subtree_at at = {dir, name, w->path.bytes, NULL};
	struct stat st;
	int answer;

	if (depth > DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	at.st = &st;
	answer = w->visit(w, &at);
	if (++w->seen % BEAT_EVERY == 0 && w->beat != NULL)
		w->beat(w->beat_owner);
	if (answer == SUBTREE_SKIP)
		return 0;
	if (answer != 0 || !S_ISDIR(st.st_mode))
		return answer;
	return subtree_each(openat(dir, name, DIR_FLAGS), walk_named,
	    &(struct level){w, depth});
}

int
subtree_walk(struct subtree_walk *w, int dir, const char *name,
    const char *path)
{
	int answer;

	buf_clear(&w->path);
	buf_puts(&w->path, path);
	answer = walk_entry(w, dir, name, 0);
	buf_free(&w->path);
	return answer;
}

static int remove_at(int dir, const char *name, int depth);

static int
remove_named(void *owner, int dir, const char *name)
{
	const struct level *l = owner;
	int answer = remove_at(dir, name, l->depth + 1);

	if (answer == -1 && errno == EACCES && sys_fchmod(dir, 0700) == 0)
		answer = remove_at(dir, name, l->depth + 1);
	return answer;
}

/* Never into a filesystem that somebody has mounted there: EXDEV. */
static int
remove_inside(int dir, const char *name, int depth)
{
	int fd = beneath_open(dir, name, O_RDONLY | O_DIRECTORY);

	/* Overlay leaves work/work without any permission. */
	if (fd == -1 && errno == EACCES && sys_fchmodat(dir, name, 0700) == 0)
		fd = beneath_open(dir, name, O_RDONLY | O_DIRECTORY);
	if (fd == -1 && errno == ENOTDIR)
		errno = EPERM; /* of a file, that it may not be deleted */
	return subtree_each(fd, remove_named, &(struct level){NULL, depth});
}

static int
remove_at(int dir, const char *name, int depth)
{
	if (sys_unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (depth > DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (sys_unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (remove_inside(dir, name, depth) == -1)
		return -1;
	return sys_unlinkat(dir, name, AT_REMOVEDIR);
}

int
subtree_remove(int dir, const char *name)
{
	return remove_at(dir, name, 0);
}

/* Not every filesystem pair can do it in the kernel. */
static int
copy_by_hand(int in, int out, off_t left)
{
	char *chunk = xmalloc(CHUNK);
	ssize_t n = 0;

	while (left > 0) {
		n = read(in, chunk, left < CHUNK ? (size_t)left : CHUNK);
		if (n <= 0 || spool_write(out, chunk, (size_t)n) == -1)
			break;
		left -= n;
	}
	free(chunk);
	return left == 0 || n == 0 ? 0 : -1;
}

/* From where both are, up to left bytes: it may have become shorter. */
static int
copy_part(int in, int out, off_t left)
{
	ssize_t n;

	do {
		n = copy_file_range(in, NULL, out, NULL,
		    left < PART_MAX ? (size_t)left : PART_MAX, 0);
		if (n > 0)
			left -= n;
	} while (n > 0 && left > 0);
	return n >= 0 ? 0 : copy_by_hand(in, out, left);
}

/* Holes stay holes: an image of a disk may be larger than the disk that it
 * lies on. */
static int
copy_sparse(int in, int out)
{
	struct stat st;
	off_t at = 0, end;

	while ((at = lseek(in, at, SEEK_DATA)) != -1) {
		end = lseek(in, at, SEEK_HOLE);
		if (end == -1 || lseek(in, at, SEEK_SET) == -1 ||
		    lseek(out, at, SEEK_SET) == -1 ||
		    copy_part(in, out, end - at) == -1)
			return -1;
		at = end;
	}
	if (errno != ENXIO || fstat(in, &st) == -1)
		return -1;
	return sys_ftruncate(out, st.st_size);
}

int
subtree_copy_bytes(int in, int out)
{
	struct stat st;

	/* The same blocks, where the filesystem shares them. */
	if (ioctl(out, FICLONE, in) == 0)
		return 0;
	if (fstat(in, &st) == -1)
		return -1;
	if (st.st_blocks < st.st_size / BLOCK)
		return copy_sparse(in, out);
	return copy_part(in, out, WHOLE);
}

static int
copy_meta(int out, const struct stat *st)
{
	struct timespec ts[2] = {st->st_atim, st->st_mtim};
	struct stat now;

	if (fstat(out, &now) == -1)
		return -1;
	if ((now.st_uid != st->st_uid || now.st_gid != st->st_gid) &&
	    sys_fchown(out, st->st_uid, st->st_gid) == -1)
		return -1;
	if (sys_fchmod(out, st->st_mode & 07777) == -1)
		return -1;
	return futimens(out, ts);
}

static int
copy_file(int from, const char *a, int to, const char *b)
{
	int in = openat(from, a, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = -1, answer = -1;
	struct stat st;

	if (in == -1 || fstat(in, &st) == -1)
		goto out;
	if (foreign_is_privileged(from, a, &st)) {
		errno = EPERM;
		goto out;
	}
	out = sys_openat(to, b,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out == -1 || subtree_copy_bytes(in, out) == -1 ||
	    xattr_copy(in, out) == -1)
		goto out;
	answer = copy_meta(out, &st);
out:
	if (in != -1)
		(void)close(in);
	if (out != -1)
		(void)close(out);
	return answer;
}

static int
copy_link(int from, const char *a, int to, const char *b, const struct stat *st)
{
	const struct timespec ts[2] = {st->st_atim, st->st_mtim};
	char target[4096];
	ssize_t n = readlinkat(from, a, target, sizeof(target) - 1);
	struct stat now;

	if (n == -1)
		return -1;
	target[n] = '\0';
	if (sys_symlinkat(target, to, b) == -1 ||
	    fstatat(to, b, &now, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if ((now.st_uid != st->st_uid || now.st_gid != st->st_gid) &&
	    fchownat(to, b, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	return utimensat(to, b, ts, AT_SYMLINK_NOFOLLOW);
}

static int
copy_dir(int from, const char *a, int to, const char *b)
{
	int in = openat(from, a, DIR_FLAGS), out = -1, answer = -1;
	struct stat st;

	if (in == -1 || fstat(in, &st) == -1)
		goto out;
	if (sys_mkdirat(to, b, 0700) == -1)
		goto out;
	out = openat(to, b, DIR_FLAGS);
	if (out == -1 || xattr_copy(in, out) == -1)
		goto out;
	answer = copy_meta(out, &st);
out:
	if (in != -1)
		(void)close(in);
	if (out != -1)
		(void)close(out);
	return answer;
}

int
subtree_copy_entry(int from, const char *a, int to, const char *b)
{
	struct stat st;

	if (fstatat(from, a, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (S_ISREG(st.st_mode))
		return copy_file(from, a, to, b);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, a, to, b, &st);
	if (S_ISDIR(st.st_mode))
		return copy_dir(from, a, to, b);
	errno = EOPNOTSUPP;
	return -1;
}

static int
copy_named(void *owner, int dir, const char *name)
{
	const int *to = owner;

	return subtree_copy(dir, name, *to, name);
}

static int
copy_inside(int from, const char *a, int to, const char *b)
{
	int out = openat(to, b, DIR_FLAGS), answer = -1;
	struct stat st;

	/* Filling it moves the directory's own times. */
	if (out != -1 && fstatat(from, a, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    subtree_each(openat(from, a, DIR_FLAGS), copy_named, &out) == 0)
		answer = copy_meta(out, &st);
	if (out != -1)
		(void)close(out);
	return answer;
}

int
subtree_copy(int from, const char *a, int to, const char *b)
{
	struct stat st;

	if (subtree_copy_entry(from, a, to, b) == -1 ||
	    fstatat(from, a, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	return S_ISDIR(st.st_mode) ? copy_inside(from, a, to, b) : 0;
}
