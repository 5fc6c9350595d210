/* SPDX-License-Identifier: ISC */
/* Which control groups there are, and where in them ours may be made. */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/hierarchy.h"
#include "executor/cgroup.h"

#define LEAF "/daemon" /* the supervisor's cgroup.h knows it as well */

static const char *const controllers[] = {"memory", "pids"};

static bool
has_file(const char *dir, const char *file)
{
	char path[PATH_MAX + 64];

	return snprintf(path, sizeof(path), "%s/%s", dir, file) <
		   (int)sizeof(path) &&
	       access(path, W_OK) == 0;
}

/* Whatever is in the way of everybody, or may be gone next time. */
static bool
may_pass(int error)
{
	static const int passing[] = {EBUSY, EAGAIN, ENOMEM, EINTR, EMFILE,
	    ENFILE, ENOSPC, EIO};

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (error == passing[i])
			return true;
	return false;
}

/* The first reason counts: it is that of our own group. */
static bool
fail(struct cgroup *g, const char *dir, int error)
{
	const char *words = error == EBUSY   ? "it holds other processes"
			    : error == EPERM ? "it is not delegated to us"
			    : error == ENOENT
				? "it has no controllers for memory and pids"
				: strerror(error);

	if (g->why[0] == '\0') {
		(void)snprintf(g->why, sizeof(g->why), "%.200s: %s", dir,
		    words);
		g->passing = may_pass(error);
	}
	return false;
}

/* leaf: where we go to if we are in the way ourselves, or NULL. */
static int
divide(const char *dir, const char *leaf)
{
	for (size_t i = 0; i < 2; i++) {
		errno = ENOENT;
		if (!hierarchy_offers(dir, controllers[i]) ||
		    hierarchy_divide(dir, controllers[i], leaf) == -1)
			return -1;
	}
	return 0;
}

static int
make_at(char out[PATH_MAX], const char *dir, const char *name)
{
	errno = ENAMETOOLONG;
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX &&
	    (mkdir(out, 0755) == 0 || errno == EEXIST))
		return 0;
	out[0] = '\0';
	return -1;
}

/* By making it and taking it away again. */
static bool
try_v2(struct cgroup *g, const char *dir, const char *name, const char *leaf)
{
	bool works;

	if (!hierarchy_is_ours(dir) || divide(dir, leaf) == -1 ||
	    make_at(g->dirs[0], dir, name) == -1)
		return fail(g, dir, errno);
	works = has_file(g->dirs[0], "memory.max") &&
		has_file(g->dirs[0], "pids.max");
	cgroup_drop(g);
	if (works)
		return true;
	g->dirs[0][0] = '\0';
	return fail(g, dir, ENOENT);
}

static bool
find_v2(struct cgroup *g, const char *name)
{
	char at[PATH_MAX], leaf[PATH_MAX];
	size_t len;

	if (!hierarchy_own("", at))
		return false;
	len = strlen(at);
	if (len > strlen(LEAF) && strcmp(at + len - strlen(LEAF), LEAF) == 0)
		at[len - strlen(LEAF)] = '\0';
	if (snprintf(leaf, sizeof(leaf), "%s" LEAF, at) >= (int)sizeof(leaf))
		return false;
	if (try_v2(g, at, name, leaf)) {
		(void)strlcpy(g->above, at, sizeof(g->above));
		(void)strlcpy(g->leaf, leaf, sizeof(g->leaf));
		return true;
	}
	while (hierarchy_up(at))
		if (try_v2(g, at, name, NULL))
			return true;
	return false;
}

static bool
find_v1(struct cgroup *g, const char *name)
{
	static const char *const files[] = {"memory.limit_in_bytes",
	    "pids.max"};
	char base[PATH_MAX];
	bool works = true;

	for (size_t i = 0; works && i < 2; i++) {
		errno = ENOENT;
		works = hierarchy_own(controllers[i], base) &&
			make_at(g->dirs[i], base, name) == 0 &&
			has_file(g->dirs[i], files[i]);
		if (!works && errno != ENOENT)
			(void)fail(g, base, errno);
	}
	cgroup_drop(g);
	if (!works)
		g->dirs[0][0] = g->dirs[1][0] = '\0';
	return works;
}

void
cgroup_open(struct cgroup *g, const char *instance, const char *spool)
{
	char digest[DIGEST_SIZE], name[64];
	char text[PATH_MAX + 128];
	bool had = g->had;

	memset(g, 0, sizeof(*g));
	g->had = had;
	/* Suites on one machine have queues of the same names. */
	if (snprintf(text, sizeof(text), "%s/%s", spool, instance) < 0)
		return;
	digest_bytes(text, strlen(text), digest);
	if (snprintf(name, sizeof(name), "patchflow-%.12s", digest) < 0)
		return;
	if (find_v2(g, name))
		g->kind = CGROUP_V2;
	else if (find_v1(g, name))
		g->kind = CGROUP_V1;
	else if (g->why[0] == '\0')
		(void)strlcpy(g->why, "no control groups are mounted",
		    sizeof(g->why));
	if (g->kind != CGROUP_NONE)
		g->why[0] = '\0';
}

/* Started by the supervisor we were in the leaf before, and stay. */
void
cgroup_close(struct cgroup *g)
{
	if (g->leaf[0] != '\0' && access(g->leaf, F_OK) == 0 &&
	    strstr(g->above, "/patchflow-") == NULL)
		hierarchy_rejoin(g->above, g->leaf);
	g->leaf[0] = '\0';
}
