/* SPDX-License-Identifier: ISC */
/*
 * Text from outside inside Markdown of ours: it can neither end the place it
 * stands in nor become a patch, a marker or a heading. Pure.
 */
#ifndef SUMMARIZER_MARKDOWN_H
#define SUMMARIZER_MARKDOWN_H

#include <stddef.h>

#include "common/buf.h"

/* Stands for the role word wherever outside text has it. */
#define MARKDOWN_ROLE_WORD "command~patch"

/* One line of prose, at most max bytes, Markdown characters escaped. */
void markdown_prose(struct buf *out, const char *text, size_t max);
/* A code span on one line, at most max bytes. */
void markdown_span(struct buf *out, const char *text, size_t max);
/* One line with controls and the role word made harmless, no Markdown. */
void markdown_plain(struct buf *out, const char *text, size_t max);
/*
 * A fenced block with info string info. mark goes before each line. Returns
 * the bytes of text that were left out because of max (cut in the middle).
 */
size_t markdown_fence(struct buf *out, const char *info, const char *mark,
    const char *text, size_t max);

#endif
