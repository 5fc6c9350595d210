/* SPDX-License-Identifier: ISC */
/* SHA-256 as lower-case hex (libmd). */
#ifndef COMMON_DIGEST_H
#define COMMON_DIGEST_H

#include <stddef.h>
#include <jansson.h>

#define DIGEST_SIZE 65 /* 64 hex digits and NUL */

void digest_bytes(const void *bytes, size_t len, char out[DIGEST_SIZE]);
/* Over the compact dump with sorted keys: equal documents, equal digest. */
void digest_json(const json_t *doc, char out[DIGEST_SIZE]);
/* From the current offset to the end; 0, or -1 with errno of read(2). */
int digest_fd(int fd, char out[DIGEST_SIZE]);
/* As above, telling owner every few megabytes that it goes on: a file of some
 * gigabytes takes longer than a daemon may be silent. */
int digest_fd_told(int fd, char out[DIGEST_SIZE], void (*tell)(void *),
    void *owner);

#endif
