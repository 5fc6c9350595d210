/* SPDX-License-Identifier: ISC */
/*
 * Patches that wait until somebody approves of them. What is asked for stands
 * in the patch's state document (tries.h), bound to digest and attempt; an
 * alert says so, and is resolved when it was decided or has ended.
 */
#ifndef EXECUTOR_APPROVAL_H
#define EXECUTOR_APPROVAL_H

#include "common/request.h"
#include "executor/changes.h"
#include "executor/executor.h"
#include "executor/policy.h"

/* What the queue's settings say to job as that attempt. An approval that was
 * granted for it turns POLICY_HOLD into POLICY_RUN; one that was asked for
 * because of what its commands did is waited for. POLICY_HOLD without a reason:
 * nobody can tell, and the queue is held. */
void approval_judge(struct executor *ex, const struct job *job, int attempt,
    struct policy_answer *a);
/* The same of what the patch in work has changed: watch before the changes
 * are looked for, judge when all are found. What the patch itself says was
 * judged before it ran: rules that held it then do not hold it again. */
void approval_watch(struct executor *ex, struct changes *c);
void approval_judge_changes(struct executor *ex, const struct changes *c,
    struct policy_answer *a);
/* Asks, unless that was done before. of_changes: it has run, and is to wait for
 * the answer. 0, or -1: the queue is held. */
int approval_ask(struct executor *ex, const struct envelope *env, int attempt,
    bool of_changes, const char *why);
/* An operator says yes; answer is what he is told. */
bool approval_grant(struct executor *ex, const struct request *r,
    const char *key, char answer[256]);
/* May r decide about key? Not when another document came meanwhile. */
bool approval_is_meant(struct executor *ex, const struct request *r,
    const char *key, char answer[256]);
/* The attempt is over: nobody needs to decide any more. */
void approval_close(struct executor *ex, const char *key, const char *id);
/* Of a granted one: {by, uid, at, comment, why}, else NULL. */
json_t *approval_describe(struct executor *ex, const char *key);
/* "name", or "uid 1000". */
void approval_name(uid_t uid, char *out, size_t size);

#endif
