/* SPDX-License-Identifier: ISC */
/* Giving up rights for good. */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <unistd.h>

#include "executor/jail.h"

static int
drop_bounding(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap) == -1)
			return -1;
	}
	return 0;
}

static int
drop_caps(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		return -1;
	return (int)syscall(SYS_capset, &head, none);
}

static bool
may_drop_bounding(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct now[2] = {{0, 0, 0}, {0, 0, 0}};

	if (syscall(SYS_capget, &head, now) == -1)
		return false;
	return (now[0].effective & (1u << CAP_SETPCAP)) != 0;
}

int64_t
jail_count_processes(uid_t uid)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	struct stat st;
	int64_t count = 0;

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (isdigit((unsigned char)e->d_name[0]) &&
		    fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
		    st.st_uid == uid)
			count++;
	}
	(void)closedir(d);
	return count;
}

int
jail_drop(const struct jail_user *user)
{
	/* The bounding set first: it takes a capability to lower it. */
	if (may_drop_bounding() && drop_bounding() == -1)
		return -1;
	if (user->switches &&
	    (initgroups(user->name, user->gid) == -1 ||
		setresgid(user->gid, user->gid, user->gid) == -1 ||
		setresuid(user->uid, user->uid, user->uid) == -1))
		return -1;
	if (drop_caps() == -1)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	/* Commands of the same user must not look into us. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
