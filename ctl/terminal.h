/* SPDX-License-Identifier: ISC */
/*
 * What a line of text takes on a terminal. Widths are in columns, of which a
 * character has none, one or two; nothing is wrapped where standard output is
 * no terminal, so that what is written to a file or a pipe stays a line.
 */
#ifndef CTL_TERMINAL_H
#define CTL_TERMINAL_H

#include <stddef.h>

#include "common/buf.h"

/* Of the terminal behind standard output; 0 where there is none. */
size_t terminal_width(void);
/* Of clean text (table.h). */
size_t terminal_columns(const char *text);
/*
 * Clean text that begins at column at, broken at blanks, where it has some,
 * so that it ends before width (0: anywhere); what follows begins at at, too.
 */
void terminal_wrap(const char *text, size_t at, size_t width, struct buf *out);

#endif
