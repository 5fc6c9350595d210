/* SPDX-License-Identifier: ISC */
/*
 * executor@QUEUE: takes the queue's patches one after the other, has each
 * staged by a child process (jail.h), commits or drops what came of it, and
 * settles it by a durable outcome. The loop stays responsive throughout.
 *
 * Whatever cannot be carried out for want of the machine (a full disk, an I/O
 * error, a process that does not die) holds the queue: nothing is started,
 * somebody is told, and recovery is tried again until it succeeds.
 */
#ifndef EXECUTOR_EXECUTOR_H
#define EXECUTOR_EXECUTOR_H

#include "common/alert.h"
#include "common/daemon.h"
#include "common/fsinfo.h"
#include "common/hint.h"
#include "common/job.h"
#include "common/journal.h"
#include "common/loop.h"
#include "common/reserve.h"
#include "common/settings.h"
#include "common/state.h"
#include "executor/ahead.h"
#include "executor/cgroup.h"
#include "executor/hand.h"
#include "executor/index.h"
#include "executor/jail.h"
#include "executor/plan.h"
#include "executor/policy.h"
#include "executor/quiet.h"
#include "executor/record.h"
#include "executor/stage.h"
#include "executor/stray.h"
#include "executor/waits.h"
#include "executor/worker.h"

/* Why the staging process was ended by us. */
enum run_end { RUN_ON, RUN_CANCELLED, RUN_TIMED_OUT, RUN_STOPPED };

/* The alerts of a queue that is held. */
enum hold_type { HOLD_STUCK, HOLD_MISSING, HOLD__MAX };

/* The patch in work. */
struct run {
	bool active;
	char file[NAME_SIZE]; /* as claimed, in .running */
	struct queue_name name;
	struct job job;
	struct plan plan;
	struct worker worker;
	struct jail jail;
	struct txn txn;
	struct watch report;
	struct watch exit;
	struct timer deadline;
	struct buf pending;
	struct fault fault;
	json_t *commands;
	json_t *running; /* {phase, text} of the command that runs */
	json_t *warnings;
	json_t *git;
	json_t *bases;               /* basis.h */
	struct policy_answer policy; /* of what it changed, as it is found */
	bool *approved;    /* of each rule: the patch as it is was approved */
	char ask[512];     /* why approval is needed for what it changed; "" */
	bool ended;        /* the worker said that all went well */
	struct diff *diff; /* once it is made, see view.h */
	int64_t looked_ms; /* monotonic, that look's end */
	enum jail_way way;
	bool way_was_wrong; /* it showed files that it cannot carry */
	bool shown;         /* queue.json says that it runs */
	bool unkillable;
	enum run_end end;
	char cancelled[384]; /* by whom and why, where it is; else "" */
	int64_t kill_at;     /* monotonic ms of the kill, 0 before */
	int64_t started_us;
	int64_t started_ms;
	struct timespec since;           /* T0 */
	int64_t ahead_us;                /* instant.h, then */
	char index_id[DIGEST_SIZE];      /* gitlive.h; "" */
	char path[PATH_MAX + NAME_SIZE]; /* of T */
	const char *limits_by;           /* "cgroup1" ... */
	char doing[128];
};

/* --dry-run, see dry_run.h. */
struct dry {
	bool on;
	struct policy_answer policy;
	json_t *outcome; /* owned */
};

/* What waits of the last success, see tail.h. */
struct tail {
	bool waits;
	bool unsynced;  /* the record and all that followed from it */
	bool displaced; /* others' versions lie in txn */
	char draft[NAME_SIZE];
	struct txn txn;
	struct record record;
};

struct executor {
	struct loop loop;
	const struct daemon_opts *opts;
	const struct settings *settings;
	const struct queue_settings *queue;
	struct tree *tree;
	struct queue_tree *q;
	struct state state;
	struct journal journal;
	char instance[64];

