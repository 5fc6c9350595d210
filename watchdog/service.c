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
#include "watchdog/launch.h"
#include "watchdog/pages.h"
#include "watchdog/watchdog.h"

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
	struct service *s = pages_take(sizeof *s);

	if (s == NULL)
		return NULL;
	s->owner = w;
	s->kind = k;
	s->pidfd = s->error_fd = -1;
	(void)strlcpy(s->queue, queue, sizeof s->queue);
	(void)snprintf(s->name, sizeof s->name, "%s%s%s", k->program,
	    k->per_queue ? "@" : "", queue);
	s->last.code = -1;
	log_sink_open(&s->log, s->name);
	if (!handover_adopt(s, w->past) && channel_open(s) == -1) {
		pages_return(s, sizeof *s);
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
	free(s->path);
	pages_return(s, sizeof *s);
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

int
service_start(struct service *s)
{
	struct spawned made = {0};
	int rc;

	remember_files(s);
	/* Said by the dead one: must not count for the new one. */
	service_listen(s);
	s->work = 0;
	s->busy_ms = 0;
	s->beat_ms = 0;
	s->status[0] = '\0';
	rc = launch(s, &made);
	s->asked = rc == LAUNCH_LATER;
	if (rc != 0)
		return rc;
	s->pid = made.pid;
	s->pidfd = made.pidfd;
	s->error_fd = made.error_fd;
	s->owner->check.spent = true; /* and its death has used some, too */
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
		(void)snprintf(out, size, "%s",
		    s->asked ? "its user and group are being looked up"
			     : "waits for those that start before it");
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
