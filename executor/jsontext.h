/* SPDX-License-Identifier: ISC */
/*
 * Where the members of a JSON text stand in its bytes, so that they can be
 * changed and all others left as they are. Strict RFC 8259 without duplicate
 * keys; a BOM before it is passed over. Pure.
 */
#ifndef EXECUTOR_JSONTEXT_H
#define EXECUTOR_JSONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct json_object;

/* Offsets in the text. */
struct json_member {
	char *name; /* decoded; owned */
	size_t name_len;
	size_t lead; /* behind the { or , before it */
	size_t key;  /* its opening quote */
	size_t key_end;
	size_t value;
	size_t value_end;
	size_t comma;               /* or the closing brace */
	struct json_object *object; /* where the value is one; owned */
};

struct json_object {
	size_t open; /* of the brace */
	size_t close;
	struct json_member *members;
	size_t count;
};

struct json_trouble {
	size_t offset;
	const char *what; /* NULL: the text is not an object, but JSON */
};

/* The text's one object; NULL with *t set where it is none. */
struct json_object *jsontext_read(const char *text, size_t len,
    struct json_trouble *t);
void jsontext_free(struct json_object *o);

#endif
