/* SPDX-License-Identifier: ISC */
/*
 * The next jail, started ahead while a patch runs: its init has made all in
 * which no patch has a say (namespaces, root, the machine's directories,
 * private ones, /proc) and waits for its order. It is used once.
 *
 * What it shows of the machine must not be stale: where anything was mounted or
 * unmounted since, or the machine's root has other entries, it is let go, and
 * the patch starts a jail of its own. The workspace, the masks and what the
 * queue exposes are none of it: they are looked at when the patch starts.
 */
#ifndef EXECUTOR_AHEAD_H
#define EXECUTOR_AHEAD_H

#include <sys/types.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "executor/jail.h"

struct ahead {
	struct jail jail; /* pid -1: none; may be dying, too */
	bool there;       /* one that nobody has killed */
	int order;        /* what it will read; -1 */
	int changes;      /* of the machine's mounts: its mountinfo */
	int waits;        /* of patches for it to be ready, in vain */
	int64_t not_before_ms;
	struct timespec root; /* last change of the machine's */
	ino_t net;            /* the namespace that it may enter; 0: its own */
	struct jail_user user;
	char groups[2][PATH_MAX]; /* of which it may join one each; "" */
};

void ahead_reset(struct ahead *a);
/* Begins one, where there is none yet. spec: as for jail_start, with accept;
 * what the order tells need not be in it. */
void ahead_make(struct ahead *a, const struct jail_spec *spec);
/* Is there one for a patch of spec? *j is it then, and *order (the caller's to
 * close) what must be written before it is released. Where not, it is let go
 * or still being made. */
bool ahead_take(struct ahead *a, const struct jail_spec *spec, struct jail *j,
    int *order);
/* Lets it go. */
void ahead_drop(struct ahead *a);
void ahead_close(struct ahead *a);

#endif
