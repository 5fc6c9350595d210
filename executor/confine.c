/* SPDX-License-Identifier: ISC */
/* What of the mounted tree may be changed, said to Landlock. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/landlock.h"
#include "executor/confine.h"
#include "executor/filter.h"

/* Devices are none of a patch's business. */
#define MAY_CHANGE                                                             \
	((LOCK_FS_CHANGES | LOCK_FS_REFER | LOCK_FS_TRUNCATE) &                \
	    ~(uint64_t)(LANDLOCK_ACCESS_FS_MAKE_CHAR |                         \
			LANDLOCK_ACCESS_FS_MAKE_BLOCK))
#define MAY_USE                                                                \
	((uint64_t)LANDLOCK_ACCESS_FS_WRITE_FILE | LOCK_FS_TRUNCATE |          \
	    LOCK_FS_IOCTL_DEV)

struct place {
	const char *path;
	uint64_t access;
};

/* The private ones of rootfs.c. */
static const struct place private_places[] = {{"/tmp", MAY_CHANGE},
    {"/var/tmp", MAY_CHANGE}, {"/home", MAY_CHANGE}, {"/root", MAY_CHANGE},
    {"/run", MAY_CHANGE}, {"/dev/shm", MAY_CHANGE}, {"/dev/null", MAY_USE},
    {"/dev/zero", MAY_USE}, {"/dev/full", MAY_USE}, {"/dev/random", MAY_USE},
    {"/dev/urandom", MAY_USE}, {"/dev/tty", MAY_USE}};

static int
allow_places(int ruleset, const struct landlock_rules *rules,
    const struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int fd = open(places[i].path, O_PATH | O_CLOEXEC);
		int rc;

		if (fd == -1)
			continue; /* not there: nothing to allow */
		rc = landlock_allow(ruleset, fd, places[i].access & rules->fs);
		(void)close(fd);
		if (rc == -1)
			return -1;
	}
	return 0;
}

int
confine_prepare(const struct jail_spec *spec, int root, int *ruleset)
{
	struct landlock_rules rules = {.fs = LOCK_FS_CHANGES | LOCK_FS_REFER |
					     LOCK_FS_TRUNCATE |
					     LOCK_FS_IOCTL_DEV,
	    .scope = LOCK_SCOPE_ABSTRACT | LOCK_SCOPE_SIGNAL};
	size_t count = spec->confined
			   ? sizeof(private_places) / sizeof(private_places[0])
			   : 0;

	*ruleset = -1;
	if (landlock_version() < 2)
		return 0;
	/* Who runs no command executes nothing. */
	if (!spec->confined)
		rules.fs |= LANDLOCK_ACCESS_FS_EXECUTE;
	*ruleset = landlock_open(&rules);
	if (*ruleset == -1 ||
	    landlock_allow(*ruleset, root, MAY_CHANGE & rules.fs) == -1)
		return -1;
	return allow_places(*ruleset, &rules, private_places, count);
}

bool
confine_inet(const struct jail_spec *spec)
{
	return spec->confined;
}

int
confine_enter(const struct jail_spec *spec, int ruleset)
{
	int rc = ruleset != -1 ? landlock_enter(ruleset) : 0;

	if (ruleset != -1)
		(void)close(ruleset);
	return rc == 0 ? filter_enter(confine_inet(spec)) : -1;
}
