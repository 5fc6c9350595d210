/* SPDX-License-Identifier: ISC */
/* The floor's mounts: those that are made ahead, and the overlay. */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/floor.h"

#define PRIVATE (MS_NOSUID | MS_NODEV)
/* Covered from here on in the namespace that is built, and not missed. */
#define ROOT "/tmp"

static int
close_at(const char *path, unsigned below)
{
	struct mount_attr closed = {.attr_set = MOUNT_ATTR_RDONLY |
						MOUNT_ATTR_NOSUID |
						MOUNT_ATTR_NODEV};

	return mount_setattr(AT_FDCWD, path, below, &closed, sizeof closed);
}

static int
bind_closed(const char *from, const char *to)
{
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) == -1)
		return -1;
	return close_at(to, AT_RECURSIVE);
}

static bool
is_own(const char *name)
{
	static const char *const own[] = {".", "..", "dev", "home",
	    "lost+found", "proc", "root", "run", "tmp"};

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	return false;
}

/* The machine's directories and links; the new root is where we are. */
static int
bind_machine(void)
{
	char path[NAME_MAX + 2], target[PATH_MAX];
	DIR *d = opendir("/");
	int answer = d == NULL ? -1 : 0;
	struct dirent *e;
	ssize_t n;

	while (answer == 0 && (e = readdir(d)) != NULL) {
		if (is_own(e->d_name))
			continue;
		(void)snprintf(path, sizeof path, "/%s", e->d_name);
		if (e->d_type == DT_DIR) {
			answer = mkdir(e->d_name, 0755) == -1
				     ? -1
				     : bind_closed(path, e->d_name);
		} else if (e->d_type == DT_LNK) {
			n = readlink(path, target, sizeof target - 1);
			target[n > 0 ? n : 0] = '\0';
			answer = symlink(target, e->d_name);
		}
	}
	if (d != NULL)
		(void)closedir(d);
	return answer;
}

static int
make_dev(void)
{
	static const char *const nodes[] = {"null", "zero", "full", "random",
	    "urandom", "tty"};
	static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},
	    {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
	    {"/proc/self/fd/2", "dev/stderr"}};
	char from[16], to[16];

	if (mkdir("dev", 0755) == -1)
		return -1;
	for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
		(void)snprintf(from, sizeof from, "/dev/%s", nodes[i]);
		(void)snprintf(to, sizeof to, "dev/%s", nodes[i]);
		if (mknod(to, S_IFREG | 0666, 0) == -1 ||
		    mount(from, to, NULL, MS_BIND, NULL) == -1)
			return -1;
	}
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
		if (symlink(links[i][0], links[i][1]) == -1)
			return -1;
	return 0;
}

/* Mounts of their own, for the root is closed later on. */
static int
make_private(void)
{
	static const struct {
		const char *store, *path;
		mode_t mode;
	} dirs[] = {{"tmp", "tmp", 01777}, {"home", "home", 0755},
	    {"root", "root", 0755}, {"run", "run", 0755},
	    {"dev/shm", "dev/shm", 01777}, {".var-tmp", "var/tmp", 01777}};

	for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
		if (mkdir(dirs[i].store, dirs[i].mode) == -1 ||
		    mount(dirs[i].store, dirs[i].path, NULL, MS_BIND, NULL) ==
			-1)
			return -1;
	return mkdir("proc", 0755) == -1 ? -1 : mkdir("home/user", 0755);
}

/* The kernel lets an overlay lie only on what is mounted where we are; /proc
 * will cover it. */
static int
keep(int tree, const char *at)
{
	if (tree == -1 || mkdir(at, 0700) == -1)
		return -1;
	return move_mount(tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH);
}

static int
clone_tree(const char *path)
{
	return open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int
build(const struct floor *f, struct floor_places *p)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return -1;
	p->lower = clone_tree(f->ws_path);
	p->txn = clone_tree(f->txn_path);
	if (mount("tmpfs", ROOT, "tmpfs", PRIVATE, "size=512m,mode=755") ==
		-1 ||
	    chdir(ROOT) == -1)
		return -1;
	if (bind_machine() == -1 || make_dev() == -1 || make_private() == -1)
		return -1;
	if (keep(p->lower, "proc/lower") == -1 ||
	    keep(p->txn, "proc/txn") == -1)
		return -1;
	if (syscall(SYS_pivot_root, ".", ".") == -1)
		return -1;
	return umount2(".", MNT_DETACH);
}

static int
set(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

static int
make_overlay(const struct floor_places *p, int transaction)
{
	char lower[64], upper[64], work[64];
	int fs = fsopen("overlay", FSOPEN_CLOEXEC);

	(void)snprintf(lower, sizeof lower, "/proc/self/fd/%d", p->lower);
	(void)snprintf(upper, sizeof upper, "/proc/self/fd/%d/t%d/upper",
	    p->txn, transaction);
	(void)snprintf(work, sizeof work, "/proc/self/fd/%d/t%d/work", p->txn,
	    transaction);
	if (fs == -1 || set(fs, "lowerdir", lower) == -1 ||
	    set(fs, "upperdir", upper) == -1 ||
	    set(fs, "workdir", work) == -1 ||
	    fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) == -1 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC,
	    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* uid 0 may write there even without any capability. */
static int
make_proc(void)
{
	static const char *const parts[] = {"/proc/sys", "/proc/irq",
	    "/proc/bus", "/proc/fs", "/proc/sysrq-trigger"};

	if (mount("proc", "/proc", "proc", PRIVATE | MS_NOEXEC, NULL) == -1)
		return -1;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (bind_closed(parts[i], parts[i]) == -1 && errno != ENOENT)
			return -1;
	return 0;
}

static int
make_parents(const char *path)
{
	char part[PATH_MAX];

	for (const char *at = path + 1; at[-1] != '\0'; at++) {
		at += strcspn(at, "/");
		(void)snprintf(part, sizeof part, "%.*s", (int)(at - path),
		    path);
		if (mkdir(part, 0755) == -1 && errno != EEXIST)
			return -1;
		if (*at == '\0')
			break;
	}
	return 0;
}

int
floor_mounts_make(const struct floor *f, struct floor_places *p)
{
	(void)umask(0);
	if (build(f, p) == -1 || make_proc() == -1 ||
	    make_parents(f->ws_path) == -1 || close_at("/", 0) == -1)
		return -1;
	(void)umask(022);
	return 0;
}

int
floor_mounts_enter(const struct floor *f, const struct floor_places *p,
    int transaction)
{
	int overlay = make_overlay(p, transaction);

	if (overlay == -1 || move_mount(overlay, "", AT_FDCWD, f->ws_path,
				 MOVE_MOUNT_F_EMPTY_PATH) == -1)
		return -1;
	return chdir(f->ws_path);
}
