/* SPDX-License-Identifier: ISC */
/* The log directory of a root install. */
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/account.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/spool.h"
#include "common/sys.h"
#include "watchdog/rights.h"

#define GROUP_NAME "patchflow"
#define MODE_LOGS 03770

/* (gid_t)-1: nobody but root needs to come in. */
static gid_t
group_of_daemons(const char *user)
{
	struct account own, g;

	if (user[0] == '\0' || account_user(user, &own) == -1 || own.uid == 0)
		return (gid_t)-1;
	return account_group(GROUP_NAME, &g) == 0 ? g.gid : own.gid;
}

void
rights_make_logs(const struct settings *s)
{
	const char *path = s->logs.directory;
	gid_t group;
	int fd;

	if (geteuid() != 0 || path[0] == '\0' || access(path, F_OK) == 0)
		return;
	group = group_of_daemons(s->user);
	if (group == (gid_t)-1 || spool_make(AT_FDCWD, path, 0750) == -1)
		return; /* logs_open makes it, or says why not */
	fd = spool_dir(AT_FDCWD, path);
	if (fd == -1 || sys_fchown(fd, 0, group) == -1 ||
	    sys_fchmod(fd, MODE_LOGS) == -1)
		log_warn("%s: not opened to the daemons' group", path);
	if (fd != -1)
		(void)close(fd);
}
