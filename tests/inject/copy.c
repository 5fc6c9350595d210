/* SPDX-License-Identifier: ISC */
/* fts(3) twice: children first to remove, directories first to copy. */
#include <sys/stat.h>
#include <sys/xattr.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "tests/inject/copy.h"

struct copy {
	const char *to;
	size_t root; /* length of the source's path */
	/* hard links: inode and where its first name went */
	struct {
		ino_t ino;
		char *path;
	} * links;
	size_t link_count;
};

static FTS *
walk(const char *path)
{
	char *const paths[] = {(char *)(uintptr_t)path, NULL};

	return fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
}

static int
remove_entry(const FTSENT *e)
{
	switch (e->fts_info) {
	case FTS_D:
		/* An overlay leaves directories that only root may read. */
		if ((e->fts_statp->st_mode & 0700) != 0700)
			(void)chmod(e->fts_path, 0700);
		return 0;
	case FTS_DP:
	case FTS_DNR:
		return rmdir(e->fts_path);
	case FTS_NS:
		return e->fts_level == 0 && e->fts_errno == ENOENT ? 0 : -1;
	default:
		return unlink(e->fts_path);
	}
}

int
copy_remove(const char *path)
{
	FTS *f = walk(path);
	FTSENT *e;
	int answer = f == NULL ? -1 : 0;

	while (answer == 0 && (e = fts_read(f)) != NULL)
		answer = remove_entry(e);
	if (f != NULL)
		(void)fts_close(f);
	return answer;
}

static int
copy_bytes(const char *from, const char *to)
{
	char chunk[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int answer = in == -1 || out == -1 ? -1 : 0;
	ssize_t n;

	while (answer == 0 && (n = read(in, chunk, sizeof(chunk))) != 0)
		if (n == -1 || write(out, chunk, (size_t)n) != n)
			answer = -1;
	if (in != -1)
		(void)close(in);
	if (out != -1)
		(void)close(out);
	return answer;
}

static int
copy_link(const char *from, const char *to)
{
	char target[PATH_MAX];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n == -1)
		return -1;
	target[n] = '\0';
	return symlink(target, to);
}

static int
copy_xattrs(const char *from, const char *to)
{
	char names[4096], value[4096];
	ssize_t len = llistxattr(from, names, sizeof(names));

	for (char *n = names; len > 0 && n < names + len; n += strlen(n) + 1) {
		ssize_t got = lgetxattr(from, n, value, sizeof(value));

		if (got == -1 || lsetxattr(to, n, value, (size_t)got, 0) == -1)
			return -1;
	}
	return 0;
}

static int
dress(const FTSENT *e, const char *to)
{
	const struct stat *st = e->fts_statp;
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (lchown(to, st->st_uid, st->st_gid) == -1 ||
	    copy_xattrs(e->fts_path, to) == -1)
		return -1;
	if (!S_ISLNK(st->st_mode) && chmod(to, st->st_mode & 07777) == -1)
		return -1;
	return utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW);
}

/* 1 when its first name was copied and this is linked to that now. */
static int
known_inode(struct copy *c, const FTSENT *e, const char *to)
{
	for (size_t i = 0; i < c->link_count; i++)
		if (c->links[i].ino == e->fts_statp->st_ino)
			return link(c->links[i].path, to) == 0 ? 1 : -1;
	c->links =
	    xreallocarray(c->links, c->link_count + 1, sizeof(*c->links));
	c->links[c->link_count].ino = e->fts_statp->st_ino;
	c->links[c->link_count++].path = xstrdup(to);
	return 0;
}

static int
copy_leaf(struct copy *c, const FTSENT *e, const char *to)
{
	const struct stat *st = e->fts_statp;
	int known = st->st_nlink > 1 ? known_inode(c, e, to) : 0;
	int answer;

	if (known != 0)
		return known == 1 ? 0 : -1;
	if (S_ISREG(st->st_mode))
		answer = copy_bytes(e->fts_path, to);
	else if (S_ISLNK(st->st_mode))
		answer = copy_link(e->fts_path, to);
	else
		answer = mknod(to, st->st_mode, st->st_rdev);
	return answer == 0 ? dress(e, to) : -1;
}

static int
copy_entry(struct copy *c, const FTSENT *e)
{
	char to[PATH_MAX];

	(void)snprintf(to, sizeof(to), "%s%s", c->to, e->fts_path + c->root);
	if (e->fts_info == FTS_D)
		return mkdir(to, 0700);
	if (e->fts_info == FTS_DP)
		return dress(e, to);
	if (e->fts_info == FTS_DNR || e->fts_info == FTS_NS)
		return -1;
	return copy_leaf(c, e, to);
}

int
copy_tree(const char *from, const char *to)
{
	struct copy c = {.to = to, .root = strlen(from)};
	FTS *f = walk(from);
	FTSENT *e;
	int answer = f == NULL ? -1 : 0;

	while (answer == 0 && (e = fts_read(f)) != NULL)
		answer = copy_entry(&c, e);
	if (f != NULL)
		(void)fts_close(f);
	for (size_t i = 0; i < c.link_count; i++)
		free(c.links[i].path);
	free(c.links);
	return answer;
}
