/* SPDX-License-Identifier: ISC */
/*
 * Who a daemon becomes: numbers and groups of an account, remembered until
 * /etc/passwd or /etc/group changes, so that a restart reads neither.
 */
#ifndef WATCHDOG_IDENTITY_H
#define WATCHDOG_IDENTITY_H

#include <stdbool.h>
#include <time.h>

#include "common/account.h"

#define IDENTITY_NAME 64

struct identity {
	char user[IDENTITY_NAME];
	char group[IDENTITY_NAME];
	bool known;
	struct account account;     /* gid is group's */
	struct timespec changed[2]; /* of the two files, as read */
};

/*
 * Looks user up, and group unless it is "" (then its own). 0, or -1 with errno
 * (ENOENT: there is none) and the name that was not found in *who.
 */
int identity_find(struct identity *id, const char *user, const char *group,
    const char **who);

#endif
