/* SPDX-License-Identifier: ISC */
#include "ctl/terminal.h"

#include <sys/ioctl.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "common/utf8.h"

size_t
terminal_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) != 1 ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1)
		return 0;
	return size.ws_col;
}

/* The columns of the character at text, and its bytes. Outside of UTF-8, or
 * unknown to the C library, it is taken for one. */
static size_t
measure(const char *text, size_t *len)
{
	int columns;

	*len = utf8_sequence(text, strnlen(text, 4));
	if (*len == 0)
		*len = 1;
	columns = *len > 1 ? wcwidth((wchar_t)utf8_code(text, *len)) : 1;
	return columns < 0 ? 1 : (size_t)columns;
}

size_t
terminal_columns(const char *text)
{
	size_t columns = 0, len;

	for (; *text != '\0'; text += len)
		columns += measure(text, &len);
	return columns;
}

/* How many bytes of text to put into room columns: up to the last blank that
 * fits, else as many as do, and one character in any case. */
static size_t
take(const char *text, size_t room)
{
	size_t n, len, used = 0, blank = 0;

	for (n = 0; text[n] != '\0'; n += len) {
		if (text[n] == ' ')
			blank = n;
		used += measure(text + n, &len);
		if (used <= room)
			continue;
		if (blank > 0)
			return blank;
		return n > 0 ? n : len;
	}
	return n;
}

void
terminal_wrap(const char *text, size_t at, size_t width, struct buf *out)
{
	size_t n;

	if (width <= at) {
		buf_puts(out, text);
		return;
	}
	while (n = take(text, width - at), text[n] != '\0') {
		buf_add(out, text, n);
		buf_printf(out, "\n%*s", (int)at, "");
		text += n + strspn(text + n, " ");
	}
	buf_puts(out, text);
}
