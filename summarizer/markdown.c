/* SPDX-License-Identifier: ISC */
/* Escaping and fencing of outside text. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"
#include "summarizer/markdown.h"

#define ROLE_WORD "command_patch"
#define MARKER "<!-- patchflow"
#define FENCE_MIN 4

/* The longest run of backticks or tildes in text. */
static size_t
longest_run(const char *text, const char *set)
{
	size_t best = 0;
	size_t run;

	while (*text != '\0') {
		char c = *text;

		if (strchr(set, c) == NULL) {
			text++;
			continue;
		}
		for (run = 0; *text == c; text++)
			run++;
		if (run > best)
			best = run;
	}
	return best;
}

static void
add_repeated(struct buf *out, char c, size_t n)
{
	while (n-- > 0)
		buf_putc(out, c);
}

/* A whole character that must not act on who looks at it. */
static size_t
name_character(struct buf *out, const char *text)
{
	size_t n = utf8_sequence(text, strnlen(text, 4));

	buf_printf(out, "<U+%04X>", utf8_code(text, n));
	return n;
}

/*
 * Copies one character or one whole word that must not pass as it is; the
 * number of bytes taken from text.
 */
static size_t
copy_neutral(struct buf *out, const char *text)
{
	unsigned char c = (unsigned char)*text;

	if (strncasecmp(text, ROLE_WORD, sizeof ROLE_WORD - 1) == 0) {
		buf_puts(out, MARKDOWN_ROLE_WORD);
		return sizeof ROLE_WORD - 1;
	}
	if (strncasecmp(text, MARKER, sizeof MARKER - 1) == 0) {
		buf_puts(out, "<!-~ patchflow");
		return sizeof MARKER - 1;
	}
	if (c == '\t' || !utf8_is_tricky(text)) {
		buf_putc(out, (char)c);
		return 1;
	}
	if (c >= 0x80)
		return name_character(out, text);
	buf_putc(out, '^');
	buf_putc(out, (char)(c ^ 0x40));
	return 1;
}

/* The length of text cut at max, never inside a UTF-8 character. */
static size_t
cut_length(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return len;
	len = max;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static bool
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

void
markdown_plain(struct buf *out, const char *text, size_t max)
{
	size_t len = cut_length(text, max);
	size_t i = 0;

	while (i < len) {
		if (is_line_end(text[i]) || text[i] == '\t') {
			buf_putc(out, ' ');
			i++;
		} else {
			i += copy_neutral(out, text + i);
		}
	}
	if (text[len] != '\0')
		buf_puts(out, "...");
}

/* An underscore within a word means nothing in Markdown. */
static bool
is_in_word(const struct buf *b, size_t i)
{
	return b->bytes[i] == '_' && i > 0 && i + 1 < b->len &&
	       isalnum((unsigned char)b->bytes[i - 1]) &&
	       isalnum((unsigned char)b->bytes[i + 1]);
}

void
markdown_prose(struct buf *out, const char *text, size_t max)
{
	struct buf plain = {0};
	size_t i;

	markdown_plain(&plain, text, max);
	for (i = 0; i < plain.len; i++) {
		if (strchr("\\`*_{}[]<>#|~", plain.bytes[i]) != NULL &&
		    !is_in_word(&plain, i))
			buf_putc(out, '\\');
		buf_putc(out, plain.bytes[i]);
	}
	buf_free(&plain);
}

void
markdown_span(struct buf *out, const char *text, size_t max)
{
	struct buf plain = {0};
	size_t ticks;
	bool pad;

	markdown_plain(&plain, text, max);
	if (plain.len == 0) {
		buf_puts(out, "(empty)");
		return;
	}
	ticks = longest_run(plain.bytes, "`") + 1;
	pad = plain.bytes[0] == '`' || plain.bytes[plain.len - 1] == '`';
	add_repeated(out, '`', ticks);
	if (pad)
		buf_putc(out, ' ');
	buf_add(out, plain.bytes, plain.len);
	if (pad)
		buf_putc(out, ' ');
	add_repeated(out, '`', ticks);
	buf_free(&plain);
}

/* Adds len bytes of text as lines, each behind mark. */
static void
add_lines(struct buf *out, const char *mark, const char *text, size_t len)
{
	size_t i = 0;

	while (i < len) {
		buf_puts(out, mark);
		while (i < len && !is_line_end(text[i]))
			i += copy_neutral(out, text + i);
		if (i + 1 < len && text[i] == '\r' && text[i + 1] == '\n')
			i++;
		i++;
		buf_putc(out, '\n');
	}
}

/* The start of the last part of text that is at most max bytes long. */
static size_t
tail_start(const char *text, size_t len, size_t max)
{
	size_t at = len - max;

	while (at < len && ((unsigned char)text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

size_t
markdown_fence(struct buf *out, const char *info, const char *mark,
    const char *text, size_t max)
{
	size_t len = strlen(text);
	size_t ticks = longest_run(text, "`~") + 1;
	size_t head, tail;

	if (ticks < FENCE_MIN)
		ticks = FENCE_MIN;
	add_repeated(out, '`', ticks);
	buf_printf(out, "%s\n", info);
	if (len <= max) {
		head = tail = len;
		add_lines(out, mark, text, len);
	} else {
		head = cut_length(text, max / 2);
		tail = tail_start(text, len, max - max / 2);
		add_lines(out, mark, text, head);
		buf_printf(out, "%s[... %zu bytes left out ...]\n", mark,
		    tail - head);
		add_lines(out, mark, text + tail, len - tail);
	}
	add_repeated(out, '`', ticks);
	buf_puts(out, "\n");
	return tail - head;
}
