/* SPDX-License-Identifier: ISC */
/*
 * The layers behind the mounts, for the worker and all that it starts:
 * Landlock, which allows changes in the workspace's view and the private
 * directories only, then the filter of system calls. Both are inherited and
 * never taken off again.
 */
#ifndef EXECUTOR_CONFINE_H
#define EXECUTOR_CONFINE_H

#include "executor/jail.h"

/* Before rights are dropped, with the mounts in place; root is the view. *fd
 * becomes a ruleset, or -1 where the kernel has no Landlock. 0 or -1. */
int confine_prepare(const struct jail_spec *spec, int root, int *ruleset);
/* After rights were dropped; closes ruleset. The short path is in its filter
 * before, see jail.c. */
int confine_enter(const struct jail_spec *spec, int ruleset);
/* Are Internet sockets let through? Where there is a network namespace they
 * reach its loopback only. */
bool confine_inet(const struct jail_spec *spec);

#endif
