/* SPDX-License-Identifier: ISC */
/* Limits of one daemon: a control group's first, else its process's own. */
#include <sys/resource.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "watchdog/limits.h"

#define NO_CGROUP CGROUP__MAX
#define NO_RLIMIT (-1)

static const char *const by_word[] = {
    [LIMIT_NONE] = "",
    [LIMIT_CGROUP_V1] = "cgroup v1",
    [LIMIT_CGROUP_V2] = "cgroup v2",
    [LIMIT_RLIMIT] = "rlimit",
    [LIMIT_UNENFORCED] = "not enforced",
};
_Static_assert(sizeof by_word / sizeof by_word[0] == LIMIT_BY__MAX,
    "a word each");

/*
 * RLIMIT_DATA counts what a process itself allocates, of each process alone;
 * RLIMIT_NPROC counts all of the user's, and root's never.
 */
static const struct {
	const char *name;
	size_t offset;
	int controller;
	int rlimit;
} rows[] = {
    [LIMIT_MEMORY] = {"memory", offsetof(struct daemon_limits, memory),
	CGROUP_MEMORY, RLIMIT_DATA},
    [LIMIT_FILES] = {"files", offsetof(struct daemon_limits, files), NO_CGROUP,
	RLIMIT_NOFILE},
    [LIMIT_PROCESSES] = {"processes", offsetof(struct daemon_limits, processes),
	CGROUP_PIDS, RLIMIT_NPROC},
    [LIMIT_CPU] = {"cpu", offsetof(struct daemon_limits, cpu), CGROUP_CPU,
	NO_RLIMIT},
};
_Static_assert(sizeof rows / sizeof rows[0] == LIMIT__MAX, "a row a limit");

static int64_t
value_of(const struct daemon_limits *l, enum limit which)
{
	int64_t value;

	memcpy(&value, (const char *)l + rows[which].offset, sizeof value);
	return value;
}

bool
limits_want_cgroup(const struct watchdog_settings *w)
{
	const struct daemon_limits *l;
	size_t i;

	for (i = 0; i < w->daemon_count; i++) {
		l = &w->daemons[i].limits;
		if (l->memory > 0 || l->processes > 0 || l->cpu > 0)
			return true;
	}
	return false;
}

static void
add_rlimit(struct spawn *sp, int resource, rlim_t value)
{
	struct rlimit now;

	/* Only root may go beyond what it was given itself. */
	if (getrlimit((__rlimit_resource_t)resource, &now) == 0 &&
	    geteuid() != 0 && value > now.rlim_max)
		value = now.rlim_max;
	sp->rlimits[sp->rlimit_count].resource = resource;
	sp->rlimits[sp->rlimit_count++].value = value;
}

static enum limit_by
hold(const struct cgroup *c, enum limit which, int64_t value,
    const char *instance, struct spawn *sp)
{
	int controller = rows[which].controller, fd = -1;

	if (c != NULL && controller != NO_CGROUP)
		fd = cgroup_limit(c, (enum cgroup_controller)controller,
		    instance, value);
	if (fd != -1) {
		sp->cgroups[sp->cgroup_count++] = fd;
		return c->version[controller] == 2 ? LIMIT_CGROUP_V2
						   : LIMIT_CGROUP_V1;
	}
	if (rows[which].rlimit == NO_RLIMIT ||
	    (which == LIMIT_PROCESSES && sp->who == NULL && geteuid() == 0))
		return LIMIT_UNENFORCED;
	add_rlimit(sp, rows[which].rlimit, (rlim_t)value);
	return LIMIT_RLIMIT;
}

void
limits_prepare(const struct daemon_settings *d, const struct cgroup *c,
    const char *instance, struct spawn *sp, struct limits *l)
{
	int64_t value;
	int i;

	for (i = 0; i < LIMIT__MAX; i++)
		l->by[i] = LIMIT_NONE;
	if (d == NULL)
		return;
	for (i = 0; i < LIMIT__MAX; i++) {
		value = value_of(&d->limits, (enum limit)i);
		if (value > 0)
			l->by[i] = hold(c, (enum limit)i, value, instance, sp);
	}
	add_rlimit(sp, RLIMIT_CORE, d->limits.core ? RLIM_INFINITY : 0);
	sp->nice = (int)d->nice;
}

void
limits_release(struct spawn *sp)
{
	while (sp->cgroup_count > 0)
		(void)close(sp->cgroups[--sp->cgroup_count]);
}

json_t *
limits_json(const struct daemon_settings *d, const struct limits *l)
{
	json_t *all = json_object();
	int i;

	for (i = 0; d != NULL && i < LIMIT__MAX; i++)
		if (l->by[i] != LIMIT_NONE &&
		    json_object_set_new(all, rows[i].name,
			json_pack("{s:I, s:s}", "limit",
			    (json_int_t)value_of(&d->limits, (enum limit)i),
			    "by", by_word[l->by[i]])) == -1) {
			json_decref(all);
			return NULL;
		}
	return all;
}
