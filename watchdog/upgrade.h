/* SPDX-License-Identifier: ISC */
/*
 * `patchflow upgrade`: the supervisor executes its own file anew, in place,
 * and no daemon notices. First the new file is run beside us on a copy of what
 * it would take over; only when it says yes, and nobody waits for an answer of
 * ours, is it executed. Whatever goes wrong until then leaves the old one
 * running, with the reason in status.
 */
#ifndef WATCHDOG_UPGRADE_H
#define WATCHDOG_UPGRADE_H

#include <sys/stat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/loop.h"
#include "watchdog/errand.h"

struct watchdog;

struct upgrade {
	struct stat config; /* of what is in force */
	struct errand probe;
	struct timer timer;
	int64_t until_ms;
	bool asked;
	bool turning;        /* it will be executed in a moment */
	uint64_t count;      /* of this process */
	char refused[512];   /* why the last one came to nothing, or "" */
	char path[PATH_MAX]; /* of our own file, which another may replace */
};

void upgrade_open(struct watchdog *w);
/* The configuration file is in force as it is now. */
void upgrade_note_config(struct watchdog *w);
/* 0: under way; -1 with refused filled. */
int upgrade_request(struct watchdog *w);

#endif
