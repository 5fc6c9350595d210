/* SPDX-License-Identifier: ISC */
/*
 * Where a sweep happens: a directory with the tree "ws" and, where there is
 * one, "spool". Before each point it is made anew from a saved copy: a
 * directory, or an image of a file system whose power can be cut.
 */
#ifndef INJECT_WORLD_H
#define INJECT_WORLD_H

#include <stdbool.h>
#include <time.h>

#include "common/buf.h"

/* What the spool says about its patches. */
struct verdict {
	int outcomes;
	char state[16]; /* of the newest outcome, see read_state */
	int queued, running, held, completed, failed;
	int recorded; /* running, with a record and no outcome yet */
	int alerts;
	int refused; /* requests that were answered so */
};

struct world {
	const char *path;  /* live */
	const char *saved; /* directory, or image */
	const char *disk;  /* copy of the image that is mounted; NULL: none */
	const char *queue; /* NULL: no spool */
	const char *look;  /* shell command whose output belongs to the image */
	time_t recent;
	const char *between;   /* tree of several patches' middle; NULL: none */
	const char *otherwise; /* and where the second goes first; NULL */
	struct buf before, after;   /* the images; before with .git */
	struct buf middle;          /* of between */
	struct buf other;           /* of otherwise */
	struct buf residue;         /* what a plain run leaves in the spool */
	struct verdict start, goal; /* what it begins and ends with */
};

enum image {
	IMAGE_NEITHER,
	IMAGE_BEFORE,
	IMAGE_BETWEEN,
	IMAGE_AFTER,
	IMAGE_SAME /* nothing is to change */
};

int world_restore(struct world *w);
/* Everything that is not on the disk is gone. */
int world_cut_power(const struct world *w);
int world_remount(const struct world *w);
void world_leave(const struct world *w);

/* The images from a world as it was saved, and as a plain run left it. */
int world_note_before(struct world *w);
int world_note_after(struct world *w);
/* Is before what it comes to, as with a patch that is refused? */
bool world_is_kept(const struct world *w);
/* *why (the caller's) is a line that differs, for IMAGE_NEITHER. */
enum image world_image(struct world *w, char **why);

int world_verdict(const struct world *w, struct verdict *v);
/* What is left that should not be; "" or the first of it (the caller's). */
char *world_leftover(struct world *w);
/* Undoes the waits of what was put off. */
void world_hurry(const struct world *w);
/* Takes the commit records away, as if they had never been durable. */
void world_forget_records(const struct world *w);

#endif
