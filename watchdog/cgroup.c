/* SPDX-License-Identifier: ISC */
/* Making, filling and removing control groups of both versions. */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/hierarchy.h"
#include "common/log.h"
#include "watchdog/cgroup.h"

#define SUPERVISOR "supervisor"
#define DEPTH 3          /* home, a daemon, its patch */
#define PERIOD_US 100000 /* of the cpu controllers, the kernel's default */

static const struct {
	const char *name;
	const char *v2; /* the file of its limit */
	const char *v1;
} controllers[] = {
    [CGROUP_MEMORY] = {"memory", "memory.max", "memory.limit_in_bytes"},
    [CGROUP_PIDS] = {"pids", "pids.max", "pids.max"},
    [CGROUP_CPU] = {"cpu", "cpu.max", "cpu.cfs_quota_us"},
};
_Static_assert(sizeof controllers / sizeof controllers[0] == CGROUP__MAX,
    "a row a controller");

/* An earlier image of ours may have gone to its own group already. */
static void
leave_ours(char *path)
{
	char *own = strstr(path, "/patchflow-");

	if (own != NULL &&
	    strcmp(own + strcspn(own + 1, "/") + 1, "/" SUPERVISOR) == 0)
		*own = '\0';
}

static bool
name_group(const char *above, uint64_t tag, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/patchflow-%" PRIx64, above, tag);

	return n > 0 && n < PATH_MAX - 2 * NAME_MAX;
}

static bool
make_group(const char *above, uint64_t tag, char out[PATH_MAX])
{
	return name_group(above, tag, out) &&
	       (mkdir(out, 0755) == 0 || errno == EEXIST);
}

static bool
offers_any(const char *dir)
{
	for (size_t i = 0; i < CGROUP__MAX; i++)
		if (hierarchy_offers(dir, controllers[i].name))
			return true;
	return false;
}

/* Every controller that is to be had below c->above; own: we are in it. */
static bool
divide(struct cgroup *c, uint64_t tag, bool own)
{
	char *leaf;
	bool any = false;
	int i;

	if (!offers_any(c->above) || !hierarchy_is_ours(c->above) ||
	    !make_group(c->above, tag, c->home))
		return false;
	leaf = xasprintf("%s/" SUPERVISOR, c->home);
	for (i = 0; i < CGROUP__MAX; i++) {
		const char *name = controllers[i].name;

		if (!hierarchy_offers(c->above, name) ||
		    hierarchy_divide(c->above, name, own ? leaf : NULL) == -1 ||
		    hierarchy_divide(c->home, name, NULL) == -1)
			continue;
		any = true;
		if (c->version[i] != 0)
			continue;
		c->version[i] = 2;
		(void)strlcpy(c->dir[i], c->home, sizeof c->dir[i]);
	}
	free(leaf);
	if (!any)
		(void)rmdir(c->home);
	return any;
}

static bool
open_v2(struct cgroup *c, uint64_t tag)
{
	bool own = true;

	if (!hierarchy_own("", c->above))
		return false;
	leave_ours(c->above);
	do {
		if (divide(c, tag, own))
			return true;
		own = false;
	} while (hierarchy_up(c->above));
	return false;
}

static int
try_v1(struct cgroup *c, enum cgroup_controller which, uint64_t tag)
{
	char above[PATH_MAX];

	if (hierarchy_own(controllers[which].name, above) &&
	    make_group(above, tag, c->dir[which]))
		return 1;
	c->dir[which][0] = '\0';
	return 0;
}

/* Groups are directories, without files that could be removed; one with a
 * process in it stays. */
static void
remove_below(const char *path, int depth)
{
	DIR *d = depth > 0 ? opendir(path) : NULL;
	const struct dirent *e;
	char *below;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			below = xasprintf("%s/%s", path, e->d_name);
			remove_below(below, depth - 1);
			(void)rmdir(below);
			free(below);
		}
	if (d != NULL)
		(void)closedir(d);
}

void
cgroup_open(struct cgroup *c, uint64_t tag, bool limits)
{
	int i;

	c->tried = true;
	if (c->home[0] == '\0' && !open_v2(c, tag))
		c->above[0] = c->home[0] = '\0';
	if (!limits || c->tried_v1)
		return;
	c->tried_v1 = true;
	for (i = 0; i < CGROUP__MAX; i++)
		if (c->version[i] == 0)
			c->version[i] =
			    try_v1(c, (enum cgroup_controller)i, tag);
}

