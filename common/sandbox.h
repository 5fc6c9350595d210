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

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Zeroed: nothing is writable. */
struct sandbox {
	struct sandbox_place *places;
	size_t count;
	bool held; /* the kernel holds us to it */
};

/* A directory that stays writable, with all below it. For one that does not
 * exist yet the nearest one above it is taken, / never. */
void sandbox_allow(struct sandbox *sb, const char *dir);
/* The directory that the file lies in. */
void sandbox_allow_around(struct sandbox *sb, const char *file);
/* Both sides of a rename must be in it. True when the kernel holds us to it:
 * where one place cannot be allowed, nothing is forbidden. */
bool sandbox_enter(struct sandbox *sb);
/*
 * The kernel knows directories and not names: true where another directory
 * is at one of the names by now, which only a new process can write to.
 */
bool sandbox_moved(const struct sandbox *sb);
void sandbox_close(struct sandbox *sb);

#endif
