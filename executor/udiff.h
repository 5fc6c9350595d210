/* SPDX-License-Identifier: ISC */
/* A unified diff of two texts, for people to read. Pure. */
#ifndef EXECUTOR_UDIFF_H
#define EXECUTOR_UDIFF_H

#include "common/buf.h"

/* Adds hunks with three lines of context; nothing where they are equal. Where
 * not all lines end alike, those with CRLF are shown with a ^M. */
void udiff_text(const char *a, size_t a_len, const char *b, size_t b_len,
    struct buf *out);

#endif
