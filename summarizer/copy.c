/* SPDX-License-Identifier: ISC */
/*
 * The copy that final.summaryFile asks for. It may lie below the queue's
 * workspace (protected paths and .git apart) or below a directory
 * destination, nowhere else, and replaces nothing but an older summary.
 * Where the words of the path allow it, the kernel decides again: every part
 * is walked without following a symbolic link.
 */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/glob.h"
#include "common/sys.h"
#include "summarizer/summarizer.h"

/* The part of path below dir; NULL when it is not there. */
static const char *
below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	if (strncmp(path, dir, len) != 0 || path[len] != '/')
		return NULL;
	path += len;
	while (*path == '/')
		path++;
	return *path == '\0' ? NULL : path;
}

/* No part is "..", "." or empty, and there is no trailing slash. */
static bool
path_is_plain(const char *path)
{
	const char *part = path;
	size_t len;

	if (*part == '/')
		part++;
	for (;;) {
		len = strcspn(part, "/");
		if (len == 0 || (len == 1 && part[0] == '.') ||
		    (len == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		if (part[len] == '\0')
			return true;
		part += len + 1;
	}
}

/* Through the queue's path_map, the longest entry first. */
static char *
map_path(const struct queue_settings *q, const char *wanted)
{
	const struct conf_pairs *map = &q->path_map;
	const char *rest = NULL;
	size_t best = 0;
	size_t i;

	if (wanted[0] != '/')
		return xasprintf("%s/%s", q->workspace, wanted);
	for (i = 0; i < map->count; i++) {
		const char *r = below(wanted, map->names[i]);

		if (r == NULL || (rest != NULL && strlen(map->names[i]) <=
						      strlen(map->names[best])))
			continue;
		rest = r;
		best = i;
	}
	if (rest != NULL)
		return xasprintf("%s/%s", map->values[best], rest);
	return xstrdup(wanted);
}

static bool
is_protected(const struct queue_settings *q, const char *rest)
{
	size_t i;

	if (glob_covers(".git", rest) || glob_covers("*/.git", rest))
		return true;
	for (i = 0; i < q->protected.count; i++)
		if (glob_covers(q->protected.items[i], rest))
			return true;
	return false;
}

/* The directory that path lies below and that allows a copy; NULL and why. */
static const char *
find_base(const struct settings *settings, const struct queue_settings *q,
    const char *path, const char **why)
{
	const struct summary_settings *s = &settings->summaries;
	const char *rest = below(path, q->workspace);
	size_t i;

	*why = "it is neither below the queue's workspace nor below a "
	       "directory destination";
	if (rest != NULL && is_protected(q, rest)) {
		*why = "the path is protected";
		return NULL;
	}
	if (rest != NULL)
		return q->workspace;
	for (i = 0; i < s->destination_count; i++)
		if (strcmp(s->destinations[i].type, "directory") == 0 &&
		    below(path, s->destinations[i].path) != NULL)
			return s->destinations[i].path;
	return NULL;
}

void
copy_decide(const struct settings *settings, const char *queue, struct facts *f)
{
	const struct queue_settings *q = settings_queue(settings, queue);
	struct copy_fact *c = &f->copy;
	const char *why = "";
	char *path;

	if (c->wanted[0] == '\0')
		return;
	if (q == NULL || !path_is_plain(c->wanted)) {
		(void)strlcpy(c->refusal, "the path is not a plain one",
		    sizeof c->refusal);
		return;
	}
	path = map_path(q, c->wanted);
	if (find_base(settings, q, path, &why) != NULL) {
		c->path = path;
		return;
	}
	(void)strlcpy(c->refusal, why, sizeof c->refusal);
	free(path);
}

static int
open_below(int dir, const char *name)
{
	struct open_how how = {
	    .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    .resolve =
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

/* Opens the directory of rest below base, making what is missing; rest's last
 * part is left in *name. */
static int
walk(int base, const char *rest, const char **name)
{
	char part[NAME_MAX + 1];
	const char *slash;
	int dir = base;
	int next;

	while ((slash = strchr(rest, '/')) != NULL) {
		if ((size_t)(slash - rest) >= sizeof part) {
			errno = ENAMETOOLONG;
			next = -1;
		} else {
			memcpy(part, rest, (size_t)(slash - rest));
			part[slash - rest] = '\0';
			next = open_below(dir, part);
			if (next == -1 && errno == ENOENT &&
			    sys_mkdirat(dir, part, 0755) == 0)
				next = open_below(dir, part);
		}
		(void)close(dir);
		if (next == -1)
			return -1;
		dir = next;
		rest = slash + 1;
	}
	*name = rest;
	return dir;
}

static enum delivery
refuse(struct parcel *p, const char *path, const char *why)
{
	(void)snprintf(p->why, sizeof p->why, "%s: %s", path, why);
	return REFUSED;
}

/* Errors that a later try will not mend. */
static bool
is_final(int err)
{
	return err == EEXIST || err == ELOOP || err == EXDEV ||
	       err == ENOTDIR || err == ENAMETOOLONG || err == EACCES ||
	       err == EPERM;
}

enum delivery
copy_make(struct summarizer *s, struct parcel *p)
{
	const char *path = json_string_value(json_object_get(p->front, "copy"));
	const struct queue_settings *q =
	    settings_queue(s->settings, p->queue->name);
	const char *why = "the queue is gone";
	const char *base, *name;
	enum delivery answer;
	int dir, r;

	base = q == NULL ? NULL : find_base(s->settings, q, path, &why);
	if (base == NULL)
		return refuse(p, path, why);
	dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir != -1)
		dir = walk(dir, below(path, base), &name);
	if (dir == -1) {
		parcel_explain(p, path);
		return is_final(errno) ? REFUSED : LATER;
	}
	r = place_file(dir, name, p, true);
	answer = r == 0 ? DELIVERED : is_final(errno) ? REFUSED : LATER;
	if (r == -1)
		parcel_explain(p, path);
	else
		(void)strlcpy(p->where, path, sizeof p->where);
	(void)close(dir);
	return answer;
}
