/* SPDX-License-Identifier: ISC */
/* Aligned columns. A row is TABLE_COLUMNS cells in memory, whatever it has. */
#include "ctl/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

char *
table_clean(const char *s)
{
	struct buf out = {0};
	const char *end = s + strlen(s);
	size_t n;

	for (; s<end; s += n> 0 ? n : 1) {
		n = utf8_sequence(s, (size_t)(end - s));
		if (*s == '\n' || *s == '\t')
			buf_putc(&out, ' ');
		else if (n == 0 || utf8_is_tricky(s))
			buf_putc(&out, '?');
		else
			buf_add(&out, s, n);
	}
	return buf_take(&out);
}

static size_t
width_of(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void
table_add(struct table *t, enum colour colour, const char *fmt, ...)
{
	struct table_cell *cell;
	struct buf text = {0};
	va_list ap;

	if (t->at == TABLE_COLUMNS)
		return;
	if (t->at == 0) {
		t->cells = xreallocarray(t->cells,
		    (t->rows + 1) * TABLE_COLUMNS, sizeof(*t->cells));
		memset(t->cells + t->rows * TABLE_COLUMNS, 0,
		    TABLE_COLUMNS * sizeof(*t->cells));
	}
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	cell = &t->cells[t->rows * TABLE_COLUMNS + t->at++];
	cell->text = table_clean(text.len > 0 ? text.bytes : "");
	cell->width = width_of(cell->text);
	cell->colour = colour;
	buf_free(&text);
}

void
table_end_row(struct table *t)
{
	if (t->at > 0)
		t->rows++;
	t->at = 0;
}

static size_t
column_width(const struct table *t, size_t column)
{
	size_t r, w, widest = 0;

	for (r = 0; r < t->rows; r++) {
		w = t->cells[r * TABLE_COLUMNS + column].width;
		widest = w > widest ? w : widest;
	}
	return widest;
}

static void
render_row(const struct table_cell *row, const size_t *widths, bool colour,
    struct buf *out)
{
	size_t c, pad = 0, last = 0;

	for (c = 0; c < TABLE_COLUMNS; c++)
		if (row[c].width > 0)
			last = c;
	for (c = 0; c <= last; c++) {
		for (; pad > 0; pad--)
			buf_putc(out, ' ');
		if (colour && row[c].colour != COLOUR_NONE)
			buf_puts(out, colour_start(row[c].colour));
		buf_puts(out, row[c].text != NULL ? row[c].text : "");
		if (colour && row[c].colour != COLOUR_NONE)
			buf_puts(out, colour_end);
		pad = widths[c] - row[c].width + 2;
	}
	buf_putc(out, '\n');
}

void
table_render(const struct table *t, bool colour, struct buf *out)
{
	size_t r, c, widths[TABLE_COLUMNS];

	for (c = 0; c < TABLE_COLUMNS; c++)
		widths[c] = column_width(t, c);
	for (r = 0; r < t->rows; r++)
		render_row(t->cells + r * TABLE_COLUMNS, widths, colour, out);
}

void
table_print(const struct table *t)
{
	struct buf out = {0};

	table_render(t, colour_wanted(), &out);
	if (out.len > 0)
		(void)fwrite(out.bytes, 1, out.len, stdout);
	buf_free(&out);
}

void
table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->rows * TABLE_COLUMNS; i++)
		free(t->cells[i].text);
	free(t->cells);
	memset(t, 0, sizeof(*t));
}
