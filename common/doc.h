/* SPDX-License-Identifier: ISC */
/*
 * JSON or YAML text to one jansson value, with places for people.
 *
 * JSON is RFC 8259: duplicate keys, trailing text, comments, raw control
 * characters and invalid UTF-8 are errors. YAML is one document of the YAML
 * 1.2 core schema as far as JSON can say it: plain true/false (any of the
 * three spellings) are booleans, null/~/empty null, [-+]?[0-9]+ an integer
 * (0755 is the string "0755": a leading zero means a mode, not a number),
 * 0x.. and 0o.. strings, decimals and exponents reals; yes/no/on/off,
 * timestamps and everything quoted or in a block scalar are strings. So
 * 1.10 is the real 1.1, 1e3 the real 1000.0, as in JSON. Duplicate keys,
 * non-scalar keys, tags other than the core ones, anchors that expand to more
 * than DOC_NODES nodes or DOC_BYTES of text, a second document and nesting
 * deeper than DOC_DEPTH are errors.
 */
#ifndef COMMON_DOC_H
#define COMMON_DOC_H

#include <stddef.h>
#include <jansson.h>

#define DOC_DEPTH 64
#define DOC_NODES 200000
#define DOC_BYTES (32 << 20)

enum doc_format { DOC_JSON, DOC_YAML };

struct doc_error {
	int line;   /* from 1; 0 where there is no place */
	int column; /* from 1, in bytes */
	char reason[256];
};

/* By the first byte that is no space: '{' or '[' is JSON. */
enum doc_format doc_guess(const char *text, size_t len);
/* A new reference, or NULL with *err filled. A BOM is skipped. */
json_t *doc_parse(const char *text, size_t len, enum doc_format format,
    struct doc_error *err) __attribute__((warn_unused_result));
/*
 * As doc_parse with the format guessed. Where the text begins like JSON, is
 * not JSON but is YAML (a flow mapping), it is taken as YAML; where both
 * fail, the error is that of the guess.
 */
json_t *doc_parse_any(const char *text, size_t len, enum doc_format *format,
    struct doc_error *err) __attribute__((warn_unused_result));
/*
 * The place of path ("mutations[2].path", "" for the top) in text that
 * doc_parse accepted; of the longest prefix that exists. Fills line, column.
 */
void doc_locate(const char *text, size_t len, enum doc_format format,
    const char *path, struct doc_error *err);
/* Emits value as YAML that doc_parse reads back as an equal value; the
 * caller frees. */
char *doc_emit_yaml(const json_t *value);

#endif
