/* SPDX-License-Identifier: ISC */
/* Making, cutting and picturing the world. */
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/inject/copy.h"
#include "tests/inject/image.h"
#include "tests/inject/world.h"

/* FS_IOC_SHUTDOWN, which the headers of file systems keep to themselves. */
#define IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH 2u
#define BUSY_MS 5000 /* a dying namespace lets go of its mounts late */

static int
run(const char *script, const char *a, const char *b)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", script, "sh", a, b,
		    (char *)NULL);
		_exit(127);
	}
	while (pid != -1 && waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return -1;
	}
	return pid != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0
									  : -1;
}

static int
leave(const struct world *w)
{
	int64_t until = clock_mono_ms() + BUSY_MS;
	const struct timespec pause = {0, 2000000};

	while (umount2(w->path, 0) == -1) {
		if (errno == EINVAL)
			return 0; /* is no mount (any more) */
		if (errno != EBUSY || clock_mono_ms() > until)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

static int
enter(const struct world *w)
{
	return run("mount -o loop \"$1\" \"$2\"", w->disk, w->path);
}

int
world_restore(struct world *w)
{
	if (w->disk == NULL)
		return copy_remove(w->path) == 0 ? copy_tree(w->saved, w->path)
						 : -1;
	if (leave(w) == -1 ||
	    run("cp --sparse=always --remove-destination \"$1\" \"$2\"",
		w->saved, w->disk) == -1)
		return -1;
	return enter(w);
}

int
world_cut_power(const struct world *w)
{
	int fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t how = NO_LOG_FLUSH;
	int answer = fd == -1 ? -1 : ioctl(fd, IOC_SHUTDOWN, &how);

	if (fd != -1)
		(void)close(fd);
	return answer;
}

/* A loop device of its own each time: the old one may not be gone yet. */
int
world_remount(const struct world *w)
{
	return leave(w) == 0 ? enter(w) : -1;
}

void
world_leave(const struct world *w)
{
	if (w->disk != NULL)
		(void)leave(w);
}

static void
tree_path(const struct world *w, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s/ws", w->path);
}

static int
add_look(const struct world *w, struct buf *out)
{
	char path[PATH_MAX], line[4096];
	FILE *f;

	if (w->look == NULL)
		return 0;
	(void)snprintf(path, sizeof(path), "%s.look", w->path);
	if (run("eval \"$1\" >\"$2\"", w->look, path) == -1)
		return -1;
	f = fopen(path, "r");
	if (f == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL)
		buf_puts(out, line);
	return fclose(f);
}

int
world_note_before(struct world *w)
{
	char path[PATH_MAX];

	tree_path(w, path);
	if ((w->between != NULL &&
		image_take(w->between, w->recent, false, &w->middle) == -1) ||
	    (w->otherwise != NULL &&
		image_take(w->otherwise, w->recent, false, &w->other) == -1))
		return -1;
	return image_take(path, w->recent, false, &w->before);
}

int
world_note_after(struct world *w)
{
	char path[PATH_MAX];

	tree_path(w, path);
	return image_take(path, w->recent, w->look != NULL, &w->after) == 0
		   ? add_look(w, &w->after)
		   : -1;
}

static bool
is_equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool
world_is_kept(const struct world *w)
{
	return is_equal(&w->before, &w->after);
}

/* Whole, and as it is compared with what a plain run leaves. */
static int
take_images(const struct world *w, struct buf *full, struct buf *now)
{
	char path[PATH_MAX];

	tree_path(w, path);
	if (image_take(path, w->recent, false, full) == -1)
		return -1;
	/* One that is as it was need not be looked into again. */
	if (w->look == NULL || is_equal(full, &w->before)) {
		buf_add(now, full->bytes, full->len);
		return 0;
	}
	return image_take(path, w->recent, true, now) == 0 ? add_look(w, now)
							   : -1;
}

enum image
world_image(struct world *w, char **why)
{
	struct buf full = {0}, now = {0};
	bool before, after, middle;

	*why = NULL;
	if (take_images(w, &full, &now) == -1) {
		*why = xasprintf("no image: %s", strerror(errno));
		buf_free(&full);
		buf_free(&now);
		return IMAGE_NEITHER;
	}
	before = is_equal(&full, &w->before);
	after = is_equal(&now, &w->after);
	middle = (w->between != NULL && is_equal(&full, &w->middle)) ||
		 (w->otherwise != NULL && is_equal(&full, &w->other));
	if (!before && !after && !middle)
		*why = image_difference(w->after.bytes, now.bytes);
	buf_free(&full);
	buf_free(&now);
	return before && after ? IMAGE_SAME
	       : before        ? IMAGE_BEFORE
	       : after         ? IMAGE_AFTER
	       : middle        ? IMAGE_BETWEEN
			       : IMAGE_NEITHER;
}

/* FUNCTION of each path that the pattern below the spool finds. */
static void
each(const struct world *w, const char *pattern,
    void (*visit)(const char *, void *), void *owner)
{
	char path[PATH_MAX];
	glob_t g;

	(void)snprintf(path, sizeof(path), "%s/spool/%s", w->path, pattern);
	if (glob(path, GLOB_NOSORT, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc; i++)
			visit(g.gl_pathv[i], owner);
		globfree(&g);
	}
}

static void
visit_remove(const char *path, void *owner)
{
	(void)owner;
	(void)unlink(path);
}

void
world_hurry(const struct world *w)
{
	char pattern[128];

	(void)snprintf(pattern, sizeof(pattern), "state/executor@%s/1*.json",
	    w->queue);
	each(w, pattern, visit_remove, NULL);
}

void
world_forget_records(const struct world *w)
{
	char pattern[128];

	(void)snprintf(pattern, sizeof(pattern),
	    "state/executor@%s/txn/*/COMMIT", w->queue);
	each(w, pattern, visit_remove, NULL);
}
