/* SPDX-License-Identifier: ISC */
/*
 * The summarizer's state and its parts. One outcome at a time:
 *
 *   outcomes/new -> cur   claimed
 *   .backup, summaries/   the summary is durable, and so is its copy
 *   outcomes/cur -> done  settled
 *   destinations          each confirmed on its own, kept in the receipt
 *   summaries/ -> .completed | .failed
 *
 * Every step may be repeated after a crash: rendering is a function of the
 * outcome, a name that is taken is compared, a destination is searched before
 * it is written to.
 */
#ifndef SUMMARIZER_SUMMARIZER_H
#define SUMMARIZER_SUMMARIZER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/alert.h"
#include "common/daemon.h"
#include "common/extract.h"
#include "common/hint.h"
#include "common/journal.h"
#include "common/loop.h"
#include "common/reserve.h"
#include "common/sandbox.h"
#include "common/settings.h"
#include "common/spool.h"
#include "common/state.h"
#include "common/tree.h"
#include "summarizer/facts.h"

#define RECEIPT_FORMAT "patchflow-receipt-1"
#define COPY_NAME "summaryFile" /* of the copy, among the destinations */

/* A summary's text in hand: what a destination gets. */
struct parcel {
	struct queue_tree *queue;
	char name[NAME_SIZE]; /* of the summary file */
	char *bytes;          /* owned */
	size_t len;
	json_t *front;        /* owned */
	char where[PATH_MAX]; /* filled by the delivery: the receipt has it */
	char why[512];        /* filled where it did not come about */
};

enum delivery {
	DELIVERED, /* durable and read back */
	LATER,     /* the destination is not well: the others go on */
	REFUSED    /* this parcel never will be taken there */
};

/* What is known of a reply file: each marked passage in it. */
struct passage {
	char *ref;
	off_t start; /* of the begin marker's line */
	off_t end;   /* behind the end marker's line; 0: none was found */
};

struct reply {
	dev_t dev;
	ino_t ino;
	off_t scanned; /* all lines before this offset were looked at */
	struct passage *passages;
	size_t count;
	size_t cap;
	struct extract_state blocks; /* of the text before `decided` */
	off_t decided;               /* no block before this is open */
};

struct destination {
	const struct destination_settings *settings;
	const char *name; /* of the settings */
	int failures;     /* in a row */
	int64_t next_ms;  /* monotonic; nothing is tried before */
	struct reply reply;
};

struct summarizer {
	struct loop loop;
	struct hint hint;
	struct timer pass;  /* look at the outcomes */
	struct timer retry; /* look at what waits for delivery */
	struct timer beat;
	struct timer scrub;
	const struct daemon_opts *opts;
	const struct settings *settings;
	struct tree *tree;
	struct journal journal;
	struct reserve reserve;
	struct sandbox sandbox;
	struct state state;
	int receipts;
	struct destination *destinations;
	size_t destination_count;
	int status; /* to exit with */
	uint64_t work;
	uint64_t told_work;    /* work at the last tick */
	int64_t busy_since_ms; /* of the present unit; 0: idle */
	int failures;          /* passes in a row that left an outcome */
	bool *queue_sick;      /* per queue: its people have been told */
	size_t waiting;        /* summaries that a delivery is missing for */
	bool scrub_now;        /* something is wrong: do not wait a day */
};

/* summarizer.c */
void summarizer_open(struct summarizer *s, const struct daemon_opts *opts,
    const struct settings *settings, struct tree *t);
/* With --once: everything that can be done now; the exit status. */
int summarizer_run(struct summarizer *s);
void summarizer_close(struct summarizer *s);
void summarizer_tick(struct summarizer *s); /* proof of progress */
void summarizer_alert(struct summarizer *s, const struct alert *a);

/* confine.c: from here on only the spool, the destinations and the workspaces
 * change. */
void summarizer_confine(struct summarizer *s);

/* check.c: -n; the exit status. */
int summarizer_check(struct settings *settings);

/* intake.c: false when something had to be left for later. */
bool intake_queue(struct summarizer *s, struct queue_tree *q, bool *more);

