/* SPDX-License-Identifier: ISC */
/*
 * What the staging process tells the executor: JSON objects, one a line, on
 * a pipe. kind: "progress" {text}, "command" {an entry of outcome.commands},
 * "git" {commit, tag}, "warning" {text}, "fault" (fault.h), "end". A stage
 * that did not say "end" did not succeed, however its process ended.
 */
#ifndef EXECUTOR_REPORT_H
#define EXECUTOR_REPORT_H

#include <jansson.h>

#include "common/buf.h"
#include "executor/fault.h"

/* Takes doc. The pipe's reader may be gone: nothing to be done about it. */
void report_send(int fd, const char *kind, json_t *doc);
/* Goes with the next one that is sent: each wakes the executor up. */
void report_later(int fd, const char *kind, json_t *doc);
void report_text(int fd, const char *kind, const char *text);
void report_fault(int fd, const struct fault *f);

/*
 * Reads what is there and calls on() for each whole line. 1: more may come,
 * 0: end of file, -1: the lines are broken or too long.
 */
int report_read(int fd, struct buf *pending,
    void (*on)(void *owner, const char *kind, json_t *doc), void *owner);

#endif
