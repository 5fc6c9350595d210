/* SPDX-License-Identifier: ISC */
/* What /proc says of a process. */
#ifndef WATCHDOG_PROC_H
#define WATCHDOG_PROC_H

#include <sys/types.h>

struct proc_stat {
	pid_t parent;
	pid_t group;
	pid_t session;
	char state; /* 'Z': dead, nobody has waited for it */
};

/* Up to size - 1 bytes of a /proc file, NUL behind; bytes, or -1. */
ssize_t proc_read(const char *path, char *out, size_t size);
/* -1 when there is no such process (any more). */
int proc_stat(pid_t pid, struct proc_stat *out);
/* Calls with each process's number, low ones first, until visit returns
 * something else than 0. */
void proc_each(int (*visit)(pid_t, void *), void *arg);

#endif
