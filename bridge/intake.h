/* SPDX-License-Identifier: ISC */
/*
 * The inbox: checked submissions of the command, and whatever else was put
 * into inbox/new by hand. A file moves new -> cur while it is worked on and
 * cur -> done when it is queued or refused durably; what no document can be
 * (links, FIFOs, folders) is set aside in corrupt/ and told.
 */
#ifndef BRIDGE_INTAKE_H
#define BRIDGE_INTAKE_H

#include <sys/types.h>
#include <limits.h>

#include "bridge/desk.h"
#include "bridge/retry.h"

/* What people were told about a file that cannot be taken. */
enum told { TOLD_NOTHING, TOLD_STUCK, TOLD_HOSTILE };

/* A file in inbox/new that is not taken yet. */
struct waiting {
	char name[NAME_MAX + 1];
	ino_t ino;
	off_t size;
	int64_t changed_us; /* wall clock: mtime or ctime, the later */
	int64_t since_ms;   /* monotonic: like this since */
	enum told told;
};

struct intake {
	struct desk *desk;
	struct waiting *waiting;
	size_t waiting_count;
	struct counts counts;
	uint64_t saved;     /* documents when the counts were written */
	size_t stuck;       /* files in cur that were not put */
	json_t *stuck_told; /* files in new, see stuck.c; owned */
	struct retry retry;
	bool once;
};

void intake_open(struct intake *in, struct desk *k, bool once);
void intake_close(struct intake *in);
enum scan intake_scan(struct intake *in);
/* Milliseconds until intake_scan should be called without a hint; -1. */
int64_t intake_wait(const struct intake *in);
/* Files that will be taken once they are stable. */
size_t intake_unsettled(const struct intake *in);

/* An alert about one file; name is as anybody may have chosen it. 0 or -1. */
int intake_tell_file(struct intake *in, const char *type, const char *name,
    const char *why, bool resolved);
/* Writes the state file; now: although no document was counted. */
void intake_save(struct intake *in, bool now);

/* In stuck.c: what cannot be taken is told, and so is its end. */
void stuck_load(struct intake *in, const json_t *list);
json_t *stuck_list(const struct intake *in);
bool stuck_tell(struct intake *in, const char *name, const char *what,
    int error);
void stuck_over(struct intake *in, const char *name, const char *how);
/* Those that lie in new no longer are over. */
void stuck_sweep(struct intake *in);

/* In waiting.c. */
enum sight {
	SIGHT_CHECKED, /* one of ours and whole: it need not settle */
	SIGHT_PLAIN,
	SIGHT_HOSTILE,
	SIGHT_UNREADABLE /* errno says why */
};
enum sight waiting_inspect(const struct intake *in, const char *name);
/* What is known of the file now, *first: it was not seen before; 0 or -1. */
int waiting_look(const struct intake *in, const char *name, struct waiting *w,
    bool *first);
/* It has not changed for bridge.settle. */
bool waiting_stable(const struct intake *in, const struct waiting *w);

/* In submission.c: a file's bytes to a document that is handed in. errno is
 * EPERM where it is no file that can be one. */
enum accept_answer submission_accept(struct intake *in, const char *name)
    __attribute__((warn_unused_result));

#endif
