/* SPDX-License-Identifier: ISC */
/*
 * Where in the control groups this process is, and how far they are its own
 * to divide. systemd's rule is that a service makes groups below the one that
 * was delegated to it and nowhere else; where there is no systemd, root may
 * divide everything, and others what belongs to them.
 */
#ifndef COMMON_HIERARCHY_H
#define COMMON_HIERARCHY_H

#include <limits.h>
#include <stdbool.h>

/* The directory of our own group in the hierarchy with that controller; ""
 * is version 2. A container may see only a part of it. */
bool hierarchy_own(const char *controller, char out[PATH_MAX]);
/* dir, of version 2, and all below it may be divided; else errno says why. */
bool hierarchy_is_ours(const char *dir);
/* Goes to the group above dir, if that is ours as well. */
bool hierarchy_up(char dir[PATH_MAX]);
/* Groups below dir, of version 2, could have that controller. */
bool hierarchy_offers(const char *dir, const char *controller);
/*
 * Groups below dir, of version 2, have that controller from now on: 0, or -1
 * with errno. A group with such children holds no process itself: where leaf
 * is not NULL and dir not free of them, the caller goes to the group leaf,
 * which is made, and comes back if that was not enough (EBUSY).
 */
int hierarchy_divide(const char *dir, const char *controller, const char *leaf);
/* The end of it, if nobody else has a group there: the caller goes back from
 * leaf, which is removed, to dir, some levels above it. */
void hierarchy_rejoin(const char *dir, const char *leaf);
/* One write, as the files of a group want it. 0, or -1 with errno. */
int hierarchy_write(const char *dir, const char *file, const char *text);

#endif
