/* SPDX-License-Identifier: ISC */
/*
 * Why an attempt did not succeed: what the outcome will say. The setters
 * return -1, so that a failing function ends with `return fault_fail(...)`;
 * the first fault stays, later ones of the same attempt are ignored.
 */
#ifndef EXECUTOR_FAULT_H
#define EXECUTOR_FAULT_H

#include <stdbool.h>
#include <jansson.h>

#include "common/outcome.h"

struct fault {
	bool set;
	enum outcome_state state;
	enum outcome_stage stage;
	enum outcome_reason reason;
	bool temporary; /* another run may succeed: requeued with backoff */
	char text[1024];
	char hint[512];
	char place[128]; /* "mutations[2]"; may be "" */
	json_t *edit_error;
	json_t *conflicts;     /* conflict.h */
	size_t conflicts_more; /* that are not in there */
};

int fault_fail(struct fault *f, enum outcome_stage stage, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int fault_reject(struct fault *f, enum outcome_reason reason, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
/* As fault_fail with strerror(errno) appended; temporary where the errno
 * says that a resource was lacking. */
int fault_errno(struct fault *f, enum outcome_stage stage, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void fault_hint(struct fault *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void fault_place(struct fault *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void fault_free(struct fault *f);

/* Across the pipe from the staging process. */
json_t *fault_encode(const struct fault *f);
int fault_decode(const json_t *doc, struct fault *f); /* -1 EINVAL */
/* Adds error, hint, place, edit_error and conflicts to an outcome. */
void fault_describe(const struct fault *f, json_t *outcome);

#endif
