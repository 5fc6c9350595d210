/* SPDX-License-Identifier: ISC */
/* Families of processes. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "executor/kin.h"

static bool
is_in(const struct kin *k, pid_t pid)
{
	for (size_t i = 0; i < k->count; i++) {
		if (k->pids[i] == pid)
			return true;
	}
	return false;
}

static void
add(struct kin *k, pid_t pid)
{
	if (pid <= 1 || pid == getpid() || is_in(k, pid))
		return;
	k->pids = xreallocarray(k->pids, k->count + 1, sizeof(*k->pids));
	k->pids[k->count++] = pid;
}

static bool
read_all(const char *path, struct buf *out)
{
	char chunk[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	buf_clear(out);
	while (fd != -1 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)n);
	if (fd != -1)
		(void)close(fd);
	return n == 0;
}

/* Those whom one thread has made or adopted. */
static bool
add_of_thread(struct kin *k, pid_t pid, const char *tid, struct buf *text)
{
	char path[96];
	char *at, *end;

	if (snprintf(path, sizeof(path), "/proc/%ld/task/%.20s/children",
		(long)pid, tid) < 0 ||
	    !read_all(path, text))
		return false;
	for (at = text->bytes; text->len > 0 && *at != '\0'; at = end) {
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		add(k, (pid_t)child);
	}
	return true;
}

static void
add_children(struct kin *k, pid_t pid, struct buf *text)
{
	char path[64];
	struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	d = opendir(path);
	if (d == NULL)
		k->whole = false;
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (isdigit((unsigned char)e->d_name[0]) &&
		    !add_of_thread(k, pid, e->d_name, text))
			k->whole = false;
	}
	if (d != NULL)
		(void)closedir(d);
}

/* The name in parentheses may hold anything; the state is the third field, the
 * number of threads the twentieth. */
bool
kin_has_ended(const char *stat)
{
	const char *at = strrchr(stat, ')');

	if (at == NULL || at[1] == '\0' || (at[2] != 'Z' && at[2] != 'X'))
		return false;
	for (int field = 2; at != NULL && field < 20; field++)
		at = strchr(at + 1, ' ');
	return at == NULL || strtol(at + 1, NULL, 10) <= 1;
}

/* Of stat the fourth field. False where it is gone or waits to be reaped. */
static bool
read_parent(pid_t pid, struct buf *text, pid_t *parent)
{
	char path[64];
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if (!read_all(path, text) || text->len == 0)
		return false;
	at = strrchr(text->bytes, ')');
	if (at == NULL || strlen(at) < 4 || kin_has_ended(text->bytes))
		return false;
	*parent = (pid_t)strtol(at + 4, NULL, 10);
	return true;
}

/* One look at all processes; true where it has found another one. */
static bool
add_by_parents(struct kin *k, pid_t root, struct buf *text)
{
	size_t before = k->count;
	DIR *d = opendir("/proc");
	struct dirent *e;
	pid_t parent;

	while (d != NULL && (e = readdir(d)) != NULL) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (isdigit((unsigned char)e->d_name[0]) &&
		    read_parent(pid, text, &parent) &&
		    (parent == root || is_in(k, parent)))
			add(k, pid);
	}
	if (d != NULL)
		(void)closedir(d);
	return k->count > before;
}

static int has = -1; /* children files; -1: not looked yet */

void
kin_distrust(void)
{
	has = 0;
}

static bool
has_children_files(void)
{
	char path[64];

	if (has == -1) {
		(void)snprintf(path, sizeof(path),
		    "/proc/%ld/task/%ld/children", (long)getpid(),
		    (long)getpid());
		has = access(path, R_OK) == 0;
	}
	return has == 1;
}

/* Those of root, and theirs. */
static void
add_family(struct kin *k, pid_t root, struct buf *text)
{
	size_t i = k->count;

	if (!has_children_files()) {
		while (add_by_parents(k, root, text))
			continue;
		return;
	}
	add_children(k, root, text);
	for (; i < k->count; i++)
		add_children(k, k->pids[i], text);
}

void
kin_read(struct kin *k, pid_t root)
{
	struct buf text = {0};
	pid_t parent;

	k->count = 0;
	k->whole = true;
	add_family(k, root, &text);
	if (root != getpid())
		add_family(k, getpid(), &text);
	for (size_t i = 0; k->whole && i < k->count; i++)
		k->whole = read_parent(k->pids[i], &text, &parent);
	buf_free(&text);
}

void
kin_free(struct kin *k)
{
	free(k->pids);
	*k = (struct kin){0};
}
