/* SPDX-License-Identifier: ISC */
/*
 * Paths in JSON documents. A path is bytes and a JSON string is UTF-8: "path"
 * is for reading, and where it cannot be exact the bytes stand beside it as
 * hex digits in "hex". Who acts on a path takes it from here.
 */
#ifndef EXECUTOR_PATHJSON_H
#define EXECUTOR_PATHJSON_H

#include <stdbool.h>
#include <jansson.h>

void pathjson_put(json_t *doc, const char *path);
/* The bytes, the caller's to free; NULL where doc holds no path. */
char *pathjson_take(const json_t *doc);
/* Its name among the members of an object that is searched by path, the
 * caller's to free. The path itself is taken from the member's value. */
char *pathjson_key(const char *path);
/* Is it this path that doc tells of? */
bool pathjson_is(const json_t *doc, const char *path);

#endif
