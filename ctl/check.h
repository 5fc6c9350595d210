/* SPDX-License-Identifier: ISC */
/* Parts of check-config that are the supervisor's and no daemon's. */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include "common/trial.h"
#include "ctl/ctl.h"

/*
 * The user that the supervisor gives the daemons which need no rights: that it
 * exists, owns the spool and is in the groups by which the suite shares files.
 * "" where all are ours, or it cannot be used at all.
 */
const char *check_user(struct trials *t, const struct ctl *c);

#endif
