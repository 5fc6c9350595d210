/* SPDX-License-Identifier: ISC */
/*
 * Files that people dropped into patches/ by hand: they go to inbox/new as
 * submissions once their size has been the same for a second.
 */
#ifndef EXECUTOR_STRAY_H
#define EXECUTOR_STRAY_H

#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>

#include "common/tree.h"

#define STRAYS_MAX 64 /* at a time; the others are seen by a later scan */
#define STRAY_STABLE_MS 1000

struct stray {
	char name[NAME_MAX + 1];
	off_t size;
	int64_t mtime_ns;
	int64_t since_ms;
};

struct strays {
	struct stray items[STRAYS_MAX];
	size_t count;
};

/* Remembers name; known ones stay as they are. */
void strays_note(struct strays *s, int dir, const char *name);
/* Moves those that are stable. *moved counts them; -1 where one could not
 * be moved (errno). */
int strays_adopt(struct strays *s, int patches, const struct box *inbox,
    size_t *moved);

#endif
