/* SPDX-License-Identifier: ISC */
/* The child that carries out the supervisor's records (writer.h). */
#ifndef WATCHDOG_SCRIBE_H
#define WATCHDOG_SCRIBE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/deaths.h"
#include "common/journal.h"
#include "watchdog/log_file.h"

struct watchdog;

#define SCRIBE_FILES 16 /* that are open at a time */

struct scribe {
	struct watchdog *w;
	int wake_fd;
	bool alone; /* the parent is gone */
	struct journal journal;
	struct deaths deaths;
	struct log_file files[SCRIBE_FILES];
	size_t next_file;
};

void scribe_open(struct scribe *c, struct watchdog *w);
/* Until the queue is empty. */
void scribe_drain(struct scribe *c);

/* In a fork, with the reading end of its parent's pipe: until all is done and
 * nothing has come for a while, it is to go, or the parent is gone. */
_Noreturn void scribe_run(struct watchdog *w, int wake_fd);

#endif
