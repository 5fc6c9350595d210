/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's way to its disks. It never writes to spool or logs itself:
 * records go into a queue (ring.h), and a child carries them out in their
 * order (scribe.c). The child is there while there is something to do and a
 * moment longer, and it outlives a supervisor that is killed until all is
 * done, holding the suite's lock for so long: what is in the queue is not
 * lost. A disk that hangs holds the child and nobody else; then the queue
 * fills, what no longer fits is counted, and status and alerts say so.
 */
#ifndef WATCHDOG_WRITER_H
#define WATCHDOG_WRITER_H

#include <sys/types.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "common/deaths.h"
#include "common/loop.h"
#include "watchdog/report.h"
#include "watchdog/ring.h"
#include "watchdog/service.h"

struct watchdog;

enum writer_kind {
	WRITER_LOG = 1, /* a daemon's name, NUL, its line */
	WRITER_JOURNAL, /* a line */
	WRITER_DEATH,   /* struct writer_death, as much of it as is used */
	WRITER_ALERT,   /* struct writer_alert */
	WRITER_MEMORY,  /* the document */
	WRITER_BRAKE,   /* the reason; empty: let go */
	WRITER__MAX
};

struct writer_death {
	char name[SERVICE_NAME];
	struct last_exit last;
	size_t tail_used;
	char tail[DEATHS_TAIL];
};

struct writer_alert {
	int64_t at_us;
	struct report_entry entry;
};

#define WRITER_REFUSED 32 /* alerts that the disk did not take */

/* What both sides see. The queue is last: most of it is never touched. */
struct writer_box {
	_Atomic bool sleeping;   /* the child waits to be woken */
	_Atomic bool retire;     /* it goes when all is done */
	_Atomic bool refusing;   /* the last document was not saved */
	_Atomic uint64_t newest; /* the record that holds the newest document */
	_Atomic uint64_t lost;   /* log lines that no file took */
	_Atomic bool refused[WRITER_REFUSED]; /* the child's until it is set */
	struct writer_alert alerts[WRITER_REFUSED];
	struct ring ring;
};

struct writer {
	struct watchdog *owner;
	struct writer_box *box;
	pid_t pid; /* 0: none */
	int pidfd;
	int wake_fd;
	struct watch exit;
	struct timer look;
	bool open;     /* there are files to write to */
	uint64_t seen; /* how far it was at the last look ... */
	int64_t seen_ms;
	int64_t hangs_us; /* since when (wall), or 0 */
	uint64_t stuck;   /* where a child died ... */
	unsigned deaths;  /* ... and how many did */
	uint64_t dropped;
};

/* A queue, before anything is put; fatal without memory. */
void writer_open(struct watchdog *w);
/* The files are there: from now on somebody carries out. */
void writer_begin(struct watchdog *w);
/* False when it did not fit, and was counted. */
bool writer_put(struct watchdog *w, enum writer_kind kind, const void *bytes,
    size_t len);
/* For logs_take: lines leave half of the queue to the rest. */
bool writer_log(void *watchdog, const char *name, const char *line, size_t len);
/* One line, with the time; takes fields. */
void writer_journal(struct watchdog *w, const char *event, json_t *fields);
/* A child, where there is work for one and none is there. */
void writer_start(struct watchdog *w);
/* The present child ends behind what is queued: the files are others now. */
void writer_retire(struct watchdog *w);
/* All is done and no child is there. */
bool writer_is_idle(const struct watchdog *w);
/* Waits for what is queued, at most so long; true when it is done. */
bool writer_wait(struct watchdog *w, int64_t limit_ms);
/* The last call: waits, and says what was not written. */
void writer_close(struct watchdog *w);
bool writer_hangs(const struct watchdog *w);
/* {"waiting", "dropped", "hangs_since"} */
json_t *writer_json(const struct watchdog *w);

#endif
