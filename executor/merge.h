/* SPDX-License-Identifier: ISC */
/*
 * A JSON merge patch (RFC 7396) done to the bytes of a text: what it does not
 * name keeps every byte, its place among its neighbours and its number as
 * written. New members come last in their object, laid out as those before
 * them. Pure.
 */
#ifndef EXECUTOR_MERGE_H
#define EXECUTOR_MERGE_H

#include <jansson.h>

#include "common/buf.h"

/* 0 with the new text in out, or -1 with an error record in *error (owned;
 * code not-json, with the place as first_divergence). */
int merge_apply(const char *text, size_t len, const json_t *patch,
    struct buf *out, json_t **error);
/* The text of a file that did not exist. */
void merge_create(const json_t *patch, struct buf *out);

#endif
