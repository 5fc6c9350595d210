/* SPDX-License-Identifier: ISC */
/*
 * The descendants of a process, as /proc tells them. Where the kernel lists
 * children (CONFIG_PROC_CHILDREN) only they are read, which takes
 * microseconds; else all processes of the machine.
 *
 * Who forks and goes while it is read may be missed: a list is whole only when
 * nobody in it was found dead. Orphans are taken to come to the root.
 */
#ifndef EXECUTOR_KIN_H
#define EXECUTOR_KIN_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

struct kin {
	pid_t *pids; /* parents before their children */
	size_t count;
	bool whole;
};

/* Reads root's descendants and the caller's, each once, without these two.
 * k is empty or of an earlier reading. */
void kin_read(struct kin *k, pid_t root);
void kin_free(struct kin *k);
/* By the text of /proc/PID/stat: it waits to be reaped, with all its threads;
 * the first of them may end before the others, which then go on. */
bool kin_has_ended(const char *stat);
/* From now on as if the kernel listed no children: for tests. */
void kin_distrust(void);

#endif
