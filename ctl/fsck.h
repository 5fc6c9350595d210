/* SPDX-License-Identifier: ISC */
/*
 * fsck compares the spool with patchflow-spool(5). It looks at a spool that
 * works, so every suspicion is looked at again before it is a problem: files
 * move by rename and only along the edges of that page.
 */
#ifndef CTL_FSCK_H
#define CTL_FSCK_H

#include <jansson.h>

#include "common/outcome.h"
#include "ctl/ctl.h"

enum fsck_level {
	FSCK_NOTE,  /* worth knowing, nothing is wrong */
	FSCK_WRONG, /* not as the page says */
	FSCK_MENDED /* was wrong, and --repair has done something about it */
};

struct fsck {
	struct ctl *c;
	bool repair;
	json_t *problems;
	int64_t files;
	int64_t wrong;
};

/* place is below the spool. */
void fsck_say(struct fsck *f, enum fsck_level level, const char *place,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A file of ours that fails its check: reported, and set aside where that is
 * safe and wanted. what is the directory's name for corrupt/. */
void fsck_bad_file(struct fsck *f, int dir, const char *path, const char *what,
    const char *name);

/* States, outcomes and summaries of one queue. */
void fsck_queue(struct fsck *f, struct queue_tree *q);
/* tmp directories, boxes of alerts, the inbox, locks, unknown names. */
void fsck_rest(struct fsck *f);
/* The index of ids against the queues. */
void fsck_ids(struct fsck *f);

#endif
