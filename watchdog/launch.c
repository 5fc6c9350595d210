/* SPDX-License-Identifier: ISC */
/* From a service and its settings to a process. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "watchdog/channel.h"
#include "watchdog/launch.h"
#include "watchdog/lookup.h"
#include "watchdog/predecessors.h"
#include "watchdog/watchdog.h"

extern char **environ;

/* Says who for whom; never inherited. */
static const char *const ours[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC",
    "WATCHDOG_PID", "PATCHFLOW_CONFIG", PREDECESSORS_MARK};

static bool
is_called(const char *variable, const char *name)
{
	size_t len = strlen(name);

	return strncmp(variable, name, len) == 0 && variable[len] == '=';
}

/* One that we or the configuration set is not taken from our own. */
static bool
is_replaced(const char *variable, const struct conf_pairs *set)
{
	size_t i;

	for (i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (is_called(variable, ours[i]))
			return true;
	for (i = 0; set != NULL && i < set->count; i++)
		if (is_called(variable, set->names[i]))
			return true;
	return false;
}

static char **
make_environment(const struct service *s, const struct conf_pairs *set)
{
	size_t n = 0, i, more = set != NULL ? set->count : 0;
	char **env;

	while (environ[n] != NULL)
		n++;
	env = xcalloc(n + more + 4, sizeof *env);
	for (i = n = 0; environ[i] != NULL; i++)
		if (!is_replaced(environ[i], set))
			env[n++] = xstrdup(environ[i]);
	for (i = 0; i < more; i++)
		env[n++] = xasprintf("%s=%s", set->names[i], set->values[i]);
	env[n++] = xasprintf("NOTIFY_SOCKET=%s", s->notify_path);
	env[n++] = xasprintf("WATCHDOG_USEC=%" PRId64,
	    s->owner->settings->watchdog.heartbeat * 2000);
	env[n++] = xasprintf("%s%" PRId64 ":%s", PREDECESSORS_MARK_SET,
	    s->owner->since_us, s->owner->tree->path);
	return env;
}

static void
free_environment(char **env)
{
	size_t i;

	for (i = 0; env[i] != NULL; i++)
		free(env[i]);
	free(env);
}

/* Its own user, else the suite's unless it needs root's rights. */
static const char *
user_of(const struct service *s, const struct daemon_settings *d)
{
	if (d != NULL && d->user[0] != '\0')
		return d->user;
	return s->kind->privileged ? "" : s->owner->settings->user;
}

/* 0, -1 with trouble, or LAUNCH_LATER. */
static int
choose_user(struct service *s, const struct daemon_settings *d,
    struct spawn *sp)
{
	const char *user = user_of(s, d), *who = user;
	enum lookup_answer answer;

	/* An executor sets it for commands, behind what it needs itself. */
	sp->no_new_privs = !s->kind->privileged;
	if (user[0] == '\0' || geteuid() != 0)
		return 0;
	answer = lookup_account(s->owner, user, d != NULL ? d->group : "",
	    &s->identity, &who);
	if (answer == LOOKUP_FAILED)
		(void)snprintf(s->trouble, sizeof s->trouble,
		    "user or group %.64s: %s", who, strerror(errno));
	if (answer != LOOKUP_KNOWN)
		return answer == LOOKUP_FAILED ? -1 : LAUNCH_LATER;
	sp->who = &s->identity;
	channel_give(s, sp);
	return 0;
}

/* An executor makes a group for each patch, and needs a place for that. What
 * was not to be had last time may be by now. */
static void
lend_group(struct service *s, struct spawn *sp)
{
	struct cgroup *c = &s->owner->cgroup;
	int fd;

	if (c->home[0] == '\0')
		watchdog_divide(s->owner);
	fd = cgroup_lend(c, s->name,
	    sp->who != NULL ? sp->who->numbers.account.uid : geteuid());
	if (fd != -1)
		sp->cgroups[sp->cgroup_count++] = fd;
}

static int
start(struct service *s, struct spawn *sp, struct spawned *made)
{
	struct watchdog *w = s->owner;
	const struct daemon_settings *d = settings_daemon(w->settings, s->name);
	char **env;
	int rc = choose_user(s, d, sp);

	if (rc != 0)
		return rc;
	if (s->kind->per_queue)
		lend_group(s, sp);
	limits_prepare(d, w->cgroup.tried ? &w->cgroup : NULL, s->name, sp,
	    &s->limits);
	env = make_environment(s, d != NULL ? &d->environment : NULL);
	sp->envp = env;
	rc = spawn_start(sp, made);
	if (rc == -1)
		(void)snprintf(s->trouble, sizeof s->trouble,
		    "no new process: %s", strerror(errno));
	free_environment(env);
	limits_release(sp);
	return rc;
}

int
launch(struct service *s, struct spawned *made)
{
	char *program = xstrdup(s->kind->program);
	char c[] = "-c", q[] = "-q", v[] = "-v";
	char *argv[7] = {program, c, s->owner->settings->path};
	struct spawn sp = {.path = s->path,
	    .argv = argv,
	    .beside_us = true,
	    .out_fd = s->log_fd};
	size_t n = 3;
	int rc;

	if (s->kind->per_queue) {
		argv[n++] = q;
		argv[n++] = s->queue;
	}
	if (s->owner->opts->verbose > 0)
		argv[n++] = v;
	rc = start(s, &sp, made);
	free(program);
	return rc;
}
