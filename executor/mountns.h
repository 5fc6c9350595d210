/* SPDX-License-Identifier: ISC */
/*
 * The mount namespace of the next jail, made ahead by a child while the patch
 * before it runs: the root, the machine's directories and the private ones, in
 * which no patch has a say. It is used once, and nobody is in it before.
 *
 * What it shows of the machine must not be stale: where anything was mounted or
 * unmounted since, or the machine's root has other entries, it is let go, and
 * the jail makes its own. The workspace, the masks and what the queue exposes
 * are none of it: they are looked at when the patch starts.
 */
#ifndef EXECUTOR_MOUNTNS_H
#define EXECUTOR_MOUNTNS_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "executor/jail.h"

struct mountns {
	int fd;        /* -1: there is none */
	pid_t builder; /* its child; -1: that was reaped */
	int pidfd;
	int changes; /* of the machine's mounts: its mountinfo */
	int waits;   /* of jails for its child, in vain */
	int64_t not_before_ms;
	struct timespec root; /* last change of the machine's */
	struct jail_user user;
};

void mountns_reset(struct mountns *m);
/* Begins one, where there is none yet. Of spec: queue, user; txn is a directory
 * that nobody needs in it. */
void mountns_make(struct mountns *m, const struct jail_spec *spec);
/* May a jail of spec enter it? Where not, it is let go or still being made. */
bool mountns_is_ready(struct mountns *m, const struct jail_spec *spec);
/* Lets it go; a jail that entered it has it for itself then. */
void mountns_drop(struct mountns *m);
void mountns_close(struct mountns *m);

#endif
