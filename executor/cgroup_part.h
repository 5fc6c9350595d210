/* SPDX-License-Identifier: ISC */
/* Between cgroup.c and cgroup_find.c. */
#ifndef EXECUTOR_CGROUP_PART_H
#define EXECUTOR_CGROUP_PART_H

#include "executor/cgroup.h"

int cgroup_write(const char *dir, const char *file, const char *text);

#endif
