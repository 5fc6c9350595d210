/* SPDX-License-Identifier: ISC */
/*
 * What a filesystem promises, by its type; of ext4 also whether it really has
 * a journal, which its type does not tell.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fsinfo.h"

/* Magic numbers that linux/magic.h of older systems lacks. */
#define MAGIC_XFS 0x58465342
#define MAGIC_ZFS 0x2fc12fc1
#define MAGIC_BCACHEFS 0xca451a4e
#define MAGIC_JFS 0x3153464a
#define MAGIC_VFAT 0x4d44
#define MAGIC_EXFAT 0x2011bab0

const char *const durability_name[DURABLE__MAX] = {
    [DURABLE_JOURNAL] = "journal",
    [DURABLE_NO_JOURNAL] = "no-journal",
    [DURABLE_VOLATILE] = "volatile",
    [DURABLE_UNKNOWN] = "unknown",
};

static const struct {
	unsigned long magic;
	enum durability durability;
} types[] = {
    {MAGIC_XFS, DURABLE_JOURNAL},
    {BTRFS_SUPER_MAGIC, DURABLE_JOURNAL},
    {MAGIC_ZFS, DURABLE_JOURNAL},
    {F2FS_SUPER_MAGIC, DURABLE_JOURNAL},
    {MAGIC_BCACHEFS, DURABLE_JOURNAL},
    {MAGIC_JFS, DURABLE_JOURNAL},
    {REISERFS_SUPER_MAGIC, DURABLE_JOURNAL},
    {NILFS_SUPER_MAGIC, DURABLE_JOURNAL},
    {MAGIC_VFAT, DURABLE_NO_JOURNAL},
    {MAGIC_EXFAT, DURABLE_NO_JOURNAL},
    {MINIX_SUPER_MAGIC, DURABLE_NO_JOURNAL},
    {TMPFS_MAGIC, DURABLE_VOLATILE},
    {RAMFS_MAGIC, DURABLE_VOLATILE},
    {OVERLAYFS_SUPER_MAGIC, DURABLE_VOLATILE},
};

/* "vda2" or "dm-0" for a device number: what /proc names things by. */
static int
device_name(dev_t dev, char *out, size_t size)
{
	char link[64], target[PATH_MAX];
	const char *slash;
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(dev),
	    minor(dev));
	len = readlink(link, target, sizeof(target) - 1);
	if (len == -1)
		return -1;
	target[len] = '\0';
	slash = strrchr(target, '/');
	return strlcpy(out, slash == NULL ? target : slash + 1, size) < size
		   ? 0
		   : -1;
}

/*
 * Every mounted journal has a directory /proc/fs/jbd2/DEVICE-INODE. One on a
 * device of its own has that device's name there, and is not found: the order
 * could not be relied on, for its commits need not flush the other device.
 */
static enum durability
ext_durability(dev_t dev)
{
	char name[NAME_MAX];
	struct dirent *e;
	DIR *d;
	enum durability found = DURABLE_NO_JOURNAL;

	if (device_name(dev, name, sizeof(name)) == -1)
		return DURABLE_UNKNOWN;
	d = opendir("/proc/fs/jbd2");
	if (d == NULL) /* no journal anywhere, or no /proc */
		return access("/proc/self", F_OK) == 0 ? DURABLE_NO_JOURNAL
						       : DURABLE_UNKNOWN;
	while (found == DURABLE_NO_JOURNAL && (e = readdir(d)) != NULL) {
		size_t len = strlen(name);

		if (strncmp(e->d_name, name, len) == 0 &&
		    (e->d_name[len] == '-' || e->d_name[len] == '\0'))
			found = DURABLE_JOURNAL;
	}
	(void)closedir(d);
	return found;
}

static enum durability
durability_of(unsigned long magic, dev_t dev)
{
	/* ext2, ext3 and ext4 share one magic number. */
	if (magic == EXT4_SUPER_MAGIC)
		return ext_durability(dev);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].magic == magic)
			return types[i].durability;
	return DURABLE_UNKNOWN;
}

/* Without the flush before a commit's last block (journal_async_commit), it
 * may be on the disk before bytes that were written earlier. */
static bool
has_ordered_commits(dev_t dev)
{
	char name[NAME_MAX], path[PATH_MAX], line[256];
	bool ordered = true;
	FILE *f;

	if (device_name(dev, name, sizeof(name)) == -1)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/fs/ext4/%s/options", name);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL)
		ordered =
		    ordered && strcmp(line, "journal_async_commit\n") != 0;
	(void)fclose(f);
	return ordered;
}

/* Bytes on xfs's realtime device are not flushed with the log. Files inherit
 * from their directory where they go. */
static bool
has_one_device(int fd)
{
	struct fsxattr a;

	return ioctl(fd, FS_IOC_FSGETXATTR, &a) == 0 &&
	       (a.fsx_xflags & FS_XFLAG_RTINHERIT) == 0;
}

/* btrfs and f2fs may log one directory and leave another for later; of the
 * rest we do not know. */
static bool
is_ordered(int fd, unsigned long magic, dev_t dev)
{
	return magic == EXT4_SUPER_MAGIC
		   ? has_ordered_commits(dev)
		   : magic == MAGIC_XFS && has_one_device(fd);
}

static void
fill_space(const struct statfs *fs, struct fsinfo *out)
{
	*out = (struct fsinfo){
	    .durability = DURABLE_UNKNOWN,
	    .free_bytes = (int64_t)fs->f_bavail * fs->f_bsize,
	    .total_bytes = (int64_t)fs->f_blocks * fs->f_bsize,
	    .free_inodes = (int64_t)fs->f_ffree,
	    .total_inodes = (int64_t)fs->f_files,
	};
	/* btrfs and others make inodes as needed and report none. */
	if (fs->f_files == 0)
		out->free_inodes = out->total_inodes = -1;
}

int
fsinfo_space(int fd, struct fsinfo *out)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return -1;
	fill_space(&fs, out);
	return 0;
}

int
fsinfo_read(int fd, struct fsinfo *out)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) == -1 || fstat(fd, &st) == -1)
		return -1;
	fill_space(&fs, out);
	out->durability = durability_of((unsigned long)fs.f_type, st.st_dev);
	out->ordered = out->durability == DURABLE_JOURNAL &&
		       is_ordered(fd, (unsigned long)fs.f_type, st.st_dev);
	return 0;
}
