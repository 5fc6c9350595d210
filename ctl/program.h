/* SPDX-License-Identifier: ISC */
/* The suite's other programs: where they are, and what their -n finds. */
#ifndef CTL_PROGRAM_H
#define CTL_PROGRAM_H

#include "common/trial.h"
#include "ctl/ctl.h"

/* Beside this program, as in a build tree; else where daemons are installed.
 * The caller frees. */
char *program_find(const char *name);

/*
 * Runs "NAME -n -c FILE [-q QUEUE]" as user ("": as ourselves) and adds what
 * it found. A program that does not start, ends oddly or says nothing is an
 * error in the list, with what it said to standard error.
 */
void program_check(struct ctl *c, const char *name, const char *queue,
    const char *user, struct trials *t);

#endif