static void
each_place(const struct cgroup *c, void (*visit)(const char *dir))
{
	size_t i;

	for (i = 0; i < CGROUP__MAX; i++)
		if (c->dir[i][0] != '\0' && strcmp(c->dir[i], c->home) != 0)
			visit(c->dir[i]);
	if (c->home[0] != '\0')
		visit(c->home);
}

static void
sweep(const char *dir)
{
	remove_below(dir, DEPTH);
}

static void
take_away(const char *dir)
{
	remove_below(dir, DEPTH);
	(void)rmdir(dir);
}

/* By another configuration, which had limits or divided a group. */
static void
take_earlier(const struct cgroup *c, uint64_t tag)
{
	char above[PATH_MAX], dir[PATH_MAX];
	bool more;

	for (size_t i = 0; i < CGROUP__MAX; i++)
		if (c->dir[i][0] == '\0' &&
		    hierarchy_own(controllers[i].name, above) &&
		    name_group(above, tag, dir))
			take_away(dir);
	more = c->home[0] == '\0' && hierarchy_own("", above);
	for (; more; more = hierarchy_up(above))
		if (name_group(above, tag, dir))
			take_away(dir);
}

void
cgroup_sweep(const struct cgroup *c, uint64_t tag)
{
	each_place(c, sweep);
	take_earlier(c, tag);
}

void
cgroup_close(struct cgroup *c)
{
	char *leaf = xasprintf("%s/" SUPERVISOR, c->home);

	/* What the others had goes first: it divides our own. */
	each_place(c, sweep);
	if (c->home[0] != '\0' && access(leaf, F_OK) == 0)
		hierarchy_rejoin(c->above, leaf);
	each_place(c, take_away);
	free(leaf);
	c->tried = c->tried_v1 = false;
}

static int
write_limit(const struct cgroup *c, enum cgroup_controller which,
    const char *dir, int64_t value)
{
	bool v2 = c->version[which] == 2;
	char text[64];

	if (which == CGROUP_CPU && v2)
		(void)snprintf(text, sizeof text, "%" PRId64 " %d",
		    value * PERIOD_US / 100, PERIOD_US);
	else
		(void)snprintf(text, sizeof text, "%" PRId64,
		    which == CGROUP_CPU ? value * PERIOD_US / 100 : value);
	return hierarchy_write(dir,
	    v2 ? controllers[which].v2 : controllers[which].v1, text);
}

static bool
make(const char *dir)
{
	return mkdir(dir, 0755) == 0 || errno == EEXIST;
}

/* Where the daemon itself is: of version 2 a leaf, for its group may have
 * others below it. */
static int
open_procs(const char *dir, bool leaf)
{
	char *at = xasprintf("%s%s", dir, leaf ? "/" CGROUP_LEAF : "");
	char *procs = xasprintf("%s/cgroup.procs", at);
	int fd = make(at) ? open(procs, O_WRONLY | O_CLOEXEC) : -1;

	free(procs);
	free(at);
	return fd;
}

int
cgroup_limit(const struct cgroup *c, enum cgroup_controller which,
    const char *name, int64_t value)
{
	char *dir = NULL;
	int fd = -1;

	if (c->version[which] == 0) {
		errno = ENOTSUP;
		return -1;
	}
	dir = xasprintf("%s/%s", c->dir[which], name);
	if (make(dir) && write_limit(c, which, dir, value) == 0)
		fd = open_procs(dir, c->version[which] == 2);
	free(dir);
	return fd;
}

/* As delegation is defined: the directory and two of its files. */
static void
give_away(const char *dir, uid_t owner)
{
	static const char *const files[] = {"", "/cgroup.procs",
	    "/cgroup.subtree_control", "/" CGROUP_LEAF,
	    "/" CGROUP_LEAF "/cgroup.procs"};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char *path = xasprintf("%s%s", dir, files[i]);

		if (chown(path, owner, (gid_t)-1) == -1)
			log_warn("%s: not given to uid %u", path, owner);
		free(path);
	}
}

int
cgroup_lend(const struct cgroup *c, const char *name, uid_t owner)
{
	char *dir = NULL;
	int fd = -1;

	if (c->home[0] == '\0')
		return -1;
	dir = xasprintf("%s/%s", c->home, name);
	if (make(dir))
		fd = open_procs(dir, true);
	if (fd != -1 && owner != geteuid())
		give_away(dir, owner);
	free(dir);
	return fd;
}
