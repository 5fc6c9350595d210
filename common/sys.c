/* SPDX-License-Identifier: ISC */
/* The seam to the kernel; a file of its own so that --wrap reaches callers. */
#include <sys/stat.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/sys.h"

int
sys_openat(int dirfd, const char *name, int flags, mode_t mode)
{
	return openat(dirfd, name, flags, mode);
}

ssize_t
sys_write(int fd, const void *bytes, size_t len)
{
	return write(fd, bytes, len);
}

ssize_t
sys_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	return pwrite(fd, bytes, len, offset);
}

int
sys_fsync(int fd)
{
	return fsync(fd);
}

int
sys_syncfs(int fd)
{
	return syncfs(fd);
}

int
sys_sync_file_range(int fd, off_t at, off_t len, unsigned flags)
{
	return sync_file_range(fd, at, len, flags);
}

int
sys_close(int fd)
{
	return close(fd);
}

int
sys_ftruncate(int fd, off_t len)
{
	return ftruncate(fd, len);
}

int
sys_fallocate(int fd, off_t len)
{
	return fallocate(fd, 0, 0, len);
}

int
sys_renameat2(int from, const char *a, int to, const char *b, unsigned f)
{
	return renameat2(from, a, to, b, f);
}

int
sys_unlinkat(int dirfd, const char *name, int flags)
{
	return unlinkat(dirfd, name, flags);
}

int
sys_mkdirat(int dirfd, const char *name, mode_t mode)
{
	return mkdirat(dirfd, name, mode);
}

int
sys_symlinkat(const char *target, int dirfd, const char *name)
{
	return symlinkat(target, dirfd, name);
}

int
sys_linkat(int from, const char *a, int to, const char *b, int flags)
{
	return linkat(from, a, to, b, flags);
}

int
sys_fchmod(int fd, mode_t mode)
{
	return fchmod(fd, mode);
}

int
sys_fchown(int fd, uid_t uid, gid_t gid)
{
	return fchown(fd, uid, gid);
}

int
sys_fchmodat(int dirfd, const char *name, mode_t mode)
{
	return fchmodat(dirfd, name, mode, 0);
}

int
sys_fchownat(int dirfd, const char *name, uid_t uid, gid_t gid)
{
	return fchownat(dirfd, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int
sys_utimensat(int dirfd, const char *name, const struct timespec ts[2])
{
	return utimensat(dirfd, name, ts, AT_SYMLINK_NOFOLLOW);
}
