/* SPDX-License-Identifier: ISC */
/*
 * What a service says: the socket behind its $NOTIFY_SOCKET and the pipe
 * behind its stderr. Each service has its own, so that a word can never be
 * another daemon's; the kernel's credentials say whether it is the present
 * process's.
 */
#ifndef WATCHDOG_CHANNEL_H
#define WATCHDOG_CHANNEL_H

#include <sys/types.h>

struct service;
struct spawn;

int channel_open(struct service *s); /* 0, or -1 with errno, nothing made */
void channel_close(struct service *s);
/* With descriptors that are there already. */
void channel_resume(struct service *s);
/*
 * Readiness is waited for, so that those behind it start at once. A beat wakes
 * nobody: it lies in the socket until the next pulse, deadline, exit or
 * question, and counts from when it came.
 */
void channel_attend(struct service *s);
/* The daemon runs as another user: its process gives it the socket, unless it
 * has it from the one before. */
void channel_give(struct service *s, struct spawn *sp);

#endif
