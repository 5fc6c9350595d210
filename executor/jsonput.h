/* SPDX-License-Identifier: ISC */
/* New JSON in the style of the text that it goes into. Pure. */
#ifndef EXECUTOR_JSONPUT_H
#define EXECUTOR_JSONPUT_H

#include <stdbool.h>
#include <jansson.h>

#include "common/buf.h"

struct json_style {
	bool lines;      /* one member a line */
	const char *eol; /* "\n" or "\r\n" */
	struct buf unit; /* of indentation */
	struct buf colon;
	const char *comma; /* between members on one line */
};

void jsonput_key(const struct json_style *s, const char *key, size_t len,
    struct buf *out);
/* indent: of the line that the value begins in. */
void jsonput_value(const struct json_style *s, const json_t *v,
    const struct buf *indent, bool lines, struct buf *out);

#endif
