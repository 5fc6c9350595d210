/* SPDX-License-Identifier: ISC */
/* RFC 4648 base64; white space between groups is skipped. */
#ifndef EXECUTOR_BASE64_H
#define EXECUTOR_BASE64_H

#include <stddef.h>

/* The bytes (NUL-terminated behind *len), the caller's to free, or NULL. */
char *base64_decode(const char *text, size_t len, size_t *out_len);

#endif
