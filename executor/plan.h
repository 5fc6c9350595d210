/* SPDX-License-Identifier: ISC */
/*
 * A canonical patch (patchflow-patch(5)) as structs, with the queue's
 * settings applied: paths relative to the workspace, limits lowered, gates
 * appended. Pure: a document in, a plan or a fault out.
 */
#ifndef EXECUTOR_PLAN_H
#define EXECUTOR_PLAN_H

#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "common/settings.h"
#include "executor/fault.h"
#include "executor/limits.h"

enum plan_kind {
	PLAN_WRITE,
	PLAN_EDIT,
	PLAN_INSERT,
	PLAN_PATTERN,
	PLAN_DIFF,
	PLAN_MERGE,
	PLAN_DELETE,
	PLAN_RENAME,
	PLAN_MKDIR,
	PLAN_CHMOD,
	PLAN_SYMLINK,
	PLAN_COMMAND /* between two changes of files */
};

enum plan_place { PLACE_APPEND, PLACE_PREPEND, PLACE_AFTER, PLACE_BEFORE };

/* Bytes, not a string: contents may hold NULs. */
struct plan_text {
	char *bytes; /* owned */
	size_t len;
};

struct plan_edit {
	struct plan_text find;
	struct plan_text replace;
	int64_t count; /* 0: all, at least one */
};

struct plan_step {
	enum plan_kind kind;
	enum plan_place place;
	size_t index; /* of mutations[] */
	char *path;   /* below the workspace */
	char *to;     /* rename: new path; symlink: what it says; command */
	int mode;     /* -1: unchanged, or the default for a new file */
	bool create;  /* the file must not exist */
	struct plan_text text;   /* contents; a diff; what replaces a pattern */
	struct plan_text anchor; /* or a pattern */
	char *flags;             /* of the pattern */
	json_t *merge;
	struct plan_edit *edits;
	size_t edit_count;
};

enum plan_phase {
	PHASE_PRE,
	PHASE_MUTATION,
	PHASE_BUILD,
	PHASE_VALIDATE,
	PHASE_GATE,
	PHASE_GIT,
	PHASE__MAX
};
/* "preMutationValidation", "mutations", "postMutationBuild", ... */
extern const char *const plan_phase_name[PHASE__MAX];

struct plan_command {
	enum plan_phase phase;
	char *text; /* owned */
};

struct plan_base {
	char *path;
	char *sha256; /* hex, or "absent" */
};

struct plan {
	struct plan_step *steps;
	size_t step_count;
	struct plan_command *commands; /* in the order they run */
	size_t command_count;
	struct plan_base *bases;
	size_t base_count;
	char **dependencies;
	size_t dependency_count;
	char *branch; /* or NULL, as the next three */
	char *git_commit;
	char *git_tag;
	char *description;
	json_t *final; /* final.summary and .summaryFile, for the outcome */
	int64_t expires_us; /* 0: never */
	int64_t timeout_ms;
	int64_t command_timeout_ms;
	struct limits limits;
	int64_t file_size;
	bool network;
	bool unvalidated; /* neither validation nor gates */
};

/* 0, or -1 with *f set. Free with plan_free in both cases. */
int plan_make(const json_t *patch, const struct queue_settings *q,
    struct plan *p, struct fault *f);
void plan_free(struct plan *p);
/* Runs no command at all: needs no namespaces. */
bool plan_is_plain(const struct plan *p);
/*
 * The path below the workspace that a patch means by path, or NULL with *f
 * set: absolute ones go through path_map; "..", NUL and protected paths are
 * refused. The caller frees it.
 */
char *plan_path(const struct queue_settings *q, const char *path,
    struct fault *f);
/* Is path (below the workspace) one that patches must not touch? */
bool plan_protected(const struct queue_settings *q, const char *path);
/* By the configuration or as our own place, whatever git says. */
bool plan_reserved(const struct queue_settings *q, const char *path);

#endif
