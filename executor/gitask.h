/* SPDX-License-Identifier: ISC */
/*
 * Asking the workspace's git, and having it do something: command lines that
 * grow, and answers.
 *
 * Where git cannot look at something it mostly goes on: it calls that changed,
 * deleted or not there, with a line about it or none, and ends well. So what
 * would lose something is asked twice, in two ways where one of them is silent.
 */
#ifndef EXECUTOR_GITASK_H
#define EXECUTOR_GITASK_H

#include "executor/gitpaths.h"

struct gitargs {
	const char **items;
	size_t count;
};

/* The strings stay the caller's. A NULL p: no paths, everything is meant. */
void gitargs_push(struct gitargs *a, const char *item);
void gitargs_push_all(struct gitargs *a, const char *const *items);
void gitargs_push_paths(struct gitargs *a, const struct gitpaths *p);

/* Both empty a. 0 with the exit code and the output, less the newlines at its
 * end; -1 with *f set. */
int gitargs_ask(struct worker *w, struct gitargs *a, int *code, struct buf *out,
    struct fault *f);
/* As worker_command. */
int gitargs_run(struct worker *w, struct gitargs *a, const char *text,
    struct fault *f);

int git_ask(struct worker *w, const char *const *argv, int *code,
    struct buf *out, struct fault *f);
/* An exit code that is no answer: git could not look. Returns -1. */
int git_no_answer(const char *what, int code, const struct buf *out,
    struct fault *f);

#endif
