/* SPDX-License-Identifier: ISC */
/* The one ladder of Landlock and no_new_privs that the daemons share. */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/landlock.h"
#include "common/log.h"
#include "common/sandbox.h"

struct sandbox_place {
	char *path;
	dev_t dev;
	ino_t ino; /* 0: it was not there */
};

/* The directory, or the nearest one above it: an O_PATH fd, -1 for none. */
static int
open_nearest(const char *path)
{
	char up[PATH_MAX];
	char *slash;
	int fd = -1;

	if (strlcpy(up, path, sizeof up) >= sizeof up)
		return -1;
	while (fd == -1 && strcmp(up, "/") != 0 && up[0] == '/') {
		fd = open(up, O_PATH | O_DIRECTORY | O_CLOEXEC);
		slash = strrchr(up, '/');
		slash[slash == up] = '\0';
	}
	return fd;
}

/* Closes fd. */
static int
allow(int ruleset, int fd, uint64_t access)
{
	int rc = landlock_allow(ruleset, fd, access);

	if (fd != -1)
		(void)close(fd);
	return rc;
}

static int
allow_all(int ruleset, const struct sandbox *sb, uint64_t changes)
{
	size_t i;

	for (i = 0; i < sb->count; i++) {
		const char *path = sb->places[i].path;

		if (allow(ruleset, open_nearest(path), changes) == -1) {
			log_warn("%s: not allowed for writing", path);
			return -1;
		}
	}
	/* Libraries write there and mean nothing by it. */
	return allow(ruleset, open("/dev/null", O_PATH | O_CLOEXEC),
	    LANDLOCK_ACCESS_FS_WRITE_FILE);
}

void
sandbox_allow(struct sandbox *sb, const char *dir)
{
	struct sandbox_place *p;
	struct stat st;

	sb->places =
	    xreallocarray(sb->places, sb->count + 1, sizeof *sb->places);
	p = &sb->places[sb->count++];
	*p = (struct sandbox_place){.path = xstrdup(dir)};
	if (stat(dir, &st) == 0) {
		p->dev = st.st_dev;
		p->ino = st.st_ino;
	}
}

void
sandbox_allow_around(struct sandbox *sb, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir =
	    slash == NULL
		? xstrdup(".")
		: xstrndup(file, slash == file ? 1 : (size_t)(slash - file));

	sandbox_allow(sb, dir);
	free(dir);
}

bool
sandbox_enter(struct sandbox *sb)
{
	struct landlock_rules rules = {.fs = LOCK_FS_CHANGES | LOCK_FS_REFER |
					     LOCK_FS_TRUNCATE |
					     LANDLOCK_ACCESS_FS_EXECUTE};
	int ruleset = landlock_open(&rules);

	/* A rule that cannot be made would forbid what the daemon needs: all
	 * of it or nothing. */
	if (ruleset != -1 &&
	    allow_all(ruleset, sb,
		rules.fs & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE) == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		sb->held = landlock_enter(ruleset) == 0;
	if (ruleset != -1)
		(void)close(ruleset);
	if (!sb->held)
		log_warnx("the kernel does not confine this process to its "
			  "directories");
	return sb->held;
}

bool
sandbox_moved(const struct sandbox *sb)
{
	struct stat st;

	for (size_t i = 0; sb->held && i < sb->count; i++) {
		const struct sandbox_place *p = &sb->places[i];

		/* What appears lies below what was allowed in its place. */
		if (p->ino == 0)
			continue;
		if (stat(p->path, &st) == -1
			? errno == ENOENT
			: st.st_dev != p->dev || st.st_ino != p->ino)
			return true;
	}
	return false;
}

void
sandbox_close(struct sandbox *sb)
{
	for (size_t i = 0; i < sb->count; i++)
		free(sb->places[i].path);
	free(sb->places);
	*sb = (struct sandbox){0};
}
