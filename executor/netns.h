/* SPDX-License-Identifier: ISC */
/*
 * The net namespace of a jail, kept for the next one: making and removing it
 * costs more than all the other namespaces together.
 *
 * In a jail nobody may change its interfaces, addresses or settings. What a
 * patch can leave in it is a socket, or the shadow of a connection that holds
 * its port (TIME_WAIT); the kernel counts both. Where one is left, or its last
 * jail is not proven dead, the next jail gets a namespace of its own.
 */
#ifndef EXECUTOR_NETNS_H
#define EXECUTOR_NETNS_H

#include <sys/types.h>
#include <stdbool.h>

struct netns {
	int fd;    /* -1: none is kept */
	int count; /* its /proc/net/sockstat */
	bool busy; /* a jail is in it */
};

void netns_reset(struct netns *n);
/* Whether the next jail may have it; else it is let go. */
bool netns_is_free(struct netns *n);
/* A jail is in it: the one that was kept, or that of pid, made for it. */
void netns_keep(struct netns *n, pid_t pid);
/* That jail is dead. */
void netns_leave(struct netns *n);
/* In the jail: enters the one that fd is of, or one that is new. 0 or -1. */
int netns_enter(int fd);
void netns_close(struct netns *n);

#endif
