/* SPDX-License-Identifier: ISC */
/*
 * A header of 12 bytes, then entries of 10 words of stat data, the object's
 * name (20 or 32 bytes, as the repository hashes), 2 or 4 bytes of flags and
 * the path. In versions 2 and 3 that is padded with NULs to 8 bytes; in
 * version 4 it is the path before less so many bytes, then the rest.
 * Extensions follow, then a checksum. Extensions are caches, but for a split
 * index, which keeps entries elsewhere.
 */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/beneath.h"
#include "executor/gitindex.h"

#define INDEX_MAX (256u << 20)
#define HEADER 12
#define MODE_AT 24 /* of an entry: behind times, device and inode */
#define NAME_AT 40
#define SHA1 20
#define SHA256 32
#define FLAG_EXTENDED 0x4000

struct reader {
	const char *bytes;
	size_t len;
	size_t at;
	size_t hash; /* bytes of an object's name */
	bool packed; /* version 4 */
	struct buf path;
};

static uint32_t
word(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static uint16_t
half(const char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static bool
has(const struct reader *r, size_t n)
{
	return n <= r->len && r->at <= r->len - n;
}

/* As git writes offsets: seven bits a byte, each further one adds one. */
static int
take_varint(struct reader *r, size_t *value)
{
	unsigned char c;

	*value = 0;
	do {
		if (!has(r, 1) || *value > INDEX_MAX)
			return -1;
		c = (unsigned char)r->bytes[r->at++];
		*value = (*value << 7) + (c & 127) + (c >> 7);
	} while ((c & 128) != 0);
	return 0;
}

/* r is behind the flags; start is the entry's. */
static int
take_path(struct reader *r, size_t start)
{
	size_t strip = 0, len;
	const char *end;

	if (r->packed && take_varint(r, &strip) == -1)
		return -1;
	end = memchr(r->bytes + r->at, '\0', r->len - r->at);
	if (end == NULL || strip > r->path.len)
		return -1;
	r->path.len = r->packed ? r->path.len - strip : 0;
	len = (size_t)(end - (r->bytes + r->at));
	buf_add(&r->path, r->bytes + r->at, len);
	r->at += len + 1;
	if (!r->packed)
		r->at = start + ((r->at - 1 - start + 8) & ~(size_t)7);
	return 0;
}

/* Mode, object, flags and path of the entry at r; 0 or -1. */
static int
take_entry(struct reader *r, struct buf *out)
{
	size_t fixed = NAME_AT + r->hash + 2, start = r->at;
	const char *e = r->bytes + r->at;

	if (!has(r, fixed))
		return -1;
	if ((half(e + NAME_AT + r->hash) & FLAG_EXTENDED) != 0)
		fixed += 2;
	if (!has(r, fixed + 1))
		return -1;
	r->at += fixed;
	if (take_path(r, start) == -1)
		return -1;
	buf_add(out, e + MODE_AT, 4);
	buf_add(out, e + NAME_AT, fixed - NAME_AT);
	buf_add(out, r->path.bytes, r->path.len);
	buf_putc(out, '\0');
	return 0;
}

/* "link" is the split index; the last bytes are the checksum. */
static int
check_rest(const struct reader *r)
{
	size_t at = r->at;

	while (at + 8 + r->hash <= r->len) {
		if (memcmp(r->bytes + at, "link", 4) == 0)
			return -1;
		at += 8 + (size_t)word(r->bytes + at + 4);
	}
	return at + r->hash == r->len ? 0 : -1;
}

static int
take_all(struct reader *r, struct buf *out)
{
	uint32_t version, count;

	if (!has(r, HEADER) || memcmp(r->bytes, "DIRC", 4) != 0)
		return -1;
	version = word(r->bytes + 4);
	count = word(r->bytes + 8);
	if (version < 2 || version > 4)
		return -1;
	r->packed = version == 4;
	r->at = HEADER;
	buf_clear(&r->path);
	buf_clear(out);
	for (uint32_t i = 0; i < count; i++) {
		if (take_entry(r, out) == -1)
			return -1;
	}
	return check_rest(r);
}

int
gitindex_id(int dir, const char *path, char out[DIGEST_SIZE])
{
	struct reader r = {0};
	struct buf b = {0};
	struct stat st;
	char *bytes = beneath_read(dir, path, INDEX_MAX, &r.len, &st);
	int answer;

	if (bytes == NULL)
		return -1;
	r.bytes = bytes;
	buf_reserve(&r.path, 1);
	/* Only one of them comes out at the end. */
	r.hash = SHA1;
	answer = take_all(&r, &b);
	if (answer == -1) {
		r.hash = SHA256;
		r.at = 0;
		answer = take_all(&r, &b);
	}
	if (answer == 0)
		digest_bytes(b.bytes != NULL ? b.bytes : "", b.len, out);
	else
		errno = EINVAL;
	buf_free(&b);
	buf_free(&r.path);
	free(bytes);
	return answer;
}
