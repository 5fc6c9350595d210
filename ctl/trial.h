/* SPDX-License-Identifier: ISC */
/* check-config's list of what was tried, and the trials of files. */
#ifndef CTL_TRIAL_H
#define CTL_TRIAL_H

#include <jansson.h>

#include "ctl/ctl.h"

enum trial_result { TRIAL_OK, TRIAL_WARNING, TRIAL_ERROR };

struct trials {
	struct ctl *c;
	json_t *list; /* {subject, check, result, detail, fix} */
	bool failed;
};

/* fix may be "". Takes detail, which is the caller's no more. */
void trial_note(struct trials *t, enum trial_result result, const char *subject,
    const char *check, char *detail);
/* What to do about the trial noted last. */
void trial_fix(struct trials *t, const char *fix);

/* A file can be made in path and goes again: 0, or -1 with errno. */
int trial_write(const char *path);
/* path is a directory that can be written, or its parent lets it be made. */
int trial_directory(const char *path);
/* A file can be renamed from directory `from` (made for the trial where it is
 * missing) to directory `to`: 0, or -1 with errno. */
int trial_rename(const char *from, const char *to);

#endif
