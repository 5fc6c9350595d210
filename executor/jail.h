/* SPDX-License-Identifier: ISC */
/*
 * The process that stages a patch.
 *
 * Confined: it is the init of its own mount, pid, ipc, uts and net namespaces
 * (and, without root, of a user namespace), with the overlay over the
 * workspace at the same path in a read-only root; a worker below it runs the
 * plan as the user. Init polls the lifeline: when the executor closes it, or
 * dies, init ends, and the kernel kills everything below it. Its exit is the
 * proof that no process is left.
 *
 * Without namespaces, where the machine forbids them (BARE): a clone of the
 * workspace as working directory, and an init that hunts down what is left.
 *
 * PLAIN: a plain child, for patches that run no command.
 *
 * Neither touches workspace or transaction before jail_release: the executor
 * first notes pid and start time, by which recovery proves its death.
 */
#ifndef EXECUTOR_JAIL_H
#define EXECUTOR_JAIL_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/settings.h"
#include "executor/cgroup.h"
#include "executor/fault.h"
#include "executor/limits.h"
#include "executor/netns.h"

/* PLAIN runs no command and needs no namespaces; BARE runs them without. */
enum jail_way { JAIL_PLAIN, JAIL_BARE, JAIL_COPY, JAIL_OVERLAY, JAIL__MAX };

/* What the view of the workspace is: "mutations-only" (of a queue, whose
 * patches can only be plain), "bare-copy", "copy", "overlay". */
extern const char *const jail_way_name[JAIL__MAX];

#define JAIL_KILL_MS 10000 /* a process that lives longer is unkillable */
#define JAIL_REPORT 4      /* the descriptor of reports, in the child */

struct jail_user {
	uid_t uid;
	gid_t gid;
	char name[64];
	bool switches; /* the executor is root */
};

struct jail_spec {
	enum jail_way way;
	bool network;
	const char *workspace; /* real path */
	const char *place;     /* path of all transactions */
	const char *txn;       /* path of T, which lies there */
	const struct jail_user *user;
	const struct queue_settings *queue;
	const struct limits *limits; /* not PLAIN */
	const struct cgroup *cgroup; /* it joins this one first, or NULL */
	char *const *masks;          /* paths of the machine, NULL at the end */
	struct netns *net;           /* that of the last jail, or NULL */
	/* With the executor's rights, before run: fills upper. Not OVERLAY. */
	int (*prepare)(void *owner, int workspace, int upper, int report);
	/* As the user; root is the view of the workspace. Its exit status. */
	int (*run)(void *owner, int root, int report);
	/* NULL, or it is made ahead (ahead.h): completes spec by order. */
	int (*accept)(void *owner, struct jail_spec *spec, int order);
	int order;
	void *owner;
};

struct jail {
	pid_t pid;
	int pidfd;
	int lifeline;               /* our end; closing it ends the jail */
	int report;                 /* non-blocking */
	bool bare;                  /* its init must live to kill the others */
	struct netns *net;          /* it is in; NULL: in one of its own */
	struct limits_usage *usage; /* shared with its init */
};

void jail_reset(struct jail *j);
int jail_start(struct jail *j, const struct jail_spec *spec); /* 0 or -1 */
int jail_release(struct jail *j);
void jail_kill(struct jail *j);
/* 1 dead and reaped (*status as waitpid's), 0 still there after ms, -1. */
int jail_reap(struct jail *j, int ms, int *status);
/* Has it ended, within ms, by a signal? Not reaped. */
bool jail_was_killed(const struct jail *j, int ms);
void jail_close(struct jail *j);

/* Field 22 of /proc/PID/stat; 0 where there is no such process. */
unsigned long long jail_start_time(pid_t pid);

/* Processes that uid has on this machine: RLIMIT_NPROC counts them all. */
int64_t jail_count_processes(uid_t uid);

/* In the jail: become the user for good, without any capability. */
int jail_drop(const struct jail_user *user);

#endif
