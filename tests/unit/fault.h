/* SPDX-License-Identifier: ISC */
/*
 * Faults in the kernel's answers. A sweep is linked with every sys_*() of
 * common/sys.h wrapped; here is what happens at the nth of those calls since
 * fault_set(). A failed call does nothing (close does close); a kill is
 * _exit(FAULT_KILLED) in the process that calls, so sweep it in a child.
 *
 *	for (n = 1; fault_set(FAULT_KILL_AFTER, n, 0),
 *	     fault_child(work, arg) == FAULT_KILLED; n++)
 *		... recover, check ...
 */
#ifndef TESTS_UNIT_FAULT_H
#define TESTS_UNIT_FAULT_H

#include <stdbool.h>

#define FAULT_KILLED 99

enum fault_mode {
	FAULT_NONE,        /* calls are only counted */
	FAULT_FAIL,        /* the nth fails with err */
	FAULT_FAIL_ON,     /* it and all later ones fail: the disk is full */
	FAULT_KILL_BEFORE, /* the process ends instead of the nth */
	FAULT_KILL_AFTER,  /* and right behind it */
	FAULT_SHORT,       /* the nth, if it is a write, takes one byte */
	FAULT_CALL         /* the hook runs behind the nth, once */
};

void fault_set(enum fault_mode mode, long nth, int err);
void fault_clear(void);
/* Calls since fault_set. */
long fault_count(void);
/* The nth call was reached. */
bool fault_hit(void);
/* fsync answers 0 and does nothing: fast where only processes die, and the
 * negative control where the power goes. */
void fault_fsync_lies(bool lies);
void fault_hook(void (*hook)(void *), void *arg);
/* Runs work in a child with the faults as set: its exit status, or minus the
 * signal that ended it; -1 too where there could be no child. */
int fault_child(int (*work)(void *), void *arg);

#endif
