/* SPDX-License-Identifier: ISC */
/* A scratch directory for one test, removed with all in it. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <sys/stat.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/spool.h"

struct scratch {
	char path[PATH_MAX];
	int dir;
};

static inline int
scratch_open(struct scratch *s)
{
	const char *base = getenv("TMPDIR");

	(void)snprintf(s->path, sizeof(s->path), "%s/patchflow-unit.XXXXXX",
	    base != NULL ? base : "/tmp");
	if (mkdtemp(s->path) == NULL)
		return -1;
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dir == -1 ? -1 : 0;
}

/*
 * As scratch_open in memory where there is such a place: for sweeps, in which
 * only processes die, and thousands of files come and go.
 */
static inline int
scratch_open_fast(struct scratch *s)
{
	(void)snprintf(s->path, sizeof(s->path), "%s",
	    "/dev/shm/patchflow-unit.XXXXXX");
	if (mkdtemp(s->path) == NULL)
		return scratch_open(s);
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dir == -1 ? -1 : 0;
}

static inline int
scratch_remove_one(const char *path, const struct stat *st, int flag,
    struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
scratch_close(struct scratch *s)
{
	(void)close(s->dir);
	(void)nftw(s->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The descriptor of a new directory NAME in the scratch directory. */
static inline int
scratch_dir(const struct scratch *s, const char *name)
{
	(void)mkdirat(s->dir, name, 0755);
	return openat(s->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A plain file with this text. */
static inline int
scratch_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	size_t len = strlen(text);
	int whole;

	if (fd == -1)
		return -1;
	whole = write(fd, text, len) == (ssize_t)len;
	return close(fd) == 0 && whole ? 0 : -1;
}

/* Names in dir, as a list of the spool sees them; -1 where it cannot. */
static inline ssize_t
scratch_count(int dir)
{
	struct spool_names n;
	ssize_t count;

	if (spool_list(dir, 0, &n) == -1)
		return -1;
	count = (ssize_t)n.count;
	spool_names_free(&n);
	return count;
}

/* cmocka's setup and teardown, with a struct scratch as the state. */
static inline int
scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	*state = s;
	return s == NULL ? -1 : scratch_open(s);
}

static inline int
scratch_teardown(void **state)
{
	scratch_close(*state);
	free(*state);
	return 0;
}

#endif
