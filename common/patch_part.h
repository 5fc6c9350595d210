/* SPDX-License-Identifier: ISC */
/* What the files of patch share among themselves; for nobody else. */
#ifndef COMMON_PATCH_PART_H
#define COMMON_PATCH_PART_H

#include "common/patch.h"

#define PATCH_MUTATIONS 10000
#define PATCH_COMMANDS 1000
/* The kernel takes no longer argument than 128 KiB: sh -c could not run it. */
#define PATCH_COMMAND_BYTES 131000

/* The document being normalised and what was found in it so far. */
struct front {
	struct patch_result *out;
	const json_t *top;
	const json_t *inner; /* the block under "patch", or NULL */
	json_t *form;        /* the canonical form */
	json_t *mutations;
	json_t *base;
	bool prose;   /* work items that only a reader can do */
	size_t files; /* mutations that are no commands */
};

/* A place in the document, for errors: "mutations[2].path". */
struct where {
	char s[128];
};
struct where patch_key(struct where at, const char *key);
struct where patch_index(struct where at, size_t index);

/* The value of key in the inner block, else in the outer one; with its place
 * in *at where at is not NULL. NULL for null, too. */
const json_t *patch_get(const struct front *f, const char *key,
    struct where *at);
/* The first of keys (NULL at the end) that is there; name may be NULL. */
const json_t *patch_first(const json_t *object, const char *const *keys,
    const char **name);

/* False; the first refusal counts. */
bool patch_refuse(struct front *f, enum patch_reason why, struct where at,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
bool patch_hint(struct front *f, const char *hint);
void patch_warn(struct front *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets or appends; out of memory is fatal. They take over v. */
void patch_put(json_t *object, const char *key, json_t *v);
void patch_push(json_t *array, json_t *v);

/* The id, declared or the tag, in out->id ("" where there is neither); false
 * when it cannot be one. */
bool patch_find_id(struct front *f);
void patch_find_targets(struct front *f);
void patch_find_priority(struct front *f);
/* Commands in any of their forms, appended to list. */
bool patch_commands(struct front *f, const json_t *v, struct where at,
    json_t *list);
/* All fields but id, target, priority and mutations. */
bool patch_fields(struct front *f);
bool patch_put_commands(struct front *f);
bool patch_put_limits(struct front *f);
bool patch_put_final(struct front *f);
/* A text, number or list of lines as text; nothing where it is none. */
void patch_put_text(json_t *object, const char *key, const json_t *v);
/* All that changes something, in order, into f->mutations. */
bool patch_actions(struct front *f);
/* One item; file is the path where the item names none, or NULL. */
bool patch_mutation(struct front *f, const json_t *item, struct where at,
    const char *file);
bool patch_mutation_commands(struct front *f, const json_t *v, struct where at);
void patch_add(struct front *f, json_t *mutation);
/* One edit, or several in a list, of file. */
bool patch_edits(struct front *f, const json_t *v, struct where at,
    const char *file);

/* Checked values for the canonical form: NULL when refused. */
json_t *patch_path(struct front *f, const json_t *v, struct where at);
json_t *patch_mode(struct front *f, const json_t *v, struct where at);
json_t *patch_base64(struct front *f, const char *s, struct where at);
json_t *patch_hash(struct front *f, const json_t *v, struct where at);

/* What a work item wants. */
enum patch_kind {
	PATCH_KIND_NONE,
	PATCH_KIND_WRITE,
	PATCH_KIND_EDIT,
	PATCH_KIND_REGEX,
	PATCH_KIND_INSERT,
	PATCH_KIND_APPEND,
	PATCH_KIND_PREPEND,
	PATCH_KIND_DIFF,
	PATCH_KIND_DELETE,
	PATCH_KIND_RENAME,
	PATCH_KIND_CHMOD,
	PATCH_KIND_MKDIR,
	PATCH_KIND_SYMLINK,
	PATCH_KIND_MERGE,
	PATCH_KIND_COMMAND,
	PATCH_KIND_SKETCH,
	PATCH_KIND_NOTHING,
	PATCH_KIND__MAX
};

/* An item on its way: where it stands, what it is about. */
struct patch_item {
	struct front *f;
	const json_t *v;
	struct where at;
	json_t *path;     /* checked; NULL where there is none */
	const char *file; /* as written */
};

bool patch_refuse_item(const struct patch_item *i, const char *key,
    const char *reason);
/* The text to write, in any of its forms; NULL when refused. */
json_t *patch_contents(const struct patch_item *i);
/* True and refused where a key is one of ours but for a slip: it would be
 * left out, and what is beside it would do something else. */
bool patch_refuse_slip(const struct patch_item *i);
/* The same of a place in the file beside contents that replace it. */
bool patch_refuse_part(const struct patch_item *i);
/* Keys of the document that are left out and should not be in silence. */
void patch_warn_of_others(struct front *f);
/* Adds what an item of that kind says. */
bool patch_take(const struct patch_item *i, enum patch_kind kind);

/* A unified diff: one canonical mutation for each file of it. */
bool patch_diff(const struct patch_item *i, const char *text);

#endif
