/* SPDX-License-Identifier: ISC */
/*
 * Where documents are handed in, whatever they came from: sources and the
 * inbox fill a struct document, accept.c decides, refuse.c files what cannot
 * be run. Everything is durable when accept_document answers ACCEPT_DONE;
 * only then may the caller move its cursor.
 */
#ifndef BRIDGE_DESK_H
#define BRIDGE_DESK_H

#include <sys/types.h>
#include <stdint.h>

#include "common/ids.h"
#include "common/journal.h"
#include "common/settings.h"
#include "common/state.h"
#include "common/tree.h"

#define DESK_NAME "ghost-bridge"

struct counts {
	uint64_t documents; /* each meant as a patch */
	uint64_t accepted;
	uint64_t duplicates;
	uint64_t refused;
	uint64_t near_misses;
};

struct desk {
	const struct settings *set;
	struct tree *tree;
	struct journal journal;
	struct ids_clock clock;
	struct state state; /* state/ghost-bridge */
	uint64_t work;      /* documents since the start */
	size_t kept;        /* files that sources keep open, */
	size_t kept_max;    /* and how many they may */
};

/* Strings are borrowed, and never NULL. */
struct document {
	const char *text;
	size_t len;
	const char *source;     /* "transcript:NAME", "inbox:FILE" */
	const char *occurrence; /* source and position, the same when reread */
	const char *conversation;
	const char *message_id;
	const char *author;
	const char *queue;    /* the submitter's choice; "" the document's */
	const char *fallback; /* where no target is named; "" the default */
	int priority;         /* the submitter's; -1 the document's */
	uid_t uid;            /* of who handed it in */
	int64_t detected_us;  /* wall clock */
	int64_t line;         /* of the text's first line in the source */
	int indent;           /* bytes taken off each of its lines */
	bool again;           /* tried before: a duplicate is no news */
	struct counts *counts;
};

/* ACCEPT_RETRY: nothing is lost and nothing is decided; errno says why. */
enum accept_answer { ACCEPT_DONE, ACCEPT_RETRY };

/* One bounded piece of a reader's work. */
enum scan {
	SCAN_IDLE, /* all is read, or nothing can be */
	SCAN_MORE, /* there is more to do at once */
	SCAN_RETRY /* something failed; the reader's retry says when */
};

int desk_open(struct desk *k, const struct settings *set, struct tree *tree);
void desk_close(struct desk *k);

/* A document by its text: queued, a duplicate, or refused. */
enum accept_answer accept_document(struct desk *k, const struct document *d)
    __attribute__((warn_unused_result));
/* A document that cannot even be read: refused as malformed. */
enum accept_answer accept_unreadable(struct desk *k, const struct document *d,
    const char *error) __attribute__((warn_unused_result));

json_t *counts_encode(const struct counts *c);
void counts_decode(const json_t *doc, struct counts *c);

#endif
