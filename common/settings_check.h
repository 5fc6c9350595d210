/* SPDX-License-Identifier: ISC */
/* What one key of patchflow.yaml alone cannot tell: settings.c's other half. */
#ifndef COMMON_SETTINGS_CHECK_H
#define COMMON_SETTINGS_CHECK_H

#include "common/settings.h"

/*
 * The number of errors added. s may be half filled (fields that had errors
 * are NULL or 0). Fills in what follows from other keys: the only queue is
 * the default one, approvers of queues that name none, names of sources and
 * destinations, absolute targets of path_map, the spool and the file itself
 * protected where they lie in a workspace.
 */
int settings_check(struct conf_file *f, struct settings *s);
/* settings_approvers.c's part: that of the file, and that of each queue. */
int settings_check_approvers(struct conf_file *f, struct settings *s);
/* settings_daemon.c's part: entry i of watchdog.daemons. */
int settings_check_daemon(struct conf_file *f, const struct settings *s,
    size_t i);

#endif
