/* SPDX-License-Identifier: ISC */
/*
 * The rungs that every daemon's main climbs, in this order: daemon_parse,
 * daemon_config, (return where opts.check), daemon_enter, the daemon's own
 * open, daemon_ready, loop. Before ready a rung may end the process with the
 * status that the supervisor acts on.
 *
 * Options: -c FILE, -f (stay in the foreground with log lines that carry the
 * time; daemons never fork away, so without -f only the log's shape differs),
 * -n (check the configuration, try what it asks for, and exit: trial.h), -v,
 * -q QUEUE (executor), --once (recover, drain, exit 0), --help, --version.
 *
 * Heartbeat: sd_notify(3) datagrams to $NOTIFY_SOCKET, never blocking.
 */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/tree.h"
#include "common/trial.h"

enum daemon_exit {
	EXIT_DONE = 0,
	EXIT_FATAL = 1,
	EXIT_BAD_USAGE = 2,
	EXIT_BAD_CONFIG = 78, /* the supervisor does not restart it */
	EXIT_TEMPORARY = 111  /* restarted with backoff */
};

struct daemon_opts {
	const char *name;    /* process name: "executor" */
	const char *page;    /* man page: "patchflow-executor(8)" */
	const char *summary; /* one line for --help */
	bool takes_queue;    /* -q is required */
	bool inherits;       /* --inherit FD is an option */
	bool stages;         /* --dry-run is an option */
	char queue[QUEUE_MAX + 1];
	char instance[64]; /* name, or name@QUEUE */
	bool once;
	bool foreground;
	bool check;
	bool dry_run;
	int verbose;
	int inherit_fd; /* what an earlier image of ours leaves; -1: nothing */
	int lock_fd;    /* -1: to be taken by daemon_enter */
	/* Waits until spool and lock can be had within moments; or NULL. For
	 * one that stays, and has no past that holds them. */
	void (*patience)(const struct settings *);
	char config[PATH_MAX];
};

void daemon_parse(struct daemon_opts *o, int argc, char **argv);
/* Reads the file; prints FILE:LINE: reason for each error and exits 78. */
void daemon_config(struct daemon_opts *o, struct settings *s);
/*
 * umask, closes inherited descriptors (but an heir's), opens the spool's
 * tree, takes run/INSTANCE.lock (waits 10 s, then exits 111), writes its pid
 * there.
 */
void daemon_enter(struct daemon_opts *o, const struct settings *s,
    struct tree *t);
void daemon_ready(const struct daemon_opts *o);
/* Not yet: the start goes on, and waits for something. */
void daemon_waiting(const char *why);
/* A configuration is read again; daemon_ready ends it. */
void daemon_reloading(void);
/*
 * The two ends of -n: the spool's tree without the lock, beside a daemon that
 * is at work; and the list printed, and both freed, with the status to exit
 * with: 78 for an error, 111 where all that is wrong may pass.
 */
void daemon_tree(const struct settings *s, struct tree *t);
int daemon_report(struct trials *t, struct settings *s);
/*
 * Proof of progress, at most every 5 s unless the numbers changed: work is
 * the count of units done since start, busy_ms how long the present unit has
 * taken (0: idle), status one line for people. False while something new is
 * still to be said: ten times a second is enough.
 */
bool daemon_beat(uint64_t work, int64_t busy_ms, const char *status);
#define DAEMON_BEAT_SOON_MS 100 /* then it can be */
/* What a timer for daemon_beat should use: half of $WATCHDOG_USEC, 5 s at
 * most. A beat that comes a little early is dropped, not delayed. */
int64_t daemon_beat_interval(void);
void daemon_stopping(void);

#endif
