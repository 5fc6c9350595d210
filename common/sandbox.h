/* SPDX-License-Identifier: ISC */
/*
 * What a daemon that parses other people's text may still do after it has
 * opened what it needs: change files below the given directories and nowhere
 * else, and execute nothing (Landlock and no_new_privs; reading is left
 * alone). The executor cannot use it: mounts are forbidden behind it.
 *
 * A kernel that does not know Landlock is a logged warning and nothing more.
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <stdbool.h>

/*
 * writable ends with NULL. For one that does not exist yet the nearest
 * directory above it is taken, / never. Both sides of a rename must be in it.
 * True when the kernel holds us to it.
 */
bool sandbox_enter(const char *const *writable);

#endif
