/* SPDX-License-Identifier: ISC */
/*
 * Landlock by system call: glibc has no wrappers for it, and the headers of
 * the machine that builds may be older than the kernel that runs.
 */
#ifndef COMMON_LANDLOCK_H
#define COMMON_LANDLOCK_H

#include <linux/landlock.h>
#include <stdint.h>

/* Since version 2, 3, 5, 4 and 6. */
#define LOCK_FS_REFER (UINT64_C(1) << 13)
#define LOCK_FS_TRUNCATE (UINT64_C(1) << 14)
#define LOCK_FS_IOCTL_DEV (UINT64_C(1) << 15)
#define LOCK_NET_BIND_TCP (UINT64_C(1) << 0)
#define LOCK_NET_CONNECT_TCP (UINT64_C(1) << 1)
#define LOCK_SCOPE_ABSTRACT (UINT64_C(1) << 0)
#define LOCK_SCOPE_SIGNAL (UINT64_C(1) << 1)

/* All that changes files and directories, of the first version. */
#define LOCK_FS_CHANGES                                                        \
	((uint64_t)(LANDLOCK_ACCESS_FS_WRITE_FILE |                            \
		    LANDLOCK_ACCESS_FS_REMOVE_DIR |                            \
		    LANDLOCK_ACCESS_FS_REMOVE_FILE |                           \
		    LANDLOCK_ACCESS_FS_MAKE_CHAR |                             \
		    LANDLOCK_ACCESS_FS_MAKE_DIR |                              \
		    LANDLOCK_ACCESS_FS_MAKE_REG |                              \
		    LANDLOCK_ACCESS_FS_MAKE_SOCK |                             \
		    LANDLOCK_ACCESS_FS_MAKE_FIFO |                             \
		    LANDLOCK_ACCESS_FS_MAKE_BLOCK |                            \
		    LANDLOCK_ACCESS_FS_MAKE_SYM))
#define LOCK_FS_READS                                                          \
	((uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR))

/* What a ruleset decides about; what the kernel is too old for is left out. */
struct landlock_rules {
	uint64_t fs;
	uint64_t net;
	uint64_t scope;
};

/* The kernel's version; 0: it has none; -1: it did not say. */
int landlock_version(void);
/* An fd, or -1 (also where nothing would be left to decide). */
int landlock_open(struct landlock_rules *rules);
/* Below fd (or of the file fd) access is allowed. */
int landlock_allow(int ruleset, int fd, uint64_t access);
/* For this thread and its children, for good; takes no_new_privs. */
int landlock_enter(int ruleset);

#endif
