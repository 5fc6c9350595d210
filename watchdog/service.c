/* SPDX-License-Identifier: ISC */
/* A daemon's process: how it is started, listened to and found dead. */
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "watchdog/channel.h"
#include "watchdog/handover.h"
#include "watchdog/orphans.h"
#include "watchdog/spawn.h"
#include "watchdog/watchdog.h"

extern char **environ;

static void
on_exit_seen(struct loop *l, struct watch *watch, short revents)
{
	struct service *s = watch->owner;
	struct watchdog *w = s->owner;

	(void)revents;
	loop_unwatch(l, watch);
	/* Last words first: what it did before it died decides. */
	service_listen(s);
	service_read_log(s);
	supervise_feed(s, FSM_EV_EXIT);
	supervise_settle(w);
}

struct service *
service_new(struct watchdog *w, const struct kind *k, const char *queue)
{
	struct service *s = xcalloc(1, sizeof *s);

	s->owner = w;
	s->kind = k;
	s->pidfd = s->error_fd = -1;
	(void)strlcpy(s->queue, queue, sizeof s->queue);
	(void)snprintf(s->name, sizeof s->name, "%s%s%s", k->program,
	    k->per_queue ? "@" : "", queue);
	s->last.code = -1;
	log_sink_open(&s->log, s->name);
	if (!handover_adopt(s, w->past) && channel_open(s) == -1) {
		free(s);
		return NULL;
	}
	return s;
}

void
service_hold(struct service *s)
{
	s->exit_watch = (struct watch){.fd = s->pidfd,
	    .events = POLLIN,
	    .on = on_exit_seen,
	    .owner = s};
	loop_watch(&s->owner->loop, &s->exit_watch);
}

void
service_free(struct service *s)
{
	struct loop *l = &s->owner->loop;

	loop_cancel(l, &s->deadline);
	loop_cancel(l, &s->sweep);
	loop_unwatch(l, &s->exit_watch);
	service_bury(s);
	channel_close(s);
	log_sink_close(&s->log);
	free(s);
}

/* Ours without what speaks for or about us, and with its own. */
static char **
make_environment(const struct service *s)
{
	static const char *const ours[] = {"NOTIFY_SOCKET=", "WATCHDOG_USEC=",
	    "WATCHDOG_PID=", "PATCHFLOW_CONFIG=", ORPHANS_MARK_SET};
	const size_t count = sizeof ours / sizeof ours[0];
	size_t n = 0, i, j;
	char **env;

	while (environ[n] != NULL)
		n++;
	env = xcalloc(n + 4, sizeof *env);
	for (i = n = 0; environ[i] != NULL; i++) {
		for (j = 0; j < count; j++)
			if (strncmp(environ[i], ours[j], strlen(ours[j])) == 0)
				break;
		if (j == count)
			env[n++] = xstrdup(environ[i]);
	}
	env[n++] = xasprintf("NOTIFY_SOCKET=%s", s->notify_path);
	env[n++] = xasprintf("WATCHDOG_USEC=%" PRId64,
	    s->owner->settings->watchdog.heartbeat * 2000);
	env[n++] = xasprintf("%s%" PRId64 ":%s", ORPHANS_MARK_SET,
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

/* 0, or -1 with errno where the configured user does not exist. */
static int
choose_user(const struct service *s, struct spawn *sp)
{
	if (s->kind->privileged)
		return 0;
	if (spawn_as(sp, s->owner->settings->user) == -1)
		return -1;
	return sp->user != NULL ? channel_give(s, sp->uid) : 0;
}

static void
remember_files(struct service *s)
{
	memset(&s->binary, 0, sizeof s->binary);
	memset(&s->config, 0, sizeof s->config);
	(void)stat(s->path, &s->binary);
	(void)stat(s->owner->settings->path, &s->config);
}

static bool
differs(const struct stat *was, const char *path)
{
	struct stat now = {0};

	(void)stat(path, &now);
	return was->st_ino != now.st_ino || was->st_dev != now.st_dev ||
	       was->st_size != now.st_size ||
	       was->st_mtim.tv_sec != now.st_mtim.tv_sec ||
	       was->st_mtim.tv_nsec != now.st_mtim.tv_nsec;
}

bool
service_changed(const struct service *s)
{
	return differs(&s->binary, s->path) ||
	       differs(&s->config, s->owner->settings->path);
}

static int
fork_it(struct service *s, struct spawned *made)
{
	char *program = xstrdup(s->kind->program);
	char c[] = "-c", q[] = "-q", v[] = "-v";
	char *argv[7] = {program, c, s->owner->settings->path};
	struct spawn sp = {.path = s->path, .argv = argv, .out_fd = s->log_fd};
	size_t n = 3;
	int rc = -1;

	if (s->kind->per_queue) {
		argv[n++] = q;
		argv[n++] = s->queue;
	}
	if (s->owner->opts->verbose > 0)
		argv[n++] = v;
	if (choose_user(s, &sp) == -1) {
		(void)snprintf(s->trouble, sizeof s->trouble, "user %s: %s",
		    s->owner->settings->user, strerror(errno));
	} else {
		char **env = make_environment(s);

		sp.envp = env;
		rc = spawn_start(&sp, made);
		if (rc == -1)
			(void)snprintf(s->trouble, sizeof s->trouble,
			    "no new process: %s", strerror(errno));
		free_environment(env);
	}
	free(program);
	return rc;
}

int
service_start(struct service *s)
{
	struct spawned made = {0};

	remember_files(s);
	/* Said by the dead one: must not count for the new one. */
	service_listen(s);
	s->work = 0;
	s->busy_ms = 0;
	s->beat_ms = 0;
	s->status[0] = '\0';
	if (fork_it(s, &made) == -1)
		return -1;
	s->pid = made.pid;
	s->pidfd = made.pidfd;
	s->error_fd = made.error_fd;
	service_hold(s);
	return 0;
}

void
service_signal(struct service *s, int sig)
{
	if (s->pidfd == -1)
		return;
	if (pidfd_send_signal(s->pidfd, sig, NULL, 0) == -1 && errno != ESRCH)
		log_warn("%s: signal %d not sent", s->name, sig);
}

void
service_bury(struct service *s)
{
	siginfo_t si = {0};

	if (s->pidfd != -1) {
		if (waitid(P_PIDFD, (id_t)s->pidfd, &si, WEXITED | WNOHANG) ==
		    -1)
			log_warn("%s: not waited for", s->name);
		(void)close(s->pidfd);
	}
	if (s->error_fd != -1)
		(void)close(s->error_fd);
	s->pidfd = s->error_fd = -1;
	s->pid = 0;
}

void
service_why(const struct service *s, char *out, size_t size)
{
	const struct fsm *f = &s->fsm;

	out[0] = '\0';
	switch (f->state) {
	case FSM_STOPPED:
		(void)snprintf(out, size, "%s",
		    s->held ? "stopped by the operator" : "not wanted");
		break;
	case FSM_WAITING:
		(void)snprintf(out, size,
		    "waits for those that start before it");
		break;
	case FSM_BACKOFF:
	case FSM_DEGRADED:
	case FSM_NEEDS_OPERATOR:
		(void)snprintf(out, size, "%s%s%s", s->last.reason,
		    s->trouble[0] != '\0' ? ": " : "", s->trouble);
		break;
	case FSM_STOPPING:
	case FSM_KILLING:
	case FSM_CLEANING:
		(void)snprintf(out, size, "is being stopped");
		break;
	case FSM_STARTING:
	case FSM_READY:
	case FSM__STATES:
		break;
	}
}
