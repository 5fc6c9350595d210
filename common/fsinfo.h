/* SPDX-License-Identifier: ISC */
/* What the filesystem below a directory promises, and its free space. */
#ifndef COMMON_FSINFO_H
#define COMMON_FSINFO_H

#include <stdbool.h>
#include <stdint.h>

enum durability {
	DURABLE_JOURNAL,    /* journaling or copy-on-write */
	DURABLE_NO_JOURNAL, /* ext4 without a journal, ext2, vfat */
	DURABLE_VOLATILE,   /* tmpfs, ramfs, overlay */
	DURABLE_UNKNOWN,    /* network and FUSE filesystems */
	DURABLE__MAX
};
/* "journal", "no-journal", "volatile", "unknown". */
extern const char *const durability_name[DURABLE__MAX];

struct fsinfo {
	enum durability durability;
	/* One journal in the order of the calls: where a later rename is on
	 * the disk, the earlier ones are. */
	bool ordered;
	int64_t free_bytes;
	int64_t total_bytes;
	int64_t free_inodes; /* -1 where the filesystem has no fixed number */
	int64_t total_inodes;
};

int fsinfo_read(int fd, struct fsinfo *out); /* 0, or -1 */
/* Its space only, which is one system call: nothing is promised. */
int fsinfo_space(int fd, struct fsinfo *out);

#endif
