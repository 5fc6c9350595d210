/* SPDX-License-Identifier: ISC */
/*
 * The end of an attempt: the outcome durable first, then the queue file
 * moved, then the transaction dropped. Every step is idempotent: recovery
 * does them again from whichever is missing.
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
/* As above for a fault: makes the document. extra, where given, has fields
 * to be added (commands, warnings). */
int settle_fault(struct executor *ex, const struct envelope *env,
    const struct fault *f, json_t *extra, const struct settle_at *at);
/* Back to the queue; delay_ms 0: at once. t is what was counted. */
int settle_requeue(struct executor *ex, const char *file, const char *key,
    struct tries *t, int64_t delay_ms);
/* Drops T, or says why not: recovery will. */
void settle_drop(struct executor *ex, const char *txn);
/* Fields that each outcome of ours has. */
void settle_common(struct executor *ex, json_t *doc);

#endif
