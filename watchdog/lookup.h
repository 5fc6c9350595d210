/* SPDX-License-Identifier: ISC */
/*
 * Accounts of daemons, looked up by errands: a name service may keep whoever
 * asks it waiting, and nobody but the daemon that needs the account is to wait
 * for that. Daemons of one account share an answer.
 */
#ifndef WATCHDOG_LOOKUP_H
#define WATCHDOG_LOOKUP_H

#include <stdint.h>

#include "watchdog/errand.h"
#include "watchdog/identity.h"

struct watchdog;

#define LOOKUPS 4 /* at a time */

enum lookup_answer {
	LOOKUP_KNOWN,
	LOOKUP_ASKED, /* supervise_settle() comes with the answer */
	LOOKUP_FAILED
};

struct lookup {
	struct errand errand;
	char user[IDENTITY_NAME]; /* ""; a free one */
	char group[IDENTITY_NAME];
	struct identity found;
	int error; /* of a last look that found nothing, or 0 */
	bool no_group;
	int64_t failed_ms;
};

struct lookups {
	struct lookup at[LOOKUPS];
};

/*
 * user, and group unless it is "", into out where it is known; what out has
 * from before is enough for as long as it holds. LOOKUP_FAILED is with errno
 * (ETIMEDOUT: no answer within 10 s) and the name that was not found.
 */
enum lookup_answer lookup_account(struct watchdog *w, const char *user,
    const char *group, struct identity *out, const char **missing);

#endif
