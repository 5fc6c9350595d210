/* SPDX-License-Identifier: ISC */
/*
 * A YAML mapping into a struct, by a table. Unknown keys, wrong types and
 * values out of bounds are errors with file and line; a default is given as
 * it would be written in the file and stands in the table and nowhere else.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/doc.h"

enum conf_type {
	CONF_STRING,  /* char * */
	CONF_PATH,    /* char *, made absolute */
	CONF_BOOL,    /* bool */
	CONF_COUNT,   /* int64_t */
	CONF_SPAN,    /* int64_t milliseconds: "30s" */
	CONF_BYTES,   /* int64_t: "10M" (expand_number(3)) */
	CONF_STRINGS, /* struct conf_strings */
	CONF_PATHS,   /* struct conf_strings, made absolute */
	CONF_PAIRS,   /* struct conf_pairs: a mapping of strings */
	CONF_SECTION, /* a mapping; keys describe it, offset is its struct's */
	CONF_LIST     /* a list of mappings: pointer at offset, size_t at
			 count_offset, elem_size a struct */
};

struct conf_strings {
	char **items;
	size_t count;
};

struct conf_pairs {
	char **names;
	char **values;
	size_t count;
};

struct conf_key {
	const char *name; /* NULL ends the table */
	enum conf_type type;
	size_t offset;
	const char *dflt;  /* NULL: required (CONF_LIST: may be empty) */
	int64_t min, max;  /* of counts, spans and bytes */
	const char *words; /* "a|b|c": a string must be one of them */
	const struct conf_key *keys;
	size_t count_offset;
	size_t elem_size;
};

struct conf_file {
	const char *path;
	char dir[PATH_MAX]; /* absolute; relative paths start here */
	enum doc_format format;
	char *text;
	size_t len;
	json_t *root;
	struct buf *errs;
};

/* Reads and parses; -1 with the error in errs. */
int conf_open(struct conf_file *f, const char *path, struct buf *errs);
void conf_close(struct conf_file *f);
/* Binds all of root into out by keys; the number of errors added. */
int conf_bind(struct conf_file *f, const struct conf_key *keys, void *out);
/* Adds "FILE:LINE: reason" for the value at path. */
void conf_error(struct conf_file *f, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The line of the value at path. */
int conf_line(const struct conf_file *f, const char *path);
/* path made absolute against the file's directory, without "./" and "//";
 * "" stays "". The caller frees. */
char *conf_absolute(const struct conf_file *f, const char *path);
/* Frees what conf_bind allocated. */
void conf_free(const struct conf_key *keys, void *out);

#endif
