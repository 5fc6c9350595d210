/* SPDX-License-Identifier: ISC */
/* The file descriptor based mount calls, and paths inside a tree of them. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "executor/mounts.h"

/* Resolves path as it will be seen inside. */
int
mounts_open(int root, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (unsigned)(flags | O_CLOEXEC),
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* mkdir -p inside; an fd of it. */
int
mounts_make(int root, const char *path)
{
	char *copy = xstrdup(path);
	int fd = mounts_open(root, copy, O_PATH | O_DIRECTORY);

	for (char *at = copy; fd == -1 && errno == ENOENT;) {
		char *slash = strchr(at + 1, '/');
		int parent;

		/* at is at the slash before the next part to make. */
		if (slash != NULL)
			*slash = '\0';
		*at = '\0';
		parent = mounts_open(root, copy[0] != '\0' ? copy : "/",
		    O_PATH | O_DIRECTORY);
		*at = '/';
		if (parent == -1)
			break;
		if (mkdirat(parent, at + 1, 0755) == -1 && errno != EEXIST) {
			(void)close(parent);
			break;
		}
		(void)close(parent);
		if (slash != NULL)
			*slash = '/';
		fd = mounts_open(root, path, O_PATH | O_DIRECTORY);
		if (fd != -1 || slash == NULL)
			break;
		errno = ENOENT;
		at = slash;
	}
	free(copy);
	return fd;
}

int
mounts_set(int tree, uint64_t attr, bool below)
{
	struct mount_attr a = {.attr_set = attr, .propagation = MS_PRIVATE};

	return mount_setattr(tree, "",
	    AT_EMPTY_PATH | (below ? AT_RECURSIVE : 0u), &a, sizeof(a));
}

int
mounts_attach(int tree, int at)
{
	return move_mount(tree, "", at, "",
	    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/* Attaches tree at path inside (made where missing) and closes it. */
int
mounts_attach_at(int root, int tree, const char *path)
{
	int at = tree != -1 ? mounts_make(root, path) : -1;
	int answer = at == -1 ? -1 : mounts_attach(tree, at);
	int saved = errno;

	if (at != -1)
		(void)close(at);
	if (tree != -1)
		(void)close(tree);
	errno = saved;
	return answer;
}

static int
configure(int fs, const char *const *options)
{
	for (; options[0] != NULL; options += 2) {
		if (options[1] == NULL) {
			errno = EINVAL;
			return -1;
		}
		if (options[1][0] == '\0'
			? fsconfig(fs, FSCONFIG_SET_FLAG, options[0], NULL, 0)
			: fsconfig(fs, FSCONFIG_SET_STRING, options[0],
			      options[1], 0))
			return -1;
	}
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

/* options: name, value, ..., NULL; a value "" is a flag. */
int
mounts_new(const char *type, const char *const *options, uint64_t attr)
{
	int fs = fsopen(type, FSOPEN_CLOEXEC);
	int tree = -1, saved;

	if (fs == -1)
		return -1;
	if (configure(fs, options) == 0)
		tree = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr);
	saved = errno;
	(void)close(fs);
	errno = saved;
	return tree;
}

/* A read-only copy of a tree of the machine. */
int
mounts_clone(const char *path)
{
	int tree = open_tree(AT_FDCWD, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree != -1 && mounts_set(tree, CLOSED, true) == -1) {
		(void)close(tree);
		tree = -1;
	}
	return tree;
}
