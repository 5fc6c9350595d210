/* SPDX-License-Identifier: ISC */
/* The three system calls, and what each version of them knows. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <unistd.h>

#include "common/landlock.h"

/* As in the newest headers. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

/* These concern files too; the others only what lies in directories. */
#define OF_FILES                                                               \
	((uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE |                               \
		    LANDLOCK_ACCESS_FS_WRITE_FILE |                            \
		    LANDLOCK_ACCESS_FS_READ_FILE) |                            \
	    LOCK_FS_TRUNCATE | LOCK_FS_IOCTL_DEV)

int
landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	/* Not built in, off, or kept from us by a filter. */
	if (version == -1 &&
	    (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM))
		return 0;
	return (int)version;
}

static void
fit(struct landlock_rules *r, int version)
{
	if (version < 3)
		r->fs &= ~LOCK_FS_TRUNCATE;
	if (version < 5)
		r->fs &= ~LOCK_FS_IOCTL_DEV;
	if (version < 4)
		r->net = 0;
	if (version < 6)
		r->scope = 0;
}

int
landlock_open(struct landlock_rules *rules)
{
	int version = landlock_version();
	struct ruleset_attr attr;

	if (version == -1)
		return -1;
	/* The first version forbids moving between directories altogether:
	 * nothing that makes files by rename can live with that. */
	if (version < 2) {
		errno = EOPNOTSUPP;
		return -1;
	}
	fit(rules, version);
	attr = (struct ruleset_attr){rules->fs, rules->net, rules->scope};
	/* An older kernel takes what it does not know as long as it is 0. */
	return (
	    int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
}

int
landlock_allow(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.parent_fd = fd};
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	rule.allowed_access = S_ISDIR(st.st_mode) ? access : access & OF_FILES;
	return (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int
landlock_enter(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
