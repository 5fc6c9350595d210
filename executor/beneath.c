/* SPDX-License-Identifier: ISC */
/* openat2(2) and what is built on it. */
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/sys.h"
#include "executor/beneath.h"

int
beneath_open(int root, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV |
		       RESOLVE_NO_MAGICLINKS,
	};

	/* O_PATH takes no flag that speaks of reading. */
	if (flags & O_PATH)
		how.flags &= ~(unsigned)O_NONBLOCK;
	return (int)syscall(SYS_openat2, root, path[0] != '\0' ? path : ".",
	    &how, sizeof(how));
}

int
beneath_parent(int root, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd;

	*name = slash != NULL ? slash + 1 : path;
	dir = xstrndup(path, slash != NULL ? (size_t)(slash - path) : 0);
	fd = beneath_open(root, dir, O_RDONLY | O_DIRECTORY);
	free(dir);
	return fd;
}

int
beneath_stat(int root, const char *path, struct stat *st)
{
	const char *name;
	int found, fd;

	if (path[0] == '\0')
		return fstat(root, st) == 0 ? 1 : -1;
	fd = beneath_parent(root, path, &name);
	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	found = fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) == 0 ? 1 : -1;
	if (found == -1 && errno == ENOENT)
		found = 0;
	(void)close(fd);
	return found;
}

bool
beneath_is_mount(int dir, const char *name)
{
	struct statx x;

	return statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &x) ==
		   0 &&
	       (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int
beneath_make_parents(int root, const char *path)
{
	const char *name, *slash = path;

	while ((slash = strchr(slash, '/')) != NULL) {
		char *dir = xstrndup(path, (size_t)(slash - path));
		int fd = beneath_parent(root, dir, &name);
		int made = fd == -1 ? -1 : sys_mkdirat(fd, name, 0777);
		int saved = errno;

		if (fd != -1)
			(void)close(fd);
		free(dir);
		errno = saved;
		if (made == -1 && errno != EEXIST)
			return -1;
		slash++;
	}
	return 0;
}

static char *
read_all(int fd, size_t size, size_t max, size_t *len)
{
	struct buf b = {0};
	ssize_t n;

	buf_reserve(&b, size + 1);
	for (;;) {
		buf_reserve(&b, 65536);
		n = read(fd, b.bytes + b.len, 65536);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		b.len += (size_t)n;
		if (b.len > max) {
			errno = EFBIG;
			n = -1;
			break;
		}
	}
	if (n == -1) {
		buf_free(&b);
		return NULL;
	}
	*len = b.len;
	b.bytes[b.len] = '\0';
	return buf_take(&b);
}

char *
beneath_read(int root, const char *path, size_t max, size_t *len,
    struct stat *st)
{
	int fd = beneath_open(root, path, O_RDONLY);
	char *bytes = NULL;
	int saved;

	if (fd == -1)
		return NULL;
	if (fstat(fd, st) == -1)
		goto out;
	if (!S_ISREG(st->st_mode)) {
		errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
		goto out;
	}
	if ((uint64_t)st->st_size > max) {
		errno = EFBIG;
		goto out;
	}
	bytes = read_all(fd, (size_t)st->st_size, max, len);
out:
	saved = errno;
	(void)close(fd);
	errno = saved;
	return bytes;
}
