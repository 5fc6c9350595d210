/* SPDX-License-Identifier: ISC */
/* Why a held patch waits, and until when: from its executor's note of it, else
 * from the states of what it depends on. */
#ifndef CTL_HELD_H
#define CTL_HELD_H

#include <jansson.h>

#include "ctl/ctl.h"

/*
 * {reason, why, until|null, digest, attempt}: reason is operator, backoff,
 * approval or dependency; digest and attempt say of what an approval is asked
 * for, whatever the reason, "" and 0 else; then approvers is who may decide.
 * job is the queue file, or NULL. A new reference.
 */
json_t *held_describe(struct ctl *c, struct queue_tree *q, const char *key,
    const json_t *job);
/* How many of q's wait for approval. */
int64_t held_for_approval(struct ctl *c, struct queue_tree *q);

#endif
