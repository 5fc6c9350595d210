/* SPDX-License-Identifier: ISC */
/* The other side of jail.h: what runs in the process that jail_start made. */
#ifndef EXECUTOR_JAIL_CHILD_H
#define EXECUTOR_JAIL_CHILD_H

#include "executor/jail.h"

/* Never returns. lifeline and report: its ends of them. */
_Noreturn void jail_child(const struct jail_spec *spec, const struct jail *j,
    int lifeline, int report);

#endif
