/* SPDX-License-Identifier: ISC */
/* Whose the directories are that the supervisor makes outside of the spool. */
#ifndef WATCHDOG_RIGHTS_H
#define WATCHDOG_RIGHTS_H

struct settings;

/*
 * Where root is about to make the log directory and the daemons have a user of
 * their own: 3770 root:GROUP, so that they can keep files beside the
 * supervisor's and not touch those. What exists is left as it is.
 */
void rights_make_logs(const struct settings *s);

#endif
