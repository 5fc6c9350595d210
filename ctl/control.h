/* SPDX-License-Identifier: ISC */
/* The supervisor's control socket: one line there, one JSON line back. */
#ifndef CTL_CONTROL_H
#define CTL_CONTROL_H

#include <jansson.h>

#include "ctl/ctl.h"

/*
 * Sends "VERB" or "VERB NAME". 0 with *answer (owned), -1 with errno:
 * ECONNREFUSED or ENOENT when no supervisor runs, ETIMEDOUT when it does not
 * answer, EBADMSG when it answers nonsense.
 */
int control_ask(struct ctl *c, const char *verb, const char *name,
    json_t **answer);
/* As ask; CTL_DONE, or CTL_DOWN / CTL_FAILED after a complaint. */
int control_order(struct ctl *c, const char *verb, const char *name,
    json_t **answer);
/* Does a process hold run/INSTANCE.lock? Works without a supervisor. */
bool control_is_running(struct ctl *c, const char *instance);
/* Its pid as the lock file tells it; 0 unknown. */
long control_pid(struct ctl *c, const char *instance);

#endif
