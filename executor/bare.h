/* SPDX-License-Identifier: ISC */
/*
 * Private directories of a jail without namespaces: they lie in T, because
 * nothing can be mounted over the machine's own.
 */
#ifndef EXECUTOR_BARE_H
#define EXECUTOR_BARE_H

#include "executor/jail.h"

#define BARE_HOME "home"
#define BARE_TMP "scratch"

/* Makes them, the user's. 0 or -1. */
int bare_make(const struct jail_spec *spec);

#endif
