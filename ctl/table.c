/* SPDX-License-Identifier: ISC */
/* Aligned columns. A row is TABLE_COLUMNS cells in memory, whatever it has. */
#include "ctl/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "ctl/terminal.h"

#define GAP 2
#define ROOM_LEAST 24 /* for the last column beside the others */
#define INDENT 4      /* of one that stands below them */

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
	cell->width = terminal_columns(cell->text);
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

static size_t
last_cell(const struct table_cell *row)
{
	size_t c, last = 0;

	for (c = 0; c < TABLE_COLUMNS; c++)
		if (row[c].width > 0)
			last = c;
	return last;
}

static void
begin_cell(const struct table_cell *cell, const struct table_style *s,
    struct buf *out)
{
	if (s->colour && cell->colour != COLOUR_NONE)
		buf_puts(out, colour_start(cell->colour));
}

static void
end_cell(const struct table_cell *cell, const struct table_style *s,
    struct buf *out)
{
	if (s->colour && cell->colour != COLOUR_NONE)
		buf_puts(out, colour_end);
}

/* In lines of its own where too little room is left behind the others. */
static void
render_last(const struct table_cell *cell, size_t at,
    const struct table_style *s, struct buf *out)
{
	bool fits = s->width == 0 || at + cell->width <= s->width;

	if (!fits && at > 0 && at + ROOM_LEAST > s->width) {
		at = INDENT;
		buf_printf(out, "\n%*s", INDENT, "");
	}
	begin_cell(cell, s, out);
	terminal_wrap(cell->text != NULL ? cell->text : "", at,
	    fits ? 0 : s->width, out);
	end_cell(cell, s, out);
	buf_putc(out, '\n');
}

static void
render_row(const struct table_cell *row, const size_t *widths,
    const struct table_style *s, struct buf *out)
{
	size_t c, at = 0, last = last_cell(row);

	for (c = 0; c < last; c++) {
		begin_cell(&row[c], s, out);
		buf_puts(out, row[c].text != NULL ? row[c].text : "");
		end_cell(&row[c], s, out);
		buf_printf(out, "%*s", (int)(widths[c] - row[c].width + GAP),
		    "");
		at += widths[c] + GAP;
	}
	render_last(&row[last], at, s, out);
}

void
table_render(const struct table *t, const struct table_style *style,
    struct buf *out)
{
	size_t r, c, widths[TABLE_COLUMNS];

	for (c = 0; c < TABLE_COLUMNS; c++)
		widths[c] = column_width(t, c);
	for (r = 0; r < t->rows; r++)
		render_row(t->cells + r * TABLE_COLUMNS, widths, style, out);
}

void
table_print(const struct table *t)
{
	const struct table_style style = {.colour = colour_wanted(),
	    .width = terminal_width()};
	struct buf out = {0};

	table_render(t, &style, &out);
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
