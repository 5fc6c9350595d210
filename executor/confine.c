/* SPDX-License-Identifier: ISC */
/* What of the mounted tree may be changed, said to Landlock. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/landlock.h"
#include "executor/bare.h"
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

/* By the error of opening it: nothing to allow is no failure, but what could
 * not be opened for a moment would be lacked for good. */
static bool
is_there(int error)
{
	return error != ENOENT && error != ENOTDIR && error != EACCES &&
	       error != ELOOP;
}

static int
allow_places(int ruleset, const struct landlock_rules *rules,
    const struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int fd = open(places[i].path, O_PATH | O_CLOEXEC);
		int rc;

		if (fd == -1 && !is_there(errno))
			continue;
		if (fd == -1)
			return -1;
		rc = landlock_allow(ruleset, fd, places[i].access & rules->fs);
		(void)close(fd);
		if (rc == -1)
			return -1;
	}
	return 0;
}

/* Without namespaces: what programs need, and no secrets, homes or sockets. */
#define MAY_READ (LOCK_FS_READS | LANDLOCK_ACCESS_FS_EXECUTE)
static const struct place bare_places[] = {{"/usr", MAY_READ},
    {"/bin", MAY_READ}, {"/sbin", MAY_READ}, {"/lib", MAY_READ},
    {"/lib32", MAY_READ}, {"/lib64", MAY_READ}, {"/libx32", MAY_READ},
    {"/etc", MAY_READ}, {"/opt", MAY_READ}, {"/proc", LOCK_FS_READS},
    {"/sys", LOCK_FS_READS}, {"/dev/null", LOCK_FS_READS | MAY_USE},
    {"/dev/zero", LOCK_FS_READS | MAY_USE},
    {"/dev/full", LOCK_FS_READS | MAY_USE},
    {"/dev/random", LOCK_FS_READS | MAY_USE},
    {"/dev/urandom", LOCK_FS_READS | MAY_USE}};

static int
allow_bare(const struct jail_spec *spec, int ruleset,
    const struct landlock_rules *rules)
{
	const struct conf_strings *e = &spec->queue->expose;
	char home[PATH_MAX + 16], tmp[PATH_MAX + 16];
	struct place own[] = {{home, MAY_READ | MAY_CHANGE},
	    {tmp, MAY_READ | MAY_CHANGE}};

	(void)snprintf(home, sizeof(home), "%s/" BARE_HOME, spec->txn);
	(void)snprintf(tmp, sizeof(tmp), "%s/" BARE_TMP, spec->txn);
	for (size_t i = 0; i < e->count; i++) {
		struct place shown = {e->items[i], MAY_READ};

		if (allow_places(ruleset, rules, &shown, 1) == -1)
			return -1;
	}
	return allow_places(ruleset, rules, own, 2) == -1
		   ? -1
		   : allow_places(ruleset, rules, bare_places,
			 sizeof(bare_places) / sizeof(bare_places[0]));
}

static uint64_t
handled(const struct jail_spec *spec)
{
	uint64_t fs = LOCK_FS_CHANGES | LOCK_FS_REFER | LOCK_FS_TRUNCATE |
		      LOCK_FS_IOCTL_DEV;

	if (spec->way == JAIL_BARE)
		return fs | MAY_READ;
	/* Who runs no command executes nothing. */
	return spec->way == JAIL_PLAIN ? fs | LANDLOCK_ACCESS_FS_EXECUTE : fs;
}

int
confine_prepare(const struct jail_spec *spec, int root, int *ruleset)
{
	bool bare = spec->way == JAIL_BARE;
	struct landlock_rules rules = {.fs = handled(spec),
	    .net = bare && !spec->network
		       ? LOCK_NET_BIND_TCP | LOCK_NET_CONNECT_TCP
		       : 0,
	    .scope = LOCK_SCOPE_ABSTRACT | LOCK_SCOPE_SIGNAL};
	int version = landlock_version();

	*ruleset = -1;
	if (version == -1)
		return -1; /* the next one may say */
	if (version < 2) {
		errno = EOPNOTSUPP;
		/* Elsewhere the mounts stand; there nothing else does. */
		return bare ? -1 : 0;
	}
	*ruleset = landlock_open(&rules);
	if (*ruleset == -1 ||
	    landlock_allow(*ruleset, root,
		(bare ? MAY_CHANGE | MAY_READ : MAY_CHANGE) & rules.fs) == -1)
		return -1;
	if (bare)
		return allow_bare(spec, *ruleset, &rules);
	return spec->way == JAIL_PLAIN
		   ? 0
		   : allow_places(*ruleset, &rules, private_places,
			 sizeof(private_places) / sizeof(private_places[0]));
}

bool
confine_inet(const struct jail_spec *spec)
{
	return spec->network || spec->way == JAIL_COPY ||
	       spec->way == JAIL_OVERLAY;
}

int
confine_enter(const struct jail_spec *spec, int ruleset)
{
	int rc = ruleset != -1 ? landlock_enter(ruleset) : 0;

	if (ruleset != -1)
		(void)close(ruleset);
	/* Who runs no command has been in its filter from the beginning. */
	if (rc == -1 || spec->way == JAIL_PLAIN)
		return rc;
	return filter_enter(confine_inet(spec));
}
