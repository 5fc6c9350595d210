/* SPDX-License-Identifier: ISC */
/* What the files of doc share among themselves; for nobody else. */
#ifndef COMMON_DOC_PART_H
#define COMMON_DOC_PART_H

#include <stdarg.h>
#include <stdbool.h>

#include "common/doc.h"

/* Fills line and column of the byte at pos, and the reason. */
void doc_place(const char *text, size_t len, size_t pos, struct doc_error *err);
void doc_complain(struct doc_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Finds out why text is not JSON: the first token that does not belong, in
 * words. seen is the byte where jansson stopped and said what; both serve
 * where the grammar is right and a value is not (a duplicate key, a number
 * out of range).
 */
void doc_json_explain(const char *text, size_t len, size_t seen,
    const char *what, struct doc_error *err);
/* First byte of the value at path in valid JSON text. */
size_t doc_json_find(const char *text, size_t len, const char *path);

/*
 * strict: text looked like JSON and is read as a YAML flow mapping. Then no
 * scalar may span lines and no plain one hold a quote: YAML would fold a
 * forgotten quote or a raw newline into a value that nobody wrote.
 */
json_t *doc_yaml_parse(const char *text, size_t len, bool strict,
    struct doc_error *err);
size_t doc_yaml_find(const char *text, size_t len, const char *path);
/* libyaml counts characters, editors and we count bytes. */
size_t doc_byte_of(const char *text, size_t len, size_t chars);
/* A plain scalar's value; NULL with errno ERANGE for a number too big. */
json_t *doc_yaml_plain(const char *s, size_t len);

/*
 * One step of a path: 1 and key (index < 0) or index, 0 at its end. Keys that
 * are no words stand as ["key"], with \" and \\ escaped.
 */
struct doc_step {
	char key[256];
	long index;
};
int doc_path_next(const char **path, struct doc_step *step);

#endif
