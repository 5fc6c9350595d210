/* SPDX-License-Identifier: ISC */
/* Finding, making and filling control groups of both versions. */
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
#include "watchdog/cgroup.h"

#define SUPERVISOR "supervisor"
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

static int
write_file(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = -1;

	if (fd != -1) {
		rc = write(fd, text, strlen(text)) == (ssize_t)strlen(text)
			 ? 0
			 : -1;
		(void)close(fd);
	}
	free(path);
	return rc;
}

/* Is word one of the words in text, between any of these separators? */
static bool
has_word(const char *text, const char *word, const char *separators)
{
	size_t len, want = strlen(word);

	for (;;) {
		text += strspn(text, separators);
		if (*text == '\0')
			return false;
		len = strcspn(text, separators);
		if (len == want && strncmp(text, word, len) == 0)
			return true;
		text += len;
	}
}

/* Our own group in the hierarchy with that controller, or ("") version 2. */
static bool
own_path(const char *controller, char out[PATH_MAX])
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX + 128];
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL) {
		char *names = strchr(line, ':');
		char *path = names != NULL ? strchr(names + 1, ':') : NULL;

		if (path == NULL)
			continue;
		*path++ = '\0';
		names++;
		path[strcspn(path, "\n")] = '\0';
		found = controller[0] == '\0'
			    ? names[0] == '\0'
			    : has_word(names, controller, ",");
		if (found)
			(void)strlcpy(out, path, PATH_MAX);
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

struct place {
	char root[PATH_MAX]; /* what of the hierarchy is mounted */
	char at[PATH_MAX];
};

/* "36 35 0:30 ROOT AT options ... - TYPE source OPTIONS" */
static bool
is_mount_of(const char *line, const char *controller, struct place *p)
{
	const char *rest = strstr(line, " - ");
	char type[32], options[256];

	if (rest == NULL ||
	    sscanf(line, "%*d %*d %*s %4095s %4095s", p->root, p->at) != 2 ||
	    sscanf(rest, " - %31s %*s %255s", type, options) != 2)
		return false;
	if (controller[0] == '\0')
		return strcmp(type, "cgroup2") == 0;
	return strcmp(type, "cgroup") == 0 &&
	       has_word(options, controller, ",");
}

static bool
find_mount(const char *controller, struct place *p)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[3 * PATH_MAX];
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
		found = is_mount_of(line, controller, p);
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/* An earlier image of ours may have gone to its own group already. */
static void
leave_ours(char *path)
{
	char *own = strstr(path, "/patchflow-");

	if (own != NULL &&
	    strcmp(own + strcspn(own + 1, "/") + 1, "/" SUPERVISOR) == 0)
		*own = '\0';
}

/* The directory of our own group, as it is to be seen from here. */
static bool
own_dir(const char *controller, char out[PATH_MAX])
{
	struct place p;
	char path[PATH_MAX];
	const char *rest = path;
	size_t len;

	if (!find_mount(controller, &p) || !own_path(controller, path))
		return false;
	len = strcmp(p.root, "/") == 0 ? 0 : strlen(p.root);
	if (strncmp(path, p.root, len) == 0)
		rest = path + len;
	if ((size_t)snprintf(out, PATH_MAX, "%s%s", p.at,
		strcmp(rest, "/") == 0 ? "" : rest) >= PATH_MAX)
		return false;
	leave_ours(out);
	return true;
}

/*
 * A group whose children have controllers holds no process itself, except the
 * root: we go to one of our own and try again.
 */
static bool
enable(const char *above, const char *ours, const char *controller)
{
	char *word = xasprintf("+%s", controller);
	char *self = xasprintf("%s/" SUPERVISOR, ours);
	bool done = write_file(above, "cgroup.subtree_control", word) == 0;

	if (!done && errno == EBUSY &&
	    (mkdir(self, 0755) == 0 || errno == EEXIST) &&
	    write_file(self, "cgroup.procs", "0") == 0)
		done = write_file(above, "cgroup.subtree_control", word) == 0;
	done = done && write_file(ours, "cgroup.subtree_control", word) == 0;
	free(self);
	free(word);
	return done;
}

static bool
make_group(const char *above, uint64_t tag, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/patchflow-%" PRIx64, above, tag);

	return n > 0 && n < PATH_MAX - NAME_MAX &&
	       (mkdir(out, 0755) == 0 || errno == EEXIST);
}

static int
try_version(struct cgroup *c, enum cgroup_controller which, int version,
    uint64_t tag)
{
	const char *name = controllers[which].name;
	char above[PATH_MAX];

	if (!own_dir(version == 2 ? "" : name, above) ||
	    !make_group(above, tag, c->dir[which]))
		return 0;
	if (version == 1)
		return version;
	/* The group may be another controller's as well: it stays for now. */
	(void)strlcpy(c->tried_v2, c->dir[which], sizeof c->tried_v2);
	return enable(above, c->dir[which], name) ? version : 0;
}

void
cgroup_open(struct cgroup *c, uint64_t tag)
{
	int i;

	if (c->tried)
		return;
	c->tried = true;
	for (i = 0; i < CGROUP__MAX; i++) {
		enum cgroup_controller which = (enum cgroup_controller)i;

		c->version[i] = try_version(c, which, 2, tag);
		if (c->version[i] == 0)
			c->version[i] = try_version(c, which, 1, tag);
	}
}

/* Groups are directories, without files that could be removed. */
static void
remove_group(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	char *below;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			below = xasprintf("%s/%s", path, e->d_name);
			(void)rmdir(below);
			free(below);
		}
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(path);
}

void
cgroup_close(struct cgroup *c)
{
	size_t i;

	for (i = 0; c->tried && i < CGROUP__MAX; i++)
		if (c->dir[i][0] != '\0')
			remove_group(c->dir[i]);
	if (c->tried && c->tried_v2[0] != '\0')
		remove_group(c->tried_v2);
	c->tried = false;
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
	return write_file(dir,
	    v2 ? controllers[which].v2 : controllers[which].v1, text);
}

int
cgroup_limit(const struct cgroup *c, enum cgroup_controller which,
    const char *name, int64_t value)
{
	char *dir = NULL, *procs = NULL;
	int fd = -1;

	if (c->version[which] == 0) {
		errno = ENOTSUP;
		return -1;
	}
	dir = xasprintf("%s/%s", c->dir[which], name);
	procs = xasprintf("%s/cgroup.procs", dir);
	if ((mkdir(dir, 0755) == 0 || errno == EEXIST) &&
	    write_limit(c, which, dir, value) == 0)
		fd = open(procs, O_WRONLY | O_CLOEXEC);
	free(procs);
	free(dir);
	return fd;
}
