/* SPDX-License-Identifier: ISC */
/* The journals of all daemons as one list of events. */
#ifndef CTL_EVENTS_H
#define CTL_EVENTS_H

#include <sys/types.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct event {
	json_t *doc; /* owned */
	size_t nth;  /* as read */
	char daemon[64];
};

struct events {
	struct event *items;
	size_t count;
	const char *id;    /* only events of this id; NULL: all */
	char hash8[9];     /* of id, as key_hash8 has it */
	const char *queue; /* and of this queue; NULL: any */
};

/* One journal that is followed. */
struct events_tail {
	char name[128]; /* NAME.log */
	ino_t ino;
	off_t offset;
};

struct events_follow {
	struct events_tail *tails;
	size_t count;
	bool begun;
};

/*
 * Adds what the journals in dir hold, rotated ones too; tail_bytes > 0: only
 * so much from the end of each daemon's newest file. 0, or -1 with errno.
 */
int events_read(struct events *e, int dir, off_t tail_bytes);
/* By time; equal times stay in the order they were read. */
void events_sort(struct events *e);
void events_clear(struct events *e);
/* What was appended since the last call, to a file that was rotated since as
 * well; the first one starts at the ends. */
int events_more(struct events *e, int dir, struct events_follow *f);
void events_follow_free(struct events_follow *f);

#endif
