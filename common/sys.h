/* SPDX-License-Identifier: ISC */
/*
 * The one seam to the kernel: every call that changes durable state goes
 * through here, so that tests can fail or kill the nth of them (the sweeps
 * link with --wrap for each name below; the Makefile reads the names from
 * this file, so keep one prototype a line). The functions are the system
 * calls of the same name: same arguments, same results, same errno, no retry.
 */
#ifndef COMMON_SYS_H
#define COMMON_SYS_H

#include <sys/types.h>
#include <sys/stat.h>

int sys_openat(int dirfd, const char *name, int flags, mode_t mode);
ssize_t sys_write(int fd, const void *bytes, size_t len);
ssize_t sys_pwrite(int fd, const void *bytes, size_t len, off_t offset);
int sys_fsync(int fd);
int sys_syncfs(int fd);
int sys_sync_file_range(int fd, off_t at, off_t len, unsigned flags);
int sys_close(int fd);
int sys_ftruncate(int fd, off_t len);
int sys_fallocate(int fd, off_t len);
int sys_renameat2(int from, const char *a, int to, const char *b, unsigned f);
int sys_unlinkat(int dirfd, const char *name, int flags);
int sys_mkdirat(int dirfd, const char *name, mode_t mode);
int sys_symlinkat(const char *target, int dirfd, const char *name);
int sys_linkat(int from, const char *a, int to, const char *b, int flags);
int sys_fchmod(int fd, mode_t mode);
int sys_fchown(int fd, uid_t uid, gid_t gid);
int sys_fchmodat(int dirfd, const char *name, mode_t mode);
int sys_fchownat(int dirfd, const char *name, uid_t uid, gid_t gid);
int sys_utimensat(int dirfd, const char *name, const struct timespec ts[2]);

#endif
