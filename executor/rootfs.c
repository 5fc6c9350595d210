/* SPDX-License-Identifier: ISC */
/* Mounts of the jail, with the file descriptor based mount calls. */
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "executor/mounts.h"
#include "executor/rootfs.h"
#include "executor/rootfs_part.h"
#include "executor/subtree.h"

#define SCRATCH_MAX (INT64_C(512) << 20) /* of /tmp, /home and the like */

/* One process, one jail; and the failing step for the message. */
static struct rootfs jail = {
    .root = -1, .lower = -1, .place = -1, .txn = -1, .view = -1, .proc = -1};
static const char *step = "";

const char *
rootfs_step(void)
{
	return step;
}

void
rootfs_now(const char *what)
{
	step = what;
}

/* The place of all transactions is covered by now, but not for who has it
 * open. */
static int
open_txn(struct rootfs *r)
{
	const char *slash = strrchr(r->spec->txn, '/');

	rootfs_now("opening the transaction");
	r->txn = openat(r->place, slash != NULL ? slash + 1 : r->spec->txn,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return r->txn == -1 ? -1 : 0;
}

int
rootfs_open(const char *part)
{
	return openat(jail.txn, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * volatile: what is staged is synced at commit, file by file, and never by a
 * copy-up. Directories by descriptor: no character needs escaping then.
 */
static int
new_overlay(const struct jail_spec *spec)
{
	char lower[64], upper[64], work[64];
	const char *options[] = {"lowerdir", lower, "upperdir", upper,
	    "workdir", work, "volatile", "",
	    spec->user->switches ? NULL : "userxattr", "", NULL};
	int fds[3] = {jail.lower, rootfs_open("upper"), rootfs_open("work")};
	char *texts[3] = {lower, upper, work};
	int tree = -1, saved;

	for (int i = 0; i < 3; i++) {
		if (fds[i] == -1 || snprintf(texts[i], sizeof(lower),
					"/proc/self/fd/%d", fds[i]) < 0)
			goto out;
	}
	tree = mounts_new("overlay", options, PRIVATE);
out:
	saved = errno;
	for (int i = 1; i < 3; i++) {
		if (fds[i] != -1)
			(void)close(fds[i]);
	}
	errno = saved;
	return tree;
}

/* The clone, filled and bound. It ends the process where that fails, with
 * the reason reported. */
static int
new_copy(const struct jail_spec *spec)
{
	int upper = rootfs_open("upper");
	int live = openat(jail.lower, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int tree = -1;

	if (upper != -1 && live != -1) {
		if (spec->prepare(spec->owner, live, upper, JAIL_REPORT) == -1)
			_exit(1);
		tree = open_tree(upper, "",
		    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	}
	if (tree != -1 && mounts_set(tree, PRIVATE, false) == -1) {
		(void)close(tree);
		tree = -1;
	}
	if (upper != -1)
		(void)close(upper);
	if (live != -1)
		(void)close(live);
	return tree;
}

static bool
is_own(const char *name)
{
	static const char *const own[] = {"dev", "home", "lost+found", "proc",
	    "root", "run", "tmp"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcmp(name, own[i]) == 0)
			return true;
	}
	return false;
}

/* A directory of the root that is made for it: nothing to resolve. */
static int
attach_named(int root, int tree, const char *name)
{
	int answer = -1, saved;

	if (tree == -1)
		return -1;
	if (mkdirat(root, name, 0755) == 0)
		answer =
		    move_mount(tree, "", root, name, MOVE_MOUNT_F_EMPTY_PATH);
	saved = errno;
	(void)close(tree);
	errno = saved;
	return answer;
}

static int
clone_entry(struct rootfs *r, int base, const char *name)
{
	char path[300], target[4096];
	struct stat st;
	ssize_t n;

	if (fstatat(base, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(base, name, target, sizeof(target) - 1);
		if (n == -1)
			return -1;
		target[n] = '\0';
		return symlinkat(target, r->root, name);
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (snprintf(path, sizeof(path), "/%s", name) < 0)
		return -1;
	return attach_named(r->root, mounts_clone(path), name);
}

static int
clone_named(void *owner, int base, const char *name)
{
	return is_own(name) ? 0 : clone_entry(owner, base, name);
}

static int
clone_machine(struct rootfs *r)
{
	rootfs_now("cloning the root directory for the jail");
	return subtree_each(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	    clone_named, r);
}

/* Cloned before /home and the like are covered, attached afterwards. */
static int
clone_exposed(struct rootfs *r)
{
	const struct conf_strings *e = &r->spec->queue->expose;

	r->exposed = xcalloc(e->count + 1, sizeof(*r->exposed));
	for (size_t i = 0; i < e->count; i++)
		r->exposed[i] = mounts_clone(e->items[i]);
	return 0;
}

/* A cache that is not there (yet) is no reason to refuse every patch. */
static void
attach_exposed(struct rootfs *r)
{
	const struct conf_strings *e = &r->spec->queue->expose;

	for (size_t i = 0; i < e->count; i++) {
		if (r->exposed[i] != -1)
			(void)mounts_attach_at(r->root, r->exposed[i],
			    e->items[i]);
	}
	free(r->exposed);
}

/* Mapped paths are other names of the view, where they can be made. */
static void
attach_mapped(struct rootfs *r)
{
	const struct conf_pairs *m = &r->spec->queue->path_map;

	for (size_t i = 0; i < m->count; i++) {
		int at =
		    mounts_open(r->root, m->values[i], O_PATH | O_DIRECTORY);
		int tree = at == -1 ? -1
				    : open_tree(at, "",
					  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					      AT_EMPTY_PATH | AT_RECURSIVE);

		if (tree != -1)
			(void)mounts_attach_at(r->root, tree, m->names[i]);
		if (at != -1)
			(void)close(at);
	}
}

/* The staging place inside a workspace is not for patches to see. */
static int
cover_staging(struct rootfs *r)
{
	char path[PATH_MAX + 16];
	int at, tree, answer;

	if (snprintf(path, sizeof(path), "%s/.patchflow", r->spec->workspace) <
	    0)
		return -1;
	at = mounts_open(r->root, path, O_PATH | O_DIRECTORY);
	if (at == -1)
		return 0;
	(void)close(at);
	tree = rootfs_tmpfs("555", 4096);
	if (tree == -1)
		return -1;
	answer = mounts_set(tree, CLOSED, false);
	if (answer == -1) {
		(void)close(tree);
		return -1;
	}
	return mounts_attach_at(r->root, tree, path);
}

static int
attach_workspace(struct rootfs *r)
{
	rootfs_now("mounting the overlay at the workspace");
	if (mounts_attach_at(r->root, r->view, r->spec->workspace) == -1)
		return -1;
	rootfs_now("covering the staging place");
	return cover_staging(r);
}

static int
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return -1;
	n = write(fd, text, strlen(text));
	(void)close(fd);
	return n == -1 ? -1 : 0;
}

/* The user is himself inside; no other uid exists there. */
static int
map_user(const struct jail_user *u)
{
	char text[64];

	rootfs_now("mapping the user into the namespace");
	if (snprintf(text, sizeof(text), "%u %u 1", u->uid, u->uid) < 0 ||
	    write_file("/proc/self/uid_map", text) == -1 ||
	    write_file("/proc/self/setgroups", "deny") == -1)
		return -1;
	if (snprintf(text, sizeof(text), "%u %u 1", u->gid, u->gid) < 0)
		return -1;
	return write_file("/proc/self/gid_map", text);
}

static void
raise_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return;
	/* In the last jail's namespace it is. */
	if (ioctl(fd, SIOCGIFFLAGS, &lo) == 0 && (lo.ifr_flags & IFF_UP) == 0) {
		lo.ifr_flags |= IFF_UP;
		(void)ioctl(fd, SIOCSIFFLAGS, &lo);
	}
	(void)close(fd);
}

static int
pivot(struct rootfs *r)
{
	rootfs_now("entering the jail's root");
	if (fchdir(r->root) == -1 || syscall(SYS_pivot_root, ".", ".") == -1 ||
	    umount2(".", MNT_DETACH) == -1)
		return -1;
	return chdir("/");
}

/* It is memory, and must not be a way around that limit. */
static int64_t
scratch_size(const struct jail_spec *spec)
{
	int64_t memory = spec->queue->memory;

	return memory > 0 && memory < SCRATCH_MAX ? memory : SCRATCH_MAX;
}

/* Attached where nobody needs anything: at the place of all transactions. */
static int
open_root(struct rootfs *r)
{
	/* Not to be cloned along with the machine's tree that it lies in. */
	struct mount_attr alone = {.propagation = MS_UNBINDABLE};
	int at = open(r->spec->place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int answer;

	r->root = at == -1 ? -1 : rootfs_tmpfs("755", scratch_size(r->spec));
	answer = r->root == -1 ? -1 : mounts_attach(r->root, at);
	if (at != -1)
		(void)close(at);
	return answer == -1 ? -1
			    : mount_setattr(r->root, "", AT_EMPTY_PATH, &alone,
				  sizeof(alone));
}

static int
clone_whole(const char *path)
{
	return open_tree(AT_FDCWD, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
}

/* An fd of what is attached there. */
static int
keep_at(struct rootfs *r, int tree, const char *path)
{
	if (mounts_attach_at(r->root, tree, path) == -1)
		return -1;
	return mounts_open(r->root, path, O_PATH | O_DIRECTORY);
}

/*
 * Workspace and place are needed when the machine's root has been left, and
 * the kernel lets an overlay lie only on what is mounted where we are. /proc
 * will cover them: no path leads there.
 */
static int
open_places(struct rootfs *r)
{
	int lower, place;

	rootfs_now("opening the workspace");
	lower = clone_whole(r->spec->workspace);
	place = clone_whole(r->spec->place);
	rootfs_now("making the jail's root");
	if (lower == -1 || place == -1 || open_root(r) == -1)
		return -1;
	rootfs_now("keeping the workspace");
	r->lower = keep_at(r, lower, "/proc/lower");
	r->place = r->lower == -1 ? -1 : keep_at(r, place, "/proc/place");
	return r->place == -1 ? -1 : 0;
}

/* What else is shown of the machine is looked at when the patch starts. */
static bool
shows_more(const struct rootfs *r)
{
	return r->spec->queue->expose.count > 0;
}

static int
make_private(void)
{
	rootfs_now("making mounts private");
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* A user may make one only where one can be seen: before the machine's root
 * is left. */
static int
make_proc(struct rootfs *r)
{
	const char *none[] = {NULL};

	rootfs_now("making the jail's /proc");
	r->proc = mounts_new("proc", none, PRIVATE | MOUNT_ATTR_NOEXEC);
	return r->proc == -1 ? -1 : rootfs_proc(r);
}

static int
furnish(struct rootfs *r)
{
	if (rootfs_mask(r, true) == -1)
		return -1;
	attach_exposed(r);
	if (rootfs_mask(r, false) == -1 || attach_workspace(r) == -1)
		return -1;
	attach_mapped(r);
	rootfs_now("closing the jail's root");
	return mounts_set(r->root, CLOSED, false);
}

int
rootfs_begin(const struct jail_spec *spec)
{
	struct rootfs *r = &jail;

	r->spec = spec;
	if (!spec->user->switches && map_user(spec->user) == -1)
		return -1;
	rootfs_now("naming the jail");
	if (sethostname("patchflow", 9) == -1)
		return -1;
	if (make_private() == -1 || open_places(r) == -1 ||
	    clone_machine(r) == -1 || rootfs_dev(r) == -1 ||
	    rootfs_private(r) == -1 || make_proc(r) == -1)
		return -1;
	/* That of a machine that it is still in is looked at in time. */
	return shows_more(r) ? 0 : pivot(r);
}

int
rootfs_take(const struct jail_spec *spec)
{
	jail.spec = spec;
	return open_txn(&jail);
}

/* The worker, which is the user's, is forked behind it. */
static void
close_all(struct rootfs *r)
{
	int *fds[] = {&r->root, &r->lower, &r->place, &r->txn};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		(void)close(*fds[i]);
		*fds[i] = -1;
	}
}

int
rootfs_enter(void)
{
	struct rootfs *r = &jail;

	if (!r->spec->network)
		raise_loopback();
	rootfs_now("mounting the overlay");
	r->view = r->spec->way == JAIL_OVERLAY ? new_overlay(r->spec)
					       : new_copy(r->spec);
	if (r->view == -1 || clone_exposed(r) == -1 ||
	    (shows_more(r) && pivot(r) == -1) || furnish(r) == -1)
		return -1;
	close_all(r);
	rootfs_now("opening the workspace in the jail");
	if (chdir(r->spec->workspace) == -1)
		return -1;
	return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
