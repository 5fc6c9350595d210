/* SPDX-License-Identifier: ISC */
/* Entering directories, and syncing them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/sys.h"
#include "executor/beneath.h"
#include "executor/cursor.h"

#define SYNC_SINGLY 30 /* directories; above, one syncfs(2) is cheaper */

void
cursor_open(struct cursor *k, int root)
{
	memset(k, 0, sizeof(*k));
	k->root = root;
	k->dir = -1;
}

static void
leave(struct cursor *k)
{
	if (k->dir != -1)
		(void)close(k->dir);
	k->dir = -1;
	k->path = NULL;
}

/* The last one of too many is forgotten: all are synced by one call then. */
static char *
remember(struct cursor *k, const char *path, size_t len)
{
	if (k->count > SYNC_SINGLY)
		free(k->touched[--k->count]);
	for (size_t i = k->count; i > 0; i--) {
		if (strncmp(k->touched[i - 1], path, len) == 0 &&
		    k->touched[i - 1][len] == '\0')
			return k->touched[i - 1];
	}
	k->touched =
	    xreallocarray(k->touched, k->count + 1, sizeof(*k->touched));
	k->touched[k->count] = xstrndup(path, len);
	return k->touched[k->count++];
}

int
cursor_enter(struct cursor *k, const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	*base = slash != NULL ? slash + 1 : path;
	if (k->path != NULL && strlen(k->path) == len &&
	    memcmp(k->path, path, len) == 0)
		return 0;
	leave(k);
	k->dir = beneath_parent(k->root, path, base);
	if (k->dir == -1)
		return -1;
	k->path = remember(k, path, len);
	return 0;
}

static int
sync_one(int root, const char *path)
{
	int fd, answer;

	if (path[0] == '\0')
		return sys_fsync(root);
	fd = beneath_open(root, path, O_RDONLY | O_DIRECTORY);
	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	answer = sys_fsync(fd);
	(void)close(fd);
	return answer;
}

int
cursor_sync(struct cursor *k)
{
	int answer = 0;

	leave(k);
	if (k->count > SYNC_SINGLY)
		return sys_syncfs(k->root);
	for (size_t i = 0; i < k->count && answer == 0; i++)
		answer = sync_one(k->root, k->touched[i]);
	return answer;
}

void
cursor_close(struct cursor *k)
{
	leave(k);
	for (size_t i = 0; i < k->count; i++)
		free(k->touched[i]);
	free(k->touched);
	cursor_open(k, k->root);
}
