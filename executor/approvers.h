/* SPDX-License-Identifier: ISC */
#ifndef EXECUTOR_APPROVERS_H
#define EXECUTOR_APPROVERS_H

#include "executor/executor.h"

/* check-config: is there an account behind each approver, and a way in? */
void approvers_try(const struct executor *ex, struct trials *t);

#endif