/* summary.c: the file format. -1 with errno EBADMSG when it does not hold. */
int summary_parse(const char *bytes, size_t len, json_t **front)
    __attribute__((warn_unused_result));
/* 1, 0 absent, -1 (EBADMSG: damaged). */
int summary_load(int dir, const char *name, struct parcel *p)
    __attribute__((warn_unused_result));
bool summary_is_of(const json_t *front, const struct facts *f);
/* No part of text would be taken for a patch. */
bool summary_is_quiet(const char *text, size_t len);
void parcel_free(struct parcel *p);

/* publish.c */
enum spool_answer publish_summary(struct summarizer *s, struct queue_tree *q,
    const struct facts *f, char name[NAME_SIZE])
    __attribute__((warn_unused_result));
/* Puts from/name, when it is whole, as dir/name. */
enum spool_answer publish_restore(struct summarizer *s, struct queue_tree *q,
    int from, int dir, const char *name) __attribute__((warn_unused_result));
/* Moves a damaged file to corrupt/ and raises an alert. */
enum spool_answer publish_set_aside(struct summarizer *s, struct queue_tree *q,
    int dir, const char *name, const char *why)
    __attribute__((warn_unused_result));
/* Facts of an outcome in one of q's boxes, its copy decided. 1, 0, -1. */
int publish_facts(struct summarizer *s, struct queue_tree *q, int dir,
    const char *name, struct facts *f) __attribute__((warn_unused_result));

/* deliver.c */
void deliver_open(struct summarizer *s);
void deliver_close(struct summarizer *s);
/* One summary of summaries/ to every place that has not confirmed it. */
void deliver_summary(struct summarizer *s, struct queue_tree *q,
    const char *name);
/* All of them; the milliseconds until the next try, -1 for none. */
int64_t deliver_all(struct summarizer *s);

/* receipt.c */
struct receipt {
	json_t *doc;
	bool changed;
};
int receipt_load(struct summarizer *s, const struct parcel *p,
    struct receipt *r) __attribute__((warn_unused_result));
enum spool_answer receipt_store(struct summarizer *s, const struct parcel *p,
    struct receipt *r) __attribute__((warn_unused_result));
bool receipt_settled(const struct receipt *r, const char *destination);
bool receipt_failed(const struct receipt *r, const char *destination);
bool receipt_waits(const struct receipt *r, const char *destination);
int64_t receipt_age_ms(struct receipt *r, const char *destination);
int receipt_attempts(const struct receipt *r, const char *destination);
/* Its time runs from now on, without an attempt, unless it does already. */
void receipt_begin(struct receipt *r, const char *destination);
void receipt_note(struct receipt *r, const char *destination, const char *state,
    const struct parcel *p);
enum spool_answer receipt_remove(struct summarizer *s,
    const struct queue_tree *q, const char *name)
    __attribute__((warn_unused_result));

/* place.c: files outside the spool. */
enum delivery place_directory(struct destination *d, struct parcel *p);
/*
 * p's bytes as dir/name, whole and durable; 0, or -1 with EEXIST where other
 * bytes are (with replace: and they are no summary of ours).
 */
int place_file(int dir, const char *name, const struct parcel *p, bool replace)
    __attribute__((warn_unused_result));
/* Sets p->why to "what: strerror(errno)". */
void parcel_explain(struct parcel *p, const char *what);

/* copy.c: final.summaryFile. Decide fills f->copy (pure). */
void copy_decide(const struct settings *settings, const char *queue,
    struct facts *f);
enum delivery copy_make(struct summarizer *s, struct parcel *p);

/* reply.c: appending to a reply file, exactly once. */
#define MARK_CLOSE " -->" /* ends a marker line */
enum delivery reply_append(struct destination *d, struct parcel *p);
/* reply_scan.c. Looks at what is new in the file; 0, or -1. */
struct stat;
int reply_look(struct reply *r, int fd, struct stat *st);
void reply_forget(struct reply *r);
/* Is somebody writing there: a block or a line that is not finished, in a
 * file that changed a moment ago? 1, 0, -1. */
int reply_is_busy(struct reply *r, int fd, const struct stat *st);

/* scrub.c: when it is due, everything kept is read back and repaired. */
void scrub_run(struct summarizer *s);

#endif