	struct workspace workspace; /* fd -1: missing */
	struct place place;
	struct reserve ballast;
	int64_t wide_until_ms; /* the workspace is too large to look through */
	int64_t kept_bytes;    /* about, of kept transactions */
	bool kept_known;       /* they were measured once */
	bool kept_more;        /* and there are more now, see kept_limit */
	char unstripped[NAME_SIZE]; /* see kept_finish; "" */
	struct jail_user user;
	struct netns net;
	struct ahead ahead;
	struct cgroup cgroup;
	bool limits_weak;        /* the alert is out */
	bool chosen;             /* the next three are known */
	enum jail_way isolation; /* the best of its ways; PLAIN: no commands */
	char why[256];           /* why no overlay; "" */
	enum durability durability;
	bool ordered; /* see settle_in_order */

	struct hand hand;
	struct index index;
	struct waits waits;
	struct strays strays;
	struct quiet quiet[2][2]; /* requests and asks, each new and cur */
	struct hint hint;
	struct hint others; /* the ends of patches in other queues */
	struct timer scan;  /* look again */
	struct timer beat;
	struct timer retry; /* of a held queue or a missing workspace */
	struct timer grace; /* of a running patch at SIGTERM */
	struct timer tidy;  /* retention */
	struct run run;
	struct tail tail;
	struct dry dry;

	bool paused;
	bool stopping;
	bool recovered;
	bool held_any;             /* something may wait in .held */
	bool held_stale;           /* a patch ended since the last look at it */
	char hold[256];            /* nothing may start; "" */
	bool hold_told[HOLD__MAX]; /* in alerts, see hold.h */
	int64_t hold_ms;           /* present backoff */
	int64_t held_at_ms;        /* end of the last look at .held */
	int64_t held_cost_ms;
	struct timespec last_commit;
	bool unsynced;         /* .running, see settle_sync */
	char draft[NAME_SIZE]; /* in outcomes/tmp, see settle_draft; "" */
	enum { SHOWN_NOT, SHOWN, SHOWN_DURABLE } shown; /* what was draft */
	uint64_t work;
	bool trouble; /* --once exits 111 */
};

int executor_open(struct executor *ex, struct tree *t, const struct settings *s,
    const struct daemon_opts *o);
void executor_run(struct executor *ex);
int executor_close(struct executor *ex); /* exit status */

/* check.c: -n. What a start would choose, tried and printed; exit status. */
int executor_check(const struct daemon_opts *o, struct settings *s);

/* Looks for the next thing to do, soon. */
void executor_wake(struct executor *ex, int64_t delay_ms);
/* Nothing starts until recovery has succeeded; said to log and alerts. */
void executor_hold(struct executor *ex, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Proof of progress from within long loops. */
void executor_beat(void *executor);
void executor_alert(struct executor *ex, const struct alert *a);

/* status.c */
void status_write(struct executor *ex);

/* run.c */
enum run_start { RUN_STARTED, RUN_SETTLED, RUN_HELD };
enum run_start run_start(struct executor *ex, const struct job *job,
    const struct queue_name *name, const char *file);
void run_kill(struct executor *ex, enum run_end end);

/* finish.c: the staging process is dead; commit or settle. */
void finish_run(struct executor *ex, int status);
/* What undo_run answered. */
void finish_undo(struct executor *ex, int answer);

/* recover.c: transactions, then .running. 0, or -1 and the queue is held. */
int recover_all(struct executor *ex);

/* pick.c: the next patch, claimed and started, settled, or put by. False:
 * there is nothing to be done now. */
bool pick_next(struct executor *ex);
/* Looks at .held: what may go back into the queue does. */
void pick_held(struct executor *ex);
/* Only at those in it that waited for what has ended since. */
void pick_due(struct executor *ex);

/* requests.c */
void requests_take(struct executor *ex);
/* Is the queue paused? Read at start. */
void requests_open(struct executor *ex);

/* tidy.c */
void tidy_queue(struct executor *ex);

#endif
