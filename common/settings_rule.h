/* SPDX-License-Identifier: ISC */
/* One of a queue's rules, see patchflow.yaml(5). */
#ifndef COMMON_SETTINGS_RULE_H
#define COMMON_SETTINGS_RULE_H

#include <stdint.h>

/* One of command, path, files and bytes is given. */
struct rule_settings {
	char *action;         /* "allow", "hold", "deny" */
	char *command;        /* ERE, or "" */
	char *path;           /* glob below the workspace, or "" */
	int64_t files, bytes; /* more than so many; 0: not given */
	int line;             /* in the configuration */
};

#endif
