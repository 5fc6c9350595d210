/* SPDX-License-Identifier: ISC */
/*
 * One patch staged and judged, and nothing done: ex->dry.on. What would have
 * been the outcome is left in ex->dry.outcome.
 */
#ifndef EXECUTOR_DRY_RUN_H
#define EXECUTOR_DRY_RUN_H

#include "executor/executor.h"

/* --dry-run: the job on standard input, its outcome on standard output. Exit
 * status: 0 it was staged, 111 it could not be. */
int dry_run(const struct daemon_opts *o, struct settings *s);

/* The transaction's name. */
void dry_run_name(char *name, size_t size);
/* In the place of settling and committing; the transaction is dropped. */
void dry_run_fail(struct executor *ex, json_t *extra);
void dry_run_succeed(struct executor *ex, json_t *outcome); /* takes it */

#endif
