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

#define IDENTITY_NAME 256

struct identity_numbers {
	struct account account;     /* gid is group's */
	struct timespec changed[2]; /* of the two files, as read */
};

struct identity {
	char user[IDENTITY_NAME];
	char group[IDENTITY_NAME];
	bool known;
	struct identity_numbers numbers;
};

/* It is of these names, and nothing has changed since. */
bool identity_holds(const struct identity *id, const char *user,
    const char *group);
/*
 * Looks user up, and group unless it is "" (then its own). 0, or -1 with errno
 * (ENOENT: there is none) and the name that was not found in *who.
 */
int identity_find(struct identity *id, const char *user, const char *group,
    const char **who);
/* What somebody else has found. */
void identity_set(struct identity *id, const char *user, const char *group,
    const struct identity_numbers *found);

#endif
