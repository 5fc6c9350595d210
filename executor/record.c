/* SPDX-License-Identifier: ISC */
/* The record as JSON, and the order of its operations. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/pathjson.h"
#include "executor/record.h"

static const char *const kind_name[] = {
    [OP_PUT] = "put", [OP_DELETE] = "delete", [OP_META] = "meta"};

void
op_name(const struct op *o, char out[OP_NAME_SIZE])
{
	if (snprintf(out, OP_NAME_SIZE, "%zu", o->n) < 0)
		out[0] = '\0';
}

const struct op *
ops_find(const struct ops *o, const char *path, const char **rest)
{
	for (size_t i = 0; i < o->count; i++) {
		size_t len = strlen(o->items[i].path);

		*rest = path + len;
		if (o->items[i].kind != OP_META &&
		    strncmp(path, o->items[i].path, len) == 0 &&
		    (path[len] == '\0' || path[len] == '/'))
			return &o->items[i];
	}
	return NULL;
}

void
op_note_new(struct op *o, const struct stat *st)
{
	o->new_ino = st->st_ino;
	o->new_size = st->st_size;
	o->new_mtime_ns =
	    st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
}

bool
op_is_object(const struct op *o)
{
	return o->kind == OP_PUT && o->old_ino == 0 &&
	       strncmp(o->path, ".git/objects/", 13) == 0;
}

struct op *
ops_add(struct ops *o, enum op_kind kind, const char *path)
{
	struct op *op;

	o->items = xreallocarray(o->items, o->count + 1, sizeof(*o->items));
	op = &o->items[o->count];
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->path = xstrdup(path);
	op->n = o->count++;
	return op;
}

static int
rank(const struct op *o)
{
	const char *path = o->path;

	if (o->kind == OP_META && (o->mode & 0300) != 0300)
		return 4;
	if (strncmp(path, ".git/", 5) != 0)
		return 1;
	if (strncmp(path, ".git/objects", 12) == 0)
		return 0;
	return strcmp(path, ".git/index") == 0 ? 2 : 3;
}

static int
compare(const void *a, const void *b)
{
	const struct op *x = a, *y = b;
	int d = rank(x) - rank(y);

	return d != 0 ? d : strcmp(x->path, y->path);
}

void
ops_sort(struct ops *o)
{
	if (o->count > 1)
		qsort(o->items, o->count, sizeof(*o->items), compare);
}

void
ops_free(struct ops *o)
{
	for (size_t i = 0; i < o->count; i++)
		free(o->items[i].path);
	free(o->items);
	memset(o, 0, sizeof(*o));
}

static json_t *
encode_op(const struct op *o)
{
	json_t *doc = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,"
				"s:I,s:I,s:I,s:I}",
	    "kind", kind_name[o->kind], "n", (json_int_t)o->n, "new_ino",
	    (json_int_t)o->new_ino, "old_ino", (json_int_t)o->old_ino, "mode",
	    (json_int_t)o->mode, "uid", (json_int_t)o->uid, "gid",
	    (json_int_t)o->gid, "old_mode", (json_int_t)o->old_mode, "old_uid",
	    (json_int_t)o->old_uid, "old_gid", (json_int_t)o->old_gid,
	    "old_size", (json_int_t)o->old_size, "old_mtime_ns",
	    (json_int_t)o->old_mtime_ns, "new_size", (json_int_t)o->new_size,
	    "new_mtime_ns", (json_int_t)o->new_mtime_ns);

	pathjson_put(doc, o->path);
	return doc;
}

static json_int_t
number(const json_t *doc, const char *key)
{
	return json_integer_value(json_object_get(doc, key));
}

static int
decode_kind(const json_t *doc, enum op_kind *kind)
{
	const char *s = json_string_value(json_object_get(doc, "kind"));

	for (size_t i = 0; s != NULL && i < 3; i++) {
		if (strcmp(s, kind_name[i]) == 0) {
			*kind = (enum op_kind)i;
			return 0;
		}
	}
	errno = EINVAL;
	return -1;
}

static int
decode_op(const json_t *doc, struct ops *ops)
{
	enum op_kind kind;
	char *path = pathjson_take(doc);
	struct op *o;

	if (path == NULL || decode_kind(doc, &kind) == -1) {
		free(path);
		errno = EINVAL;
		return -1;
	}
	o = ops_add(ops, kind, path);
	free(path);
	o->n = (size_t)number(doc, "n");
	o->new_ino = (ino_t)number(doc, "new_ino");
	o->old_ino = (ino_t)number(doc, "old_ino");
	o->mode = (mode_t)number(doc, "mode");
	o->uid = (uid_t)number(doc, "uid");
	o->gid = (gid_t)number(doc, "gid");
	o->old_mode = (mode_t)number(doc, "old_mode");
	o->old_uid = (uid_t)number(doc, "old_uid");
	o->old_gid = (gid_t)number(doc, "old_gid");
	o->old_size = number(doc, "old_size");
	o->old_mtime_ns = number(doc, "old_mtime_ns");
	o->new_size = number(doc, "new_size");
	o->new_mtime_ns = number(doc, "new_mtime_ns");
	return 0;
}

json_t *
record_encode(const struct record *r)
{
	json_t *ops = json_array();

	for (size_t i = 0; i < r->ops.count; i++)
		json_array_append_new(ops, encode_op(&r->ops.items[i]));
	return json_pack("{s:s,s:s,s:s,s:I,s:I,s:s,s:o,s:O,s:O*}", "format",
	    RECORD_FORMAT, "file", r->file, "workspace", r->workspace,
	    "workspace_ino", (json_int_t)r->workspace_ino, "since_ns",
	    (json_int_t)r->since_ns, "index_id", r->index_id, "ops", ops,
	    "outcome", r->outcome, "hidden", r->hidden);
}

int
record_decode(const json_t *doc, struct record *r)
{
	const char *format = json_string_value(json_object_get(doc, "format"));
	const char *file = json_string_value(json_object_get(doc, "file"));
	const char *ws = json_string_value(json_object_get(doc, "workspace"));
	const char *index_id =
	    json_string_value(json_object_get(doc, "index_id"));
	json_t *outcome = json_object_get(doc, "outcome");
	const json_t *op;
	size_t i;

	memset(r, 0, sizeof(*r));
	if (format == NULL || strcmp(format, RECORD_FORMAT) != 0 ||
	    file == NULL || ws == NULL || !json_is_object(outcome)) {
		errno = EINVAL;
		return -1;
	}
	strlcpy(r->file, file, sizeof(r->file));
	strlcpy(r->workspace, ws, sizeof(r->workspace));
	r->workspace_ino = (ino_t)number(doc, "workspace_ino");
	r->since_ns = number(doc, "since_ns");
	if (index_id != NULL)
		strlcpy(r->index_id, index_id, sizeof(r->index_id));
	json_array_foreach (json_object_get(doc, "ops"), i, op) {
		if (decode_op(op, &r->ops) == -1) {
			record_free(r);
			return -1;
		}
	}
	r->outcome = json_incref(outcome);
	r->hidden = json_incref(json_object_get(doc, "hidden"));
	return 0;
}

void
record_free(struct record *r)
{
	ops_free(&r->ops);
	json_decref(r->outcome);
	json_decref(r->hidden);
	r->outcome = r->hidden = NULL;
}
