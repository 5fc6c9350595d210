/* SPDX-License-Identifier: ISC */
/* How a daemon ended, and whose doing it was. */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "watchdog/oom.h"
#include "watchdog/spawn.h"
#include "watchdog/watchdog.h"

void
service_note_oom(struct watchdog *w)
{
	w->oom_before = w->oom_kills;
	w->oom_kills = oom_count();
}

/*
 * Its KILL came from the kernel, for want of memory. The count is cheap and
 * mostly stands still: only when it moved a moment ago is the log worth
 * reading, and where there is none that moment decides. A moment is one
 * pulse, or two: the last may have come between the kill and now.
 */
static bool
was_oom(struct service *s)
{
	struct watchdog *w = s->owner;
	uint64_t count = oom_count();
	bool moved = count > w->oom_before;

	w->oom_before = w->oom_kills = count;
	return moved && oom_logged(s->pid, s->fsm.started_ms) != 0;
}

static enum fsm_exit
set_reason(struct service *s, const char *reason, enum fsm_exit class)
{
	(void)strlcpy(s->last.reason, reason, sizeof s->last.reason);
	return class;
}

static enum fsm_exit
judge_signal(struct service *s, const siginfo_t *si)
{
	if (si->si_status != SIGKILL && si->si_status != SIGTERM)
		return set_reason(s,
		    si->si_code == CLD_DUMPED ? "core-dumped" : "signalled",
		    FSM_EXIT_FAILED);
	if (si->si_status == SIGKILL && was_oom(s))
		return set_reason(s, "out-of-memory", FSM_EXIT_FAILED);
	return set_reason(s, "killed-from-outside", FSM_EXIT_OUTSIDE);
}

static enum fsm_exit
judge_code(struct service *s, int code)
{
	switch (code) {
	case EXIT_BAD_CONFIG:
		return set_reason(s, "bad-config", FSM_EXIT_CONFIG);
	case EXIT_TEMPORARY:
		return set_reason(s, "temporary", FSM_EXIT_TEMPORARY);
	case EXIT_DONE:
		/* A ready daemon ends with 0 when it was sent TERM or INT. */
		if (s->fsm.was_ready)
			return set_reason(s, "asked-from-outside",
			    FSM_EXIT_OUTSIDE);
		break;
	default:
		break;
	}
	return set_reason(s, "exited", FSM_EXIT_FAILED);
}

/* True when it never became the daemon, which says more than exit 126. */
static bool
never_was(struct service *s, enum fsm_exit *class)
{
	struct spawn_error e;

	if (s->error_fd == -1 || spawn_error_read(s->error_fd, &e) == 0)
		return false;
	(void)snprintf(s->trouble, sizeof s->trouble, "%.100s: %s: %.60s",
	    s->path, spawn_stage_name[e.stage], strerror(e.number));
	log_warnx("%s: not started, %s", s->name, s->trouble);
	s->given_uid = 0;
	/* Too little memory or descriptors is the machine's trouble. */
	*class = set_reason(s, "exec-error",
	    e.number == ENOMEM || e.number == EAGAIN || e.number == EMFILE ||
		    e.number == ENFILE
		? FSM_EXIT_REFUSED
		: FSM_EXIT_FAILED);
	return true;
}

static enum fsm_exit
judge(struct service *s, const siginfo_t *si)
{
	enum fsm_exit class = FSM_EXIT_FAILED;

	switch (s->fsm.cause) {
	case FSM_CAUSE_HANG:
		return set_reason(s, "hung", FSM_EXIT_FAILED);
	case FSM_CAUSE_START_TIMEOUT:
		return set_reason(s, "start-timeout", FSM_EXIT_FAILED);
	case FSM_CAUSE_ASKED:
		return set_reason(s, "stopped", FSM_EXIT_OUTSIDE);
	case FSM_CAUSE_STUCK:
		return set_reason(s, "stuck", FSM_EXIT_OUTSIDE);
	case FSM_CAUSE_NONE:
		break;
	}
	if (never_was(s, &class))
		return class;
	if (si->si_code == CLD_EXITED)
		return judge_code(s, si->si_status);
	return judge_signal(s, si);
}

static int64_t
span_ms(const struct timeval *t)
{
	return (int64_t)t->tv_sec * 1000 + t->tv_usec / 1000;
}

enum fsm_exit
service_autopsy(struct service *s)
{
	siginfo_t si = {0};
	struct rusage used = {0};
	enum fsm_exit class;

	/* waitid(2) tells the resources too; the C library's does not. */
	if (syscall(SYS_waitid, P_PIDFD, s->pidfd, &si,
		WEXITED | WNOHANG | WNOWAIT, &used) == -1)
		log_warn("%s: end not read", s->name);
	s->last.cpu_ms = span_ms(&used.ru_utime) + span_ms(&used.ru_stime);
	s->last.memory_kb = used.ru_maxrss;
	s->trouble[0] = '\0';
	s->last.code = si.si_code == CLD_EXITED ? si.si_status : -1;
	s->last.signal = si.si_code == CLD_EXITED ? 0 : si.si_status;
	s->last.at_us = clock_wall_us();
	s->last.uptime_ms = clock_mono_ms() - s->fsm.started_ms;
	s->last.pid = s->pid;
	class = judge(s, &si);
	s->last.asked =
	    s->fsm.cause == FSM_CAUSE_ASKED || class == FSM_EXIT_REFUSED;
	(void)strlcpy(s->last.why, s->trouble, sizeof s->last.why);
	if (!s->last.asked) {
		s->restarts++;
		s->incident_deaths++;
	}
	return class;
}
