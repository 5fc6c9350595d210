/* SPDX-License-Identifier: ISC */
/*
 * A growable string, and the allocators that die: the only place where text
 * of unknown length is built. A zeroed struct buf is empty and valid; bytes
 * is NUL-terminated once anything was added, and may hold NULs of its own.
 * Out of memory ends the process (fatal).
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *bytes;
	size_t len;
	size_t cap;
};

void buf_free(struct buf *b);
void buf_clear(struct buf *b);
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* Drops len bytes from the front. */
void buf_shift(struct buf *b, size_t len);
/* Hands the string to the caller (never NULL) and empties b. */
char *buf_take(struct buf *b);

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
