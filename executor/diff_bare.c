/* SPDX-License-Identifier: ISC */
/*
 * Repositories without a .git. Whoever runs git in a directory that has a HEAD,
 * with objects and refs or a commondir, is in one. The HEAD is what tells: a
 * patch puts none into a directory that is there, and beside one only what a
 * new repository has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "executor/beneath.h"
#include "executor/pair.h"
#include "executor/subtree.h"

#define HEAD "HEAD"
#define HASH_LEN 40 /* the shorter of the two */

/* Git asks for more, so nothing that it takes for one is missed. */
static bool
is_head(int dir, const char *name)
{
	char text[HASH_LEN + 1] = "";
	int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return errno != ENOENT && errno != ENOTDIR;
	n = read(fd, text, HASH_LEN);
	(void)close(fd);
	return n > 0 && (strncmp(text, "ref:", 4) == 0 ||
			    strspn(text, "0123456789abcdefABCDEF") == HASH_LEN);
}

/* In the directory that rest, the end of the entry's path, lies in: staged with
 * it or in the workspace. */
static bool
has_head(const struct pair *p, const struct subtree_at *at, const char *rest)
{
	int len = (int)(rest - at->path), dir;
	char *live = xasprintf("%.*s" HEAD, len, at->path);
	struct buf staged = {0};
	const char *name;
	bool found;

	for (const char *s = rest; (s = strchr(s, '/')) != NULL; s++)
		buf_puts(&staged, "../");
	buf_puts(&staged, HEAD);
	found = is_head(at->dir, staged.bytes);
	dir = found ? -1 : beneath_parent(p->d->workspace->fd, live, &name);
	if (dir != -1) {
		found = is_head(dir, name);
		(void)close(dir);
	}
	buf_free(&staged);
	free(live);
	return found;
}

/* rest as a repository has it. */
static enum gitpart
part_there(const char *rest)
{
	static const char *const names[] = {"config", "config.worktree",
	    "commondir", "hooks", "branches", "remotes"};
	size_t len = strcspn(rest, "/");
	enum gitpart part = GITPART_NONE;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == len &&
		    strncasecmp(rest, names[i], len) == 0) {
			char *path = xasprintf(".git/%s", rest);

			part = gitpart_of(path);
			free(path);
		}
	}
	return part;
}

/* There git itself has HEADs in many places, and nobody works. */
static bool
is_within_git(const char *path)
{
	for (; path != NULL; path = strchr(path, '/')) {
		path += *path == '/';
		if (strncasecmp(path, ".git/", 5) == 0)
			return true;
	}
	return false;
}

/* One that comes with its directory, or replaces another, is no new one. */
static bool
is_new_head(const struct pair *p, const struct subtree_at *at)
{
	return strcasecmp(at->name, HEAD) == 0 &&
	       strcmp(at->path, p->path) == 0 && is_head(at->dir, at->name) &&
	       !(p->has_old && is_head(p->lower, p->name));
}

enum gitpart
pair_bare_part(const struct pair *p, const struct subtree_at *at)
{
	const char *rest = at->path;

	if (is_within_git(rest))
		return GITPART_NONE;
	if (is_new_head(p, at))
		return GITPART_FIXED;
	while (rest != NULL) {
		enum gitpart part = part_there(rest);

		if (part != GITPART_NONE && has_head(p, at, rest))
			return part;
		rest = strchr(rest, '/');
		rest = rest != NULL ? rest + 1 : NULL;
	}
	return GITPART_NONE;
}
