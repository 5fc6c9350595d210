/* SPDX-License-Identifier: ISC */
/*
 * What one attempt came to, ready to be told: the outcome document taken
 * apart once, so that rendering decides nothing about formats. Pure.
 *
 * Strings are borrowed from the outcome's document and never NULL. A damaged
 * outcome has facts too: what the file name and the state directory say.
 */
#ifndef SUMMARIZER_FACTS_H
#define SUMMARIZER_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/outcome.h"

#define SUMMARY_FORMAT "patchflow-summary-1"

struct command_fact {
	const char *phase;
	const char *command;
	const char *head; /* of the output */
	const char *tail; /* "" when head holds all of it */
	const char *signal;
	const char *reason; /* why it ended; "" in old outcomes */
	int64_t exit_code;  /* -1 where a signal ended it */
	int64_t duration_ms;
	int64_t dropped_bytes; /* between head and tail */
	bool timed_out;
	bool backgrounded;
	bool failed;
	bool ran; /* to an end of its own that is known */
};

struct change_fact {
	const char *path;
	const char *op;
	const char *old_sha256;
	const char *new_sha256;
	const char *mode;
	int64_t bytes;
};

/* Where final.summaryFile points and whether the path rules allow a copy. */
struct copy_fact {
	const char *wanted; /* as the patch says; "" : none asked for */
	char *path;         /* real absolute path, or NULL; owned */
	char refusal[256];  /* why there is no copy; "" when path is set */
};

struct facts {
	struct outcome outcome;
	bool damaged;             /* told from the file name only */
	char digest[DIGEST_SIZE]; /* of the outcome's document */
	char where[NAME_SIZE];    /* file name of the outcome */
	const char *description;
	const char *error;
	const char *hint;
	const char *isolation;
	const char *durability;
	const char *started_at;
	const char *finished_at;
	const char *diff;
	const char *final_summary;
	bool diff_truncated;
	bool unvalidated;
	int64_t duration_ms; /* -1 unknown */
	struct command_fact *commands;
	size_t command_count;
	struct change_fact *changes;
	size_t change_count;
	const json_t *doc; /* the outcome's: rare fields are read from it */
	struct copy_fact copy;
};

/* How much of outside text a summary quotes. */
enum render_mode {
	RENDER_FULL,
	RENDER_PREFIXED, /* each quoted line behind a mark */
	RENDER_WITHHELD, /* no outside text at all */
	RENDER__MODES
};

struct render_limits {
	int64_t diff_bytes;
	int64_t output_bytes; /* of one command */
	enum render_mode mode;
};

/* Keeps its own reference to doc; 0, or -1 EINVAL: not an outcome. */
int facts_read(struct facts *f, json_t *doc);
/* For an outcome that cannot be read; env from the queue file or its name. */
void facts_damaged(struct facts *f, const struct envelope *env,
    enum outcome_state state, const char *why);
void facts_free(struct facts *f);

/* Front matter and Markdown: the whole file. Same facts, same bytes. */
void render_summary(const struct facts *f, const struct render_limits *limits,
    struct buf *out);
/* Markdown alone; what body_sha256 covers. */
void render_body(const struct facts *f, const struct render_limits *limits,
    struct buf *out);
/* The part that says why it failed; nothing for a success. */
void explain_failure(const struct facts *f, const struct render_limits *limits,
    struct buf *out);
/* Its part on the paths of a conflict; nothing where there are none. */
void explain_conflicts(const struct facts *f,
    const struct render_limits *limits, struct buf *out);
/* What to try, by stage or reason; "" where there is nothing to say. */
const char *explain_advice(const struct facts *f);

#endif
