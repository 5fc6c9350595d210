/* SPDX-License-Identifier: ISC */
/*
 * The commit record: canonical operations that turn the before-image of the
 * workspace into the after-image, and the outcome that says so. Durable under
 * the name COMMIT it is the verdict of a success; then the operations are
 * carried out, again and again if need be, until it is DONE.
 *
 * Each operation is one rename (or a change of a directory's attributes), and
 * inode numbers tell whether it was done: every old and new inode stays
 * linked in the workspace or in T until the transaction is dropped, so no
 * number is used twice.
 */
#ifndef EXECUTOR_RECORD_H
#define EXECUTOR_RECORD_H

#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "common/digest.h"
#include "common/key.h"

#define RECORD_FORMAT "patchflow-commit-1"

enum op_kind {
	OP_PUT,    /* T/new/N goes to path; what was there comes to T/new/N */
	OP_DELETE, /* path, a whole tree, goes to T/old/N */
	OP_META    /* mode and owner of a directory that stays */
};

struct op {
	enum op_kind kind;
	char *path;
	size_t n;
	ino_t new_ino;
	ino_t old_ino; /* 0: nothing was there */
	mode_t mode;   /* OP_META: wanted; else of the old inode */
	uid_t uid;
	gid_t gid;
	mode_t old_mode; /* OP_META: before */
	uid_t old_uid;
	gid_t old_gid;
	int64_t old_size; /* to see late writes into what was displaced */
	int64_t old_mtime_ns;
	int64_t new_size;     /* and into what was put, when it is taken back */
	int64_t new_mtime_ns; /* 0: not known */
};

/* Mode and owner of a directory. */
struct op_meta {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

#define OP_NAME_SIZE 32

struct ops {
	struct op *items;
	size_t count;
};

struct record {
	char file[NAME_SIZE]; /* the queue file, as claimed */
	char workspace[4096];
	ino_t workspace_ino;
	int64_t since_ns; /* T0: nothing displaced had changed later */
	struct ops ops;
	char index_id[DIGEST_SIZE]; /* gitindex.h, of a new .git/index; "" */
	json_t *outcome;
	json_t *hidden; /* changes.h; NULL in records from before it was kept */
};

/* Its name in T/new or T/old. */
void op_name(const struct op *o, char out[OP_NAME_SIZE]);
/* The operation that puts or removes path or a directory above it; *rest is
 * what of path lies below that. Or NULL. */
const struct op *ops_find(const struct ops *o, const char *path,
    const char **rest);
/* What is put, as it is when it was checked. */
void op_note_new(struct op *o, const struct stat *st);
/* A new object of git: shared by content, so it is never taken away again. */
bool op_is_object(const struct op *o);
struct op *ops_add(struct ops *o, enum op_kind kind, const char *path);
/* Objects, then the work tree, then index and refs; within each by path. Last
 * directories that lose a permission which the others need. */
void ops_sort(struct ops *o);
void ops_free(struct ops *o);

json_t *record_encode(const struct record *r);
int record_decode(const json_t *doc, struct record *r); /* -1 EINVAL */
void record_free(struct record *r);

#endif
