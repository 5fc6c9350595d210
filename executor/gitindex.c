/* SPDX-License-Identifier: ISC */
/*
 * Index version 2 and 3: a header of 12 bytes, then entries of 10 words of
 * stat data, the object's name, 2 or 4 bytes of flags and the path, padded
 * with NULs to 8 bytes; extensions; a checksum. Extensions are caches, but
 * for a split index, which keeps entries elsewhere.
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
#define HASH 20 /* SHA-1; a repository of SHA-256 is not understood */
#define FLAG_EXTENDED 0x4000

struct reader {
	const char *bytes;
	size_t len;
	size_t at;
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

/* Mode, object, flags and path of the entry at r; 0 or -1. */
static int
take_entry(struct reader *r, struct buf *out)
{
	size_t fixed = NAME_AT + HASH + 2, used;
	const char *e = r->bytes + r->at, *end;

	if (!has(r, fixed))
		return -1;
	if ((half(e + NAME_AT + HASH) & FLAG_EXTENDED) != 0)
		fixed += 2;
	if (!has(r, fixed + 1))
		return -1;
	end = memchr(e + fixed, '\0', r->len - r->at - fixed);
	if (end == NULL)
		return -1;
	buf_add(out, e + MODE_AT, 4);
	buf_add(out, e + NAME_AT, fixed - NAME_AT);
	buf_add(out, e + fixed, (size_t)(end - e) - fixed + 1);
	used = (size_t)(end - e);
	r->at += (used + 8) & ~(size_t)7;
	return 0;
}

/* "link" is the split index; the last 20 bytes are the checksum. */
static int
check_rest(const struct reader *r)
{
	size_t at = r->at;

	while (at + 8 + HASH <= r->len) {
		if (memcmp(r->bytes + at, "link", 4) == 0)
			return -1;
		at += 8 + (size_t)word(r->bytes + at + 4);
	}
	return at + HASH == r->len ? 0 : -1;
}

static int
take_all(struct reader *r, struct buf *out)
{
	uint32_t version, count;

	if (!has(r, HEADER) || memcmp(r->bytes, "DIRC", 4) != 0)
		return -1;
	version = word(r->bytes + 4);
	count = word(r->bytes + 8);
	if (version != 2 && version != 3)
		return -1;
	r->at = HEADER;
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
	answer = take_all(&r, &b);
	if (answer == 0)
		digest_bytes(b.bytes != NULL ? b.bytes : "", b.len, out);
	else
		errno = EINVAL;
	buf_free(&b);
	free(bytes);
	return answer;
}
