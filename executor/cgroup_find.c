/* SPDX-License-Identifier: ISC */
/* Which control groups there are, and where in them we are. */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "executor/cgroup_part.h"

#define LINE_SIZE 8192

/* Is word one of the comma-separated list? */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at != NULL;) {
		if (strncmp(at, word, len) == 0 &&
		    (at[len] == ',' || at[len] == '\0'))
			return true;
		at = strchr(at, ',');
		at = at != NULL ? at + 1 : NULL;
	}
	return false;
}

/* Our path in the hierarchy of controller; "" is version 2. */
static bool
own_path(const char *controller, char *out, size_t size)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[LINE_SIZE];
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		char *list = strchr(line, ':');
		char *path = list != NULL ? strchr(list + 1, ':') : NULL;

		if (path == NULL)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		list++;
		found = controller[0] == '\0' ? list[0] == '\0'
					      : has_word(list, controller);
		if (found)
			(void)snprintf(out, size, "%s", path);
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

struct mount_line {
	char root[4096], point[4096], type[64], options[1024];
};

static bool
parse_mount(const char *line, struct mount_line *m)
{
	const char *dash = strstr(line, " - ");

	return dash != NULL &&
	       sscanf(line, "%*d %*d %*s %4095s %4095s", m->root, m->point) ==
		   2 &&
	       sscanf(dash, " - %63s %*s %1023s", m->type, m->options) == 2;
}

static bool
is_hierarchy(const struct mount_line *m, const char *controller)
{
	if (controller[0] == '\0')
		return strcmp(m->type, "cgroup2") == 0;
	return strcmp(m->type, "cgroup") == 0 &&
	       has_word(m->options, controller);
}

/* The directory of the group that we are in. A container may see only a part
 * of the hierarchy, from the mount's root on. */
static bool
own_dir(const char *controller, char *out, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	static struct mount_line m;
	char line[LINE_SIZE], path[4096];
	bool found = false;

	if (!own_path(controller, path, sizeof(path)))
		path[0] = '\0';
	while (f != NULL && path[0] != '\0' && !found &&
	       fgets(line, sizeof(line), f) != NULL) {
		size_t skip;

		if (!parse_mount(line, &m) || !is_hierarchy(&m, controller))
			continue;
		skip = strcmp(m.root, "/") == 0 ? 0 : strlen(m.root);
		if (strncmp(path, m.root, skip) != 0)
			continue;
		found = snprintf(out, size, "%s%s", m.point,
			    strcmp(path + skip, "/") == 0 ? "" : path + skip) <
			(int)size;
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static bool
has_file(const char *dir, const char *file)
{
	char path[PATH_MAX + 64];

	return snprintf(path, sizeof(path), "%s/%s", dir, file) <
		   (int)sizeof(path) &&
	       access(path, W_OK) == 0;
}

/* Below base, where processes may be limited: in the root, in a group that
 * delegates, or beside us when our own one holds processes. */
static bool
try_v2(struct cgroup *g, const char *base, const char *name)
{
	bool works;

	/* A process may only be moved by who may write this file of the
	 * group above both places. */
	if (!has_file(base, "cgroup.procs"))
		return false;
	if (snprintf(g->dirs[0], sizeof(g->dirs[0]), "%s/%s", base, name) >=
		(int)sizeof(g->dirs[0]) ||
	    (mkdir(g->dirs[0], 0755) == -1 && errno != EEXIST)) {
		g->dirs[0][0] = '\0';
		return false;
	}
	if (!has_file(g->dirs[0], "memory.max") ||
	    !has_file(g->dirs[0], "pids.max"))
		(void)cgroup_write(base, "cgroup.subtree_control",
		    "+memory +pids");
	works = has_file(g->dirs[0], "memory.max") &&
		has_file(g->dirs[0], "pids.max");
	cgroup_drop(g);
	if (!works)
		g->dirs[0][0] = '\0';
	return works;
}

static bool
find_v2(struct cgroup *g, const char *name)
{
	char base[PATH_MAX], *slash;

	if (!own_dir("", base, sizeof(base)))
		return false;
	if (try_v2(g, base, name))
		return true;
	slash = strrchr(base, '/');
	if (slash == NULL || slash == base)
		return false;
	*slash = '\0';
	/* Above the hierarchy's mount there is no group, and no such file. */
	return try_v2(g, base, name);
}

static bool
find_v1(struct cgroup *g, const char *name)
{
	static const char *const controllers[] = {"memory", "pids"};
	static const char *const files[] = {"memory.limit_in_bytes",
	    "pids.max"};
	char base[PATH_MAX];
	bool works = true;

	for (size_t i = 0; works && i < 2; i++) {
		works = own_dir(controllers[i], base, sizeof(base)) &&
			snprintf(g->dirs[i], sizeof(g->dirs[i]), "%s/%s", base,
			    name) < (int)sizeof(g->dirs[i]) &&
			(mkdir(g->dirs[i], 0755) == 0 || errno == EEXIST) &&
			has_file(g->dirs[i], files[i]);
		if (!works)
			g->dirs[i][0] = '\0';
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

	memset(g, 0, sizeof(*g));
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
}
