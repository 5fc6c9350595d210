/* SPDX-License-Identifier: ISC */
/* By their names; not every filesystem minds the case of letters. */
#include <fnmatch.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "executor/gitpart.h"

#define MODULES "modules/"

struct row {
	const char *glob; /* * is any text, slashes too */
	enum gitpart part;
};

/* Of a repository, and of each below its modules. The first that fits. */
static const struct row parts[] = {
    {"config", GITPART_CONFIG},
    {"config.lock", GITPART_FIXED},
    {"config.worktree", GITPART_EXTRA},
    {"commondir", GITPART_FIXED},
    {"hooks", GITPART_SAMPLE},
    {"hooks/*.sample", GITPART_SAMPLE},
    {"hooks/*", GITPART_FIXED},
    {"info", GITPART_DIR},
    {"info/attributes", GITPART_FIXED},
    {"rebase-merge", GITPART_STATE},
    {"rebase-merge/*", GITPART_STATE},
    {"rebase-apply", GITPART_STATE},
    {"rebase-apply/*", GITPART_STATE},
    {"sequencer", GITPART_STATE},
    {"sequencer/*", GITPART_STATE},
    {"modules", GITPART_DIR},
};

/* Below modules these would be references of the same names. */
static const struct row of_top[] = {
    {"branches/*", GITPART_FIXED}, /* as remotes: where a fetch goes */
    {"remotes/*", GITPART_FIXED},
    {"worktrees", GITPART_DIR},
    {"worktrees/*/commondir", GITPART_FIXED},
    {"worktrees/*/config.worktree", GITPART_FIXED},
    {"worktrees/*/rebase-merge*", GITPART_STATE},
    {"worktrees/*/rebase-apply*", GITPART_STATE},
    {"worktrees/*/sequencer*", GITPART_STATE},
    {"worktrees/*", GITPART_DIR},
};

static enum gitpart
find(const struct row *rows, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++) {
		if (fnmatch(rows[i].glob, path, FNM_CASEFOLD) == 0)
			return rows[i].part;
	}
	return GITPART_NONE;
}

static const char *
next(const char *path)
{
	const char *slash = strchr(path, '/');

	return slash != NULL ? slash + 1 : NULL;
}

/* The names of submodules are as deep as they like, and so are theirs. */
static enum gitpart
among_modules(const char *path)
{
	for (const char *at = path; at != NULL; at = next(at)) {
		enum gitpart part =
		    find(parts, sizeof(parts) / sizeof(parts[0]), at);

		if (part != GITPART_NONE)
			return part;
	}
	return GITPART_DIR;
}

static enum gitpart
part_of(const char *path)
{
	enum gitpart part = find(parts, sizeof(parts) / sizeof(parts[0]), path);

	if (part == GITPART_NONE)
		part = find(of_top, sizeof(of_top) / sizeof(of_top[0]), path);
	if (part == GITPART_NONE &&
	    strncasecmp(path, MODULES, strlen(MODULES)) == 0)
		part = among_modules(path + strlen(MODULES));
	return part;
}

/* In a directory of a repository may lie another one. */
enum gitpart
gitpart_of(const char *path)
{
	enum gitpart found = GITPART_NONE;

	for (const char *at = path; at != NULL; at = next(at)) {
		enum gitpart part = GITPART_NONE;

		if (strcasecmp(at, ".git") == 0)
			return GITPART_ROOT;
		if (strncasecmp(at, ".git/", 5) == 0)
			part = part_of(at + 5);
		if (part != GITPART_NONE)
			found = part;
		if (part != GITPART_NONE && part != GITPART_DIR)
			break;
	}
	return found;
}

bool
gitpart_is_closed(const char *path)
{
	switch (gitpart_of(path)) {
	case GITPART_CONFIG:
	case GITPART_EXTRA:
	case GITPART_SAMPLE:
	case GITPART_FIXED:
	case GITPART_STATE:
		return true;
	case GITPART_NONE:
	case GITPART_DIR:
	case GITPART_ROOT:
		break;
	}
	return false;
}

bool
gitpart_is_own(const char *path)
{
	return strncasecmp(path, ".git/", 5) == 0 &&
	       strncasecmp(path + 5, MODULES, strlen(MODULES)) != 0;
}

bool
gitpart_is_lock(const char *path, const struct stat *st)
{
	const char *end = strrchr(path, '.');

	return S_ISREG(st->st_mode) && end != NULL &&
	       strcmp(end, ".lock") == 0 &&
	       (strncmp(path, ".git/", 5) == 0 ||
		   strstr(path, "/.git/") != NULL);
}

bool
gitpart_goes_whole(const char *top, const char *path)
{
	for (const char *at = path; at != NULL; at = next(at)) {
		if (strncasecmp(at, ".git/", 5) == 0)
			return at > path &&
			       strlen(top) <= (size_t)(at - path) + 4;
	}
	return false;
}

/* Directories of a path. */
static size_t
depth(const char *path)
{
	size_t n = path[0] != '\0';

	for (; (path = next(path)) != NULL;)
		n++;
	return n;
}

static bool
is_plain(const char *rest)
{
	if (rest[0] == '\0' || rest[0] == '/')
		return false;
	for (const char *at = rest; at != NULL; at = next(at)) {
		size_t len = strcspn(at, "/");

		/* Behind a name that may be a link, ".." is anywhere. */
		if (len == 0 || (len == 2 && strncmp(at, "..", 2) == 0) ||
		    (len == 1 && at[0] == '.'))
			return false;
	}
	return true;
}

char *
gitpart_place(const char *dir, const char *relative)
{
	size_t up = 0, stay = depth(dir);
	const char *end = dir;

	while (strncmp(relative, "../", 3) == 0) {
		relative += 3;
		up++;
	}
	if (up > stay || !is_plain(relative))
		return NULL;
	for (stay -= up; stay > 0; stay--) {
		end += strcspn(end, "/");
		end += stay > 1;
	}
	return xasprintf("%.*s%s%s", (int)(end - dir), dir,
	    end > dir ? "/" : "", relative);
}

bool
gitpart_link(const char *path, const char *text)
{
	static const char head[] = "gitdir: ";
	const char *slash = strrchr(path, '/');
	char *dir = xstrndup(path, slash != NULL ? (size_t)(slash - path) : 0);
	char *to = xstrdup(text);
	char *place = NULL;
	bool fits = false;

	to[strcspn(to, "\n")] = '\0';
	if (strncmp(to, head, strlen(head)) == 0 &&
	    strlen(text) == strlen(to) + 1)
		place = gitpart_place(dir, to + strlen(head));
	for (const char *at = place; at != NULL && !fits; at = next(at))
		fits = strncmp(at, ".git/" MODULES, 5 + strlen(MODULES)) == 0;
	free(place);
	free(to);
	free(dir);
	return fits;
}
