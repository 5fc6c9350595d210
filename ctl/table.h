/* SPDX-License-Identifier: ISC */
/*
 * Rows of cells, printed in columns. Cells are cleaned: control characters
 * and invalid UTF-8 become '?', so that text from outside cannot move the
 * cursor. The last column is never padded; on a terminal it is wrapped.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "ctl/colour.h"

#define TABLE_COLUMNS 12

struct table_cell {
	char *text;
	size_t width; /* in columns */
	enum colour colour;
};

struct table_style {
	bool colour;
	size_t width; /* the last column is wrapped for it; 0: it is not */
};

struct table {
	struct table_cell *cells; /* TABLE_COLUMNS a row */
	size_t at;                /* cells in the open row */
	size_t rows;
};

/* Adds a cell to the open row; at most TABLE_COLUMNS. */
void table_add(struct table *t, enum colour colour, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void table_end_row(struct table *t);
/* All rows to out, two blanks between columns. */
void table_render(const struct table *t, const struct table_style *style,
    struct buf *out);
/* To standard output. */
void table_print(const struct table *t);
void table_free(struct table *t);

/* s cleaned as a cell is; the caller frees. */
char *table_clean(const char *s);

#endif
