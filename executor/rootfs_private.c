/* SPDX-License-Identifier: ISC */
/* The jail's own /dev, /proc, /tmp and homes, and what is masked in the rest.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "executor/mounts.h"
#include "executor/rootfs_part.h"

#define SMALL 65536

int
rootfs_tmpfs(const char *mode, int64_t size)
{
	char bytes[32];
	const char *options[] = {"size", bytes, "mode", mode, NULL};

	if (snprintf(bytes, sizeof(bytes), "%lld", (long long)size) < 0)
		return -1;

	return mounts_new("tmpfs", options, PRIVATE);
}

static int
bind_device(int dev, const char *name)
{
	char path[64];
	int at = openat(dev, name, O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int tree, answer;

	if (at == -1 || snprintf(path, sizeof(path), "/dev/%s", name) < 0)
		return -1;
	tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	answer = tree == -1 ? -1 : mounts_attach(tree, at);
	(void)close(at);
	if (tree != -1)
		(void)close(tree);
	return answer;
}

int
rootfs_dev(struct rootfs *r)
{
	static const char *const nodes[] = {"null", "zero", "full", "random",
	    "urandom", "tty"};
	static const char *const links[][2] = {{"/proc/self/fd", "fd"},
	    {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"},
	    {"/proc/self/fd/2", "stderr"}};
	int dev, answer = 0;

	rootfs_now("making the jail's /dev");
	if (mkdirat(r->root, "dev", 0755) == -1)
		return -1;
	dev = mounts_open(r->root, "/dev", O_RDONLY | O_DIRECTORY);
	if (dev == -1)
		return -1;
	for (size_t i = 0; answer == 0 && i < 6; i++)
		answer = bind_device(dev, nodes[i]);
	for (size_t i = 0; answer == 0 && i < 4; i++)
		answer = symlinkat(links[i][0], dev, links[i][1]);
	(void)close(dev);
	return answer;
}

/* uid 0 may write there even without any capability. */
static int
close_proc(int root)
{
	static const char *const paths[] = {"/proc/sys", "/proc/irq",
	    "/proc/bus", "/proc/fs", "/proc/sysrq-trigger"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int at = mounts_open(root, paths[i], O_PATH);
		int tree = at == -1 ? -1
				    : open_tree(at, "",
					  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					      AT_EMPTY_PATH);
		int answer = at == -1 ? 0 : -1;

		if (tree != -1 && mounts_set(tree, CLOSED, false) == 0)
			answer = mounts_attach(tree, at);
		if (at != -1)
			(void)close(at);
		if (tree != -1)
			(void)close(tree);
		if (answer == -1)
			return -1;
	}
	return 0;
}

int
rootfs_proc(struct rootfs *r)
{
	rootfs_now("mounting the jail's /proc");
	if (mounts_attach_at(r->root, r->proc, "/proc") == -1)
		return -1;
	return r->spec->user->switches ? close_proc(r->root) : 0;
}

static int
make_home(struct rootfs *r)
{
	char path[128];
	int fd, answer = 0;

	if (snprintf(path, sizeof(path), "/home/%s", r->spec->user->name) < 0)
		return -1;
	fd = mounts_make(r->root, path);
	if (fd == -1)
		return -1;
	if (r->spec->user->switches)
		answer = fchownat(fd, "", r->spec->user->uid,
		    r->spec->user->gid, AT_EMPTY_PATH);
	(void)close(fd);
	return answer;
}

/* A directory of the root's own filesystem, writable where the root is not:
 * all of them share its size. */
static int
make_store(struct rootfs *r, const char *store, const char *path, mode_t mode)
{
	int tree;

	if (mkdirat(r->root, store, mode) == -1 && errno != EEXIST)
		return -1;
	if (fchmodat(r->root, store, mode, 0) == -1)
		return -1;
	tree = open_tree(r->root, store, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return mounts_attach_at(r->root, tree, path);
}

int
rootfs_private(struct rootfs *r)
{
	static const struct {
		const char *store, *path;
		mode_t mode;
	} dirs[] = {{"tmp", "/tmp", 01777}, {"home", "/home", 0755},
	    {"root", "/root", 0755}, {"run", "/run", 0755},
	    {".shm", "/dev/shm", 01777}, {".var-tmp", "/var/tmp", 01777}};
	/* It was not to be cloned with the machine's tree, which is done. */
	struct mount_attr private = {.propagation = MS_PRIVATE};
	int at;

	rootfs_now("making the jail's private directories");
	if (mount_setattr(r->root, "", AT_EMPTY_PATH, &private,
		sizeof(private)) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		at = mounts_open(r->root, "/var/tmp", O_PATH | O_DIRECTORY);
		if (at != -1)
			(void)close(at);
		else if (strcmp(dirs[i].path, "/var/tmp") == 0)
			continue;
		if (make_store(r, dirs[i].store, dirs[i].path, dirs[i].mode) ==
		    -1)
			return -1;
	}
	return make_home(r);
}

/* An empty directory, or a file that cannot be read, in place of what lies
 * there; what is not there needs none. */
static int
mask_path(struct rootfs *r, const char *path)
{
	int at = mounts_open(r->root, path, O_PATH);
	struct stat st;
	int tree, answer = -1;

	if (at == -1)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES
			   ? 0
			   : -1;
	if (fstat(at, &st) == 0) {
		tree = S_ISDIR(st.st_mode)
			   ? rootfs_tmpfs("755", SMALL)
			   : open_tree(AT_FDCWD, "/dev/null",
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		/* A node on a mount without devices: EACCES. */
		if (tree != -1 && (S_ISDIR(st.st_mode) ||
				      mounts_set(tree, CLOSED, false) == 0))
			answer = mounts_attach(tree, at);
		if (tree != -1)
			(void)close(tree);
	}
	(void)close(at);
	return answer;
}

static bool
holds_exposed(const struct rootfs *r, const char *path)
{
	const struct conf_strings *e = &r->spec->queue->expose;
	size_t len = strlen(path);

	for (size_t i = 0; i < e->count; i++) {
		if (strncmp(e->items[i], path, len) == 0 &&
		    e->items[i][len] == '/')
			return true;
	}
	return false;
}

/* What is exposed lies on the masks around it, and below those in it. */
int
rootfs_mask(struct rootfs *r, bool around)
{
	char *const *masks = r->spec->masks;

	rootfs_now("masking what commands must not see");
	for (size_t i = 0; masks != NULL && masks[i] != NULL; i++) {
		if (holds_exposed(r, masks[i]) == around &&
		    mask_path(r, masks[i]) == -1)
			return -1;
	}
	return 0;
}
