/* SPDX-License-Identifier: ISC */
/*
 * Who, beside root and the owner of the spool, decides about a queue's patches:
 * the users and groups of its approvers, as the accounts are at that moment.
 * They may retry, hold, cancel, approve and reject; what is about the whole
 * queue or takes back what is done is not theirs.
 */
#ifndef COMMON_APPROVER_H
#define COMMON_APPROVER_H

#include <stdbool.h>

#include "common/request.h"
#include "common/settings.h"

/*
 * May r->uid, whose request lies among those of others (request.h), have it
 * done? Fills r->as with the entry that says so; else why not.
 */
bool approver_allow(const struct queue_settings *q, struct request *r,
    char why[256]);

#endif
