/* SPDX-License-Identifier: ISC */
/* SHA-256 in hex, over bytes, documents and files. */
#include <sys/types.h>
#include <errno.h>
#include <sha2.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/log.h"

#define CHUNK 65536   /* bytes a read: large enough to run at disk speed */
#define TELL_EVERY 64 /* chunks */

void
digest_bytes(const void *bytes, size_t len, char out[DIGEST_SIZE])
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, bytes, len);
	(void)SHA256End(&ctx, out);
}

static int
add_to_digest(const char *bytes, size_t len, void *ctx)
{
	SHA256Update(ctx, (const uint8_t *)bytes, len);
	return 0;
}

void
digest_json(const json_t *doc, char out[DIGEST_SIZE])
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	if (json_dump_callback(doc, add_to_digest, &ctx,
		JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) == -1)
		fatalx("digest: document cannot be dumped");
	(void)SHA256End(&ctx, out);
}

int
digest_fd(int fd, char out[DIGEST_SIZE])
{
	return digest_fd_told(fd, out, NULL, NULL);
}

int
digest_fd_told(int fd, char out[DIGEST_SIZE], void (*tell)(void *), void *owner)
{
	size_t chunks = 0;
	SHA2_CTX ctx;
	uint8_t chunk[CHUNK];
	ssize_t n;

	SHA256Init(&ctx);
	for (;;) {
		n = read(fd, chunk, sizeof chunk);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		SHA256Update(&ctx, chunk, (size_t)n);
		if (++chunks % TELL_EVERY == 0 && tell != NULL)
			tell(owner);
	}
	(void)SHA256End(&ctx, out);
	return n == 0 ? 0 : -1;
}
