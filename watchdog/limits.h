/* SPDX-License-Identifier: ISC */
/*
 * watchdog.daemons put to work at a start: what the child must set for itself,
 * and for status by what each limit is held: a control group, a resource
 * limit, or nothing on this machine.
 */
#ifndef WATCHDOG_LIMITS_H
#define WATCHDOG_LIMITS_H

#include <jansson.h>

#include "common/settings.h"
#include "watchdog/cgroup.h"
#include "watchdog/spawn.h"

enum limit {
	LIMIT_MEMORY,
	LIMIT_FILES,
	LIMIT_PROCESSES,
	LIMIT_CPU,
	LIMIT__MAX
};

enum limit_by {
	LIMIT_NONE, /* no such limit is set */
	LIMIT_CGROUP_V1,
	LIMIT_CGROUP_V2,
	LIMIT_RLIMIT,
	LIMIT_UNENFORCED, /* set, and nothing here can hold it */
	LIMIT_BY__MAX
};

struct limits {
	enum limit_by by[LIMIT__MAX];
};

/* Does any daemon have a limit that a control group would hold? */
bool limits_want_cgroup(const struct watchdog_settings *w);
/* d may be NULL: nothing is set for it. Behind it limits_release is due. */
void limits_prepare(const struct daemon_settings *d, const struct cgroup *c,
    const char *instance, struct spawn *sp, struct limits *l);
void limits_release(struct spawn *sp);
/* {"memory": {"limit": ..., "by": ...}, ...}; NULL when out of memory. */
json_t *limits_json(const struct daemon_settings *d, const struct limits *l);

#endif
