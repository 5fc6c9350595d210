/* SPDX-License-Identifier: ISC */
/*
 * The last layer: system calls that no build and no test needs and that reach
 * for the kernel, for other processes or for other namespaces. They fail with
 * EPERM, so that programs fall back, and never kill. clone3(2), whose flags a
 * filter cannot see, is ENOSYS: the C library then uses clone(2).
 */
#ifndef EXECUTOR_FILTER_H
#define EXECUTOR_FILTER_H

#include <stdbool.h>

/* Compiled once in the executor; the children inherit it. inet: Internet
 * sockets are let through. 0, or -1 with errno. */
int filter_make(bool inet);
/* In the jail, for good; takes no_new_privs. 0 or -1. */
int filter_enter(bool inet);

#endif
