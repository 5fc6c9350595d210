/* SPDX-License-Identifier: ISC */
/* Our own control group: found, asked whose it is, and divided. */
#include <sys/stat.h>
#include <sys/xattr.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/hierarchy.h"

#define LINE_SIZE (3 * PATH_MAX)
#define BOOTED "/run/systemd/system"
#define SUBTREE "cgroup.subtree_control"

/* Is word one of those in list, between blanks or commas? */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (;;) {
		list += strspn(list, " ,\n");
		if (*list == '\0')
			return false;
		if (strncmp(list, word, len) == 0 &&
		    strchr(" ,\n", list[len]) != NULL)
			return true;
		list += strcspn(list, " ,\n");
	}
}

/* "4:memory,pids:/a/b", of version 2 "0::/a/b". */
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
		*names++ = '\0';
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		found = controller[0] == '\0' ? names[0] == '\0'
					      : has_word(names, controller);
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
	return strcmp(type, "cgroup") == 0 && has_word(options, controller);
}

/* path as it is to be seen below that mount. */
static bool
place_path(const struct place *p, const char *path, char out[PATH_MAX])
{
	size_t skip = strcmp(p->root, "/") == 0 ? 0 : strlen(p->root);

	if (strncmp(path, p->root, skip) != 0 ||
	    (path[skip] != '/' && path[skip] != '\0'))
		return false;
	path += skip;
	return snprintf(out, PATH_MAX, "%s%s", p->at,
		   strcmp(path, "/") == 0 ? "" : path) < PATH_MAX;
}

bool
hierarchy_own(const char *controller, char out[PATH_MAX])
{
	FILE *f;
	char line[LINE_SIZE], path[PATH_MAX];
	struct place p;
	bool found = false;

	if (!own_path(controller, path))
		return false;
	f = fopen("/proc/self/mountinfo", "re");
	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
		found = is_mount_of(line, controller, &p) &&
			place_path(&p, path, out);
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static bool
is_marked(const char *dir)
{
	static const char *const names[] = {"trusted.delegate",
	    "user.delegate"};
	char value[8] = "";

	for (size_t i = 0; i < 2; i++)
		if (getxattr(dir, names[i], value, sizeof value - 1) == 1 &&
		    value[0] == '1')
			return true;
	return false;
}

/* Systemd's own: what is not delegated in it is not for us to divide. */
static bool
is_unit(const char *dir)
{
	static const char *const ends[] = {".service", ".scope", ".slice"};
	const char *dot = strrchr(dir, '.');

	for (size_t i = 0; dot != NULL && i < 3; i++)
		if (strcmp(dot, ends[i]) == 0)
			return true;
	return false;
}

static bool
belongs_to_us(const char *dir)
{
	struct stat st;

	return stat(dir, &st) == 0 && st.st_uid == geteuid();
}

/* Its mark is on the unit's group, those below were made by its processes. Of
 * older versions an ordinary user cannot see the mark: there the group belongs
 * to him, and the one above does not. */
static bool
is_delegated(const char *dir)
{
	char at[PATH_MAX];
	char *slash;

	if (strlcpy(at, dir, sizeof at) >= sizeof at)
		return false;
	while (!is_marked(at)) {
		bool unit = is_unit(at), mine = belongs_to_us(at);

		slash = strrchr(at, '/');
		if (slash == NULL || slash == at)
			return false;
		*slash = '\0';
		if (geteuid() != 0 && mine && !belongs_to_us(at))
			return true;
		if (unit)
			return false;
	}
	return true;
}

bool
hierarchy_is_ours(const char *dir)
{
	char path[PATH_MAX];

	if (access(dir, W_OK) == -1)
		return false;
	/* Who moves a process writes this file of the group above both. */
	if (snprintf(path, sizeof path, "%s/cgroup.procs", dir) >=
		(int)sizeof path ||
	    access(path, W_OK) == -1)
		return false;
	if (access(BOOTED, F_OK) == -1 || is_delegated(dir))
		return true;
	errno = EPERM;
	return false;
}

bool
hierarchy_up(char dir[PATH_MAX])
{
	char above[PATH_MAX];
	char *slash;

	(void)strlcpy(above, dir, sizeof above);
	slash = strrchr(above, '/');
	if (slash == NULL || slash == above)
		return false;
	*slash = '\0';
	if (!hierarchy_is_ours(above))
		return false;
	(void)strlcpy(dir, above, PATH_MAX);
	return true;
}

int
hierarchy_write(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd, saved;

	if (snprintf(path, sizeof path, "%s/%s", dir, file) >=
	    (int)sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = write(fd, text, strlen(text));
	saved = errno;
	(void)close(fd);
	errno = saved;
	return n == -1 ? -1 : 0;
}

/* Is word in that file of the group? */
static bool
lists(const char *dir, const char *file, const char *word)
{
	char path[PATH_MAX], text[512];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof path, "%s/%s", dir, file) >= (int)sizeof path)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return has_word(text, word);
}

bool
hierarchy_offers(const char *dir, const char *controller)
{
	return lists(dir, "cgroup.controllers", controller);
}

int
hierarchy_divide(const char *dir, const char *controller, const char *leaf)
{
	char word[64];
	int saved;

	if (lists(dir, SUBTREE, controller))
		return 0;
	if (snprintf(word, sizeof word, "+%s", controller) >= (int)sizeof word)
		return -1;
	if (hierarchy_write(dir, SUBTREE, word) == 0)
		return 0;
	if (errno != EBUSY || leaf == NULL)
		return -1;
	if ((mkdir(leaf, 0755) == -1 && errno != EEXIST) ||
	    hierarchy_write(leaf, "cgroup.procs", "0") == -1)
		return -1;
	if (hierarchy_write(dir, SUBTREE, word) == 0)
		return 0;
	saved = errno;
	if (hierarchy_write(dir, "cgroup.procs", "0") == 0)
		(void)rmdir(leaf);
	errno = saved;
	return -1;
}

/* Beside the one whose name begins at child? */
static bool
has_other_child(const char *dir, const char *child)
{
	size_t len = strcspn(child, "/");
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool other = false;

	while (d != NULL && !other && (e = readdir(d)) != NULL)
		other = e->d_type == DT_DIR && e->d_name[0] != '.' &&
			(strlen(e->d_name) != len ||
			    strncmp(e->d_name, child, len) != 0);
	if (d != NULL)
		(void)closedir(d);
	return other;
}

static void
undivide(const char *dir)
{
	static const char *const words[] = {"-memory", "-pids", "-cpu"};

	for (size_t i = 0; i < 3; i++)
		(void)hierarchy_write(dir, SUBTREE, words[i]);
}

void
hierarchy_rejoin(const char *dir, const char *leaf)
{
	char at[PATH_MAX];
	size_t len = strlen(dir);

	if (has_other_child(dir, leaf + len + 1))
		return;
	/* From below: no group gives up what one below it still divides. */
	(void)strlcpy(at, leaf, sizeof at);
	while (strlen(at) > len) {
		*strrchr(at, '/') = '\0';
		undivide(at);
	}
	if (hierarchy_write(dir, "cgroup.procs", "0") == 0)
		(void)rmdir(leaf);
}
