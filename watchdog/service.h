/* SPDX-License-Identifier: ISC */
/*
 * One supervised daemon: its process, its notify socket, its log pipe, what
 * it last said, how it last ended. The log pipe and the socket live as long
 * as the service, so that a death loses neither lines nor last words.
 */
#ifndef WATCHDOG_SERVICE_H
#define WATCHDOG_SERVICE_H

#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/key.h"
#include "common/loop.h"
#include "watchdog/fsm.h"
#include "watchdog/identity.h"
#include "watchdog/limits.h"
#include "watchdog/logs.h"
#include "watchdog/notify.h"
#include "watchdog/usage.h"

struct watchdog;

struct kind {
	const char *program;
	const char *alias; /* or NULL */
	int tier;          /* started in this order, stopped in reverse */
	bool per_queue;
	bool privileged; /* stays root where the suite runs as root */
};

#define SERVICE_NAME 64
#define SERVICE_WHY 200

/* How a process ended, in words for status, journal and alerts. All that the
 * record of it needs: it is written when the next one runs already. */
struct last_exit {
	char reason[32];
	int code;   /* -1: a signal */
	int signal; /* 0: none */
	int64_t at_us;
	int64_t cpu_ms;
	int64_t memory_kb; /* at its peak */
	int64_t uptime_ms;
	pid_t pid;
	bool asked; /* by us, or it never was: no death */
	char why[SERVICE_WHY];
};

struct service {
	TAILQ_ENTRY(service) link;
	struct watchdog *owner;
	const struct kind *kind;
	char name[SERVICE_NAME]; /* instance: "executor@MAIN" */
	char queue[QUEUE_MAX + 1];
	char digest[DIGEST_SIZE]; /* of the configuration that concerns it */
	char *path;               /* of its binary */
	struct fsm fsm;
	struct timer deadline;

	pid_t pid; /* 0: none */
	int pidfd;
	int error_fd;
	struct watch exit_watch;
	struct timer sweep;
	struct stat binary; /* as started, to see when they change */
	struct stat config;

	struct watch notify_watch;
	char notify_path[108]; /* of $NOTIFY_SOCKET; "@..." when abstract */
	uid_t given_uid;       /* who may write to it beside us; 0: nobody */
	struct watch log_watch;
	int log_fd; /* the end that the daemon writes to */

	uint64_t work;
	int64_t busy_ms;
	int64_t beat_ms;     /* monotonic; 0: none yet */
	int64_t listened_ms; /* when its socket was last empty */
	char status[NOTIFY_STATUS + 1];

	struct identity identity; /* of its user, where it is given one */
	struct limits limits;     /* as its process was started */
	struct usage usage;

	struct last_exit last;
	uint64_t restarts; /* unasked for, since ever */
	uint64_t incident_deaths;
	char trouble[SERVICE_WHY]; /* why the last start came to nothing */
	bool told_degraded;        /* an alert that will want its end */
	bool asked;                /* for its account, which it waits for */
	bool held;                 /* the operator stopped it */
	bool going;                /* removed from the configuration */
	bool adopted;              /* from an earlier image of ours */
	struct log_sink log;       /* large, and of some never touched */
};

/* Goes on with one of the same name from an earlier image of ours, where there
 * is one. What is added above must go into handover.c's table, if it is to
 * survive that. NULL and errno on failure. */
struct service *service_new(struct watchdog *w, const struct kind *k,
    const char *queue);
void service_free(struct service *s); /* no process may be left */
/* Forks; 0, -1 with trouble filled, or LAUNCH_LATER. */
int service_start(struct service *s);
/* Its process is there: its end will be seen. */
void service_hold(struct service *s);
void service_signal(struct service *s, int sig);
/* Reads all that is waiting in its notify socket. */
void service_listen(struct service *s);
/* Reads what it has logged, within a turn's measure. */
void service_read_log(struct service *s);
/* Reads how it ended into last; the process stays a zombie, so that its
 * number cannot be reused while its leftovers are hunted. */
enum fsm_exit service_autopsy(struct service *s);
/* Counts anew how many the kernel has killed for memory. */
void service_note_oom(struct watchdog *w);
void service_bury(struct service *s); /* waits for it */
/* Its binary or configuration file is not the one it was started with. */
bool service_changed(const struct service *s);
/* One sentence; "" while it runs. */
void service_why(const struct service *s, char *out, size_t size);

#endif
