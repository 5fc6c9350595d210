/* SPDX-License-Identifier: ISC */
/* libresolv's b64_pton(3) does the work; it wants a NUL-terminated text. */
#include <sys/types.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>

#include "common/buf.h"
#include "executor/base64.h"

char *
base64_decode(const char *text, size_t len, size_t *out_len)
{
	char *copy = xstrndup(text, len);
	size_t room = len / 4 * 3 + 4;
	unsigned char *out = xmalloc(room + 1);
	int n = b64_pton(copy, out, room);

	free(copy);
	if (n < 0) {
		free(out);
		return NULL;
	}
	out[n] = '\0';
	*out_len = (size_t)n;
	return (char *)out;
}
