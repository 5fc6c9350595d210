/* SPDX-License-Identifier: ISC */
/*
 * Edits of one file's text. Pure: bytes in, bytes or an error record out.
 * Every byte outside the matched text stays; so do the line ends, the BOM and
 * a missing final newline of the file.
 */
#ifndef EXECUTOR_EDIT_H
#define EXECUTOR_EDIT_H

#include <jansson.h>

#include "common/buf.h"
#include "executor/match.h"

/* 0 with the new text in out, or -1 with a near.h record in *error (owned). */
int edit_replace(const char *text, size_t len, const struct plan_edit *e,
    struct buf *out, json_t **error);
/* A PLAN_INSERT step: whole lines before or after the anchor's, or at the
 * file's start or end. */
int edit_insert(const char *text, size_t len, const struct plan_step *s,
    struct buf *out, json_t **error);

/* The line end that the file uses at offset, "\n" where it has none. */
const char *edit_eol(const char *text, size_t len, size_t offset);
/* A new line, indented as m shifts it; false where it has too little for
 * that. Without its line end. */
bool edit_put_line(const struct line *l, const struct match *m,
    struct buf *out);

#endif
