/* SPDX-License-Identifier: ISC */
/* Values as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/jsonput.h"

static void
put_dump(const json_t *v, struct buf *out)
{
	char *s = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);

	buf_puts(out, s != NULL ? s : "null");
	free(s);
}

/* With as few digits as give the same number back. */
static void
put_real(double value, struct buf *out)
{
	char s[32] = "";

	for (int digits = 15; digits <= 17; digits++) {
		if (snprintf(s, sizeof(s), "%.*g", digits, value) < 0 ||
		    strtod(s, NULL) == value)
			break;
	}
	buf_puts(out, s);
	if (strpbrk(s, ".eE") == NULL)
		buf_puts(out, ".0");
}

void
jsonput_key(const struct json_style *s, const char *key, size_t len,
    struct buf *out)
{
	json_t *name = json_stringn(key, len);

	put_dump(name, out);
	json_decref(name);
	buf_add(out, s->colon.bytes, s->colon.len);
}

static void
new_line(const struct json_style *s, const struct buf *indent, struct buf *out)
{
	buf_puts(out, s->eol);
	buf_add(out, indent->bytes, indent->len);
}

/* Before each entry of a container, and before its closing bracket. */
static void
separate(const struct json_style *s, const struct buf *indent, bool lines,
    size_t i, struct buf *out)
{
	if (i > 0)
		buf_puts(out, lines ? "," : s->comma);
	if (lines)
		new_line(s, indent, out);
}

static void
put_entries(const struct json_style *s, const json_t *v,
    const struct buf *indent, bool lines, struct buf *out)
{
	const char *key;
	json_t *entry;
	size_t i = 0;

	if (json_is_array(v)) {
		json_array_foreach (v, i, entry) {
			separate(s, indent, lines, i, out);
			jsonput_value(s, entry, indent, lines, out);
		}
		return;
	}
	for (void *it = json_object_iter((json_t *)(uintptr_t)v); it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)v, it), i++) {
		key = json_object_iter_key(it);
		separate(s, indent, lines, i, out);
		jsonput_key(s, key, strlen(key), out);
		jsonput_value(s, json_object_iter_value(it), indent, lines,
		    out);
	}
}

void
jsonput_value(const struct json_style *s, const json_t *v,
    const struct buf *indent, bool lines, struct buf *out)
{
	bool empty = json_array_size(v) == 0 && json_object_size(v) == 0;
	struct buf inner = {0};

	if (json_is_real(v)) {
		put_real(json_real_value(v), out);
		return;
	}
	if (empty || !(json_is_array(v) || json_is_object(v))) {
		put_dump(v, out);
		return;
	}
	buf_add(&inner, indent->bytes, indent->len);
	buf_add(&inner, s->unit.bytes, s->unit.len);
	buf_putc(out, json_is_array(v) ? '[' : '{');
	put_entries(s, v, &inner, lines, out);
	if (lines)
		new_line(s, indent, out);
	buf_putc(out, json_is_array(v) ? ']' : '}');
	buf_free(&inner);
}
