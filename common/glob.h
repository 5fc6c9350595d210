/* SPDX-License-Identifier: ISC */
/* The patterns of protected and of rules' paths, see patchflow.yaml(5). */
#ifndef COMMON_GLOB_H
#define COMMON_GLOB_H

#include <stdbool.h>

/* Does glob match path, or a directory that path lies below? Both are
 * relative to the workspace, and path is clean. */
bool glob_covers(const char *glob, const char *path);
/* Is there a clean path at all that it could match? */
bool glob_is_useful(const char *glob);

#endif
