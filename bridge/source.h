/* SPDX-License-Identifier: ISC */
/*
 * Chat sources. source.c keeps what every type needs: the cursor file
 * state/ghost-bridge/source-HASH16.json, the counts, the trouble a source is
 * in and its alerts; source_transcript.c reads. Between two scans the last file
 * is kept open, to be read to its end when it is renamed away, but only of
 * so many sources that descriptors are left for everything else.
 */
#ifndef BRIDGE_SOURCE_H
#define BRIDGE_SOURCE_H

#include <sys/types.h>
#include <sys/stat.h>

#include "bridge/desk.h"
#include "bridge/retry.h"
#include "common/extract.h"

#define SOURCE_LAST 64

enum source_trouble { SOURCE_FINE, SOURCE_MISSING, SOURCE_UNREADABLE };

struct cursor {
	dev_t dev; /* with ino: the file that the rest is about */
	ino_t ino; /* 0: none yet */
	off_t offset;
	int64_t line;            /* of the byte at offset, from 1 */
	char print[DIGEST_SIZE]; /* of the bytes before offset */
	struct extract_state extract;
	/* An oversized block is passed over to the end of its fence: */
	char skip;    /* '`' or '~'; 0: nothing is passed over */
	int skip_len; /* of the opening fence */
};

struct source {
	const struct source_settings *set;
	char label[288]; /* "transcript:NAME" */
	char file[48];   /* the cursor file's name */
	struct cursor cursor;
	struct counts counts;
	enum source_trouble trouble; /* the one that was told */
	bool near_miss_told;
	off_t stale_told; /* offset of the open block that was; -1 none */

	/* Not kept over a restart: */
	struct stat seen; /* of the last whole look */
	bool idle;        /* nothing to do while seen does not change */
	bool open;        /* an open block waits for its end */
	bool waits;       /* the next four hold: what is behind the cursor */
	struct extract_open waiting;
	char last[SOURCE_LAST]; /* bytes before waiting.seen: is it the same? */
	size_t last_len;
	int kept;          /* the cursor's file, while it is held; or -1 */
	uint64_t fetched;  /* bytes read, and bytes that extract looked at: */
	uint64_t looked;   /* for the test that both are bounded */
	bool tail;         /* the last line may not be whole yet */
	bool dirty;        /* cursor or counts are newer than their file */
	int64_t saved_ms;  /* monotonic, as the next three */
	int64_t grown_ms;  /* when the file last grew */
	int64_t missed_ms; /* missing since; 0: not */
	int64_t not_before_ms;
	struct retry retry;
};

void source_open(struct source *s, const struct source_settings *set,
    struct desk *k);
void source_close(struct source *s, struct desk *k);
/* Writes the cursor file now; 0, or -1 with errno. */
int source_save(struct source *s, struct desk *k);
/* Holds fd, or closes it where too many are held; what was held is closed. */
void source_keep(struct source *s, struct desk *k, int fd);
/* A fresh cursor: the next scan begins at the file's first byte. */
void source_rewind(struct source *s);

/* Tells a trouble once, and its end. once: no grace for a missing file. */
void source_troubled(struct source *s, struct desk *k,
    enum source_trouble trouble, const char *why);
/* A put failed, or works again: one alert each. */
void source_put_failed(struct source *s, struct desk *k, int error);
void source_put_works(struct source *s, struct desk *k);
/* Counted and journaled, the first also told. 0, or -1: try again. */
int source_near_miss(struct source *s, struct desk *k, int64_t line,
    const char *why) __attribute__((warn_unused_result));
/* The open block did not grow for too long, or is closed at last. */
void source_check_stale(struct source *s, struct desk *k);

/* One bounded piece of work. */
enum scan source_scan(struct source *s, struct desk *k, bool once);
/* Milliseconds until source_scan should be called without a hint; -1. */
int64_t source_wait(const struct source *s, const struct desk *k);

#endif
