/* SPDX-License-Identifier: ISC */
/* What a jail without namespaces has for /home and /tmp. */
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/sys.h"
#include "executor/bare.h"

static int
make_private(int txn, const char *name, const struct jail_user *user)
{
	if (sys_mkdirat(txn, name, 0700) == -1)
		return -1;
	return user->switches ? fchownat(txn, name, user->uid, user->gid, 0)
			      : 0;
}

int
bare_make(const struct jail_spec *spec)
{
	int txn = open(spec->txn, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int answer;

	if (txn == -1)
		return -1;
	/* The user must be able to name what he works in. */
	answer = make_private(txn, BARE_HOME, spec->user) == -1 ||
			 make_private(txn, BARE_TMP, spec->user) == -1 ||
			 (spec->user->switches && sys_fchmod(txn, 0711) == -1)
		     ? -1
		     : 0;
	(void)close(txn);
	return answer;
}
