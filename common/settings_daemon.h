/* SPDX-License-Identifier: ISC */
/* watchdog.daemons: what single daemons are given. A part of settings.h. */
#ifndef COMMON_SETTINGS_DAEMON_H
#define COMMON_SETTINGS_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"

struct settings;

/* 0: no limit of ours. */
struct daemon_limits {
	int64_t memory;
	int64_t files;
	int64_t processes;
	int64_t cpu; /* percent of one processor */
	bool core;   /* dumps are kept */
};

struct daemon_settings {
	char *name; /* a daemon, "executor" for all of them, executor@QUEUE */
	char *user; /* "" : the suite's; executors: root */
	char *group;
	char *umask; /* octal */
	int64_t nice;
	struct conf_pairs environment;
	struct daemon_limits limits;
};

/* What is set for a daemon: the entry of this instance ("executor@MAIN"), else
 * of its program, by name or alias; NULL for none. */
const struct daemon_settings *settings_daemon(const struct settings *s,
    const char *instance);
/* The umask of its entry, else the default; -1 where it is none. */
int settings_umask(const struct daemon_settings *d);

#endif
