/* SPDX-License-Identifier: ISC */
/*
 * The end of an attempt: the outcome durable first, then the queue file
 * moved, then the transaction dropped. Every step is idempotent: recovery
 * does them again from whichever is missing.
 *
 * A claim is synced while its commands run, or with its record, and with it
 * the move that has settled the patch before: a power cut may take both back
 * before that. Then the file is in patches again and nothing of it was
 * promised, or in .running and settled by its outcome.
 */
#ifndef EXECUTOR_SETTLE_H
#define EXECUTOR_SETTLE_H

#include "executor/executor.h"
#include "executor/tries.h"

/* Where the queue file of the attempt lies. */
struct settle_at {
	enum queue_dir dir; /* Q_RUNNING, Q_PATCHES, Q_HELD */
	const char *file;
};

/* Puts doc as the outcome of its KEY,ATTEMPT and moves file out of
 * from. 0, or -1: the queue is held. */
int settle_outcome(struct executor *ex, const json_t *doc, enum queue_dir from,
    const char *file);
/* The end of that, once more: of one whose file was moved, but whose counts and
 * question a kill may have left. */
void settle_close(struct executor *ex, const json_t *doc);
/* As above for a fault: makes the document. extra, where given, has fields
 * to be added (commands, warnings). */
int settle_fault(struct executor *ex, const struct envelope *env,
    const struct fault *f, json_t *extra, const struct settle_at *at);
/* What was moved into and out of .running is durable: before any record or
 * outcome of a claimed patch. 0, or -1: the queue is held. */
int settle_sync(struct executor *ex);
/* Workspace, transactions and spool share one journal that keeps the order of
 * the calls (fsinfo.h): one sync (tail.h) carries the record and all that was
 * done before and after it. Not in recovery, which may have to make durable
 * what its predecessor could not. */
bool settle_in_order(const struct executor *ex);
/*
 * The outcome of the patch in work goes to the disk with what was staged, or
 * with the tail.
 * settle_show then renames it; that is durable after settle_sync_shown (0, or
 * -1: the queue is held), until which the record has to stay that would bring
 * it again. What does not work here is done by settle_outcome. settle_undraft
 * takes away what was not shown.
 */
void settle_draft(struct executor *ex, const json_t *doc);
void settle_sync_draft(struct executor *ex);
void settle_show(struct executor *ex, const json_t *doc);
int settle_sync_shown(struct executor *ex);
void settle_undraft(struct executor *ex);
/* Back to the queue; delay_ms 0: at once. t is what was counted. */
int settle_requeue(struct executor *ex, const char *file, const char *key,
    struct tries *t, int64_t delay_ms);
/* The first attempt from n's on that has no outcome: an operator's retry and
 * a resend can so never share one. */
void settle_free_attempt(struct executor *ex, struct queue_name *n);
/* aside.c: a queue file that is not to be read goes to corrupt/, with an
 * outcome by f as far as the file's name tells of whom. */
void settle_aside(struct executor *ex, struct queue_name *n,
    const struct fault *f, const struct settle_at *at);
/* dir was changed by us, and what lay below it: the next T0 has to be later, or
 * a name less of some file would look like a stranger's doing. */
void settle_note_time(struct executor *ex, int dir);
/* Drops T, or says why not: recovery will. */
void settle_drop(struct executor *ex, const char *txn);
/* Fields that each outcome of ours has. */
void settle_common(struct executor *ex, json_t *doc);

#endif
