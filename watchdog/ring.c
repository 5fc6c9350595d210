/* SPDX-License-Identifier: ISC */
/* Records between two processes. */
#include <string.h>

#include "watchdog/ring.h"

static struct ring_record *
at(struct ring *r, uint64_t position)
{
	return (struct ring_record *)(void *)(r->bytes + position % RING_ROOM);
}

static size_t
length(const struct iovec *parts, int count)
{
	size_t len = 0;

	for (int i = 0; i < count; i++)
		len += parts[i].iov_len;
	return len;
}

/* In one piece: where it does not fit before the end, that stays empty. */
bool
ring_put(struct ring *r, uint32_t kind, const struct iovec *parts, int count,
    size_t reserve)
{
	size_t len = length(parts, count), used = 0;
	size_t size = (sizeof(struct ring_record) + len + RING_ALIGN - 1) /
		      RING_ALIGN * RING_ALIGN;
	uint64_t put = atomic_load(&r->put), done = atomic_load(&r->done);
	size_t left = RING_ROOM - put % RING_ROOM;
	size_t skip = size > left ? left : 0;
	struct ring_record *record;

	if (len >= RING_ROOM || put - done + skip + size + reserve > RING_ROOM)
		return false;
	if (skip > 0)
		*at(r, put) = (struct ring_record){.size = (uint32_t)skip};
	record = at(r, put + skip);
	*record = (struct ring_record){.size = (uint32_t)size,
	    .kind = kind,
	    .len = (uint32_t)len};
	for (int i = 0; i < count; i++) {
		memcpy(record->bytes + used, parts[i].iov_base,
		    parts[i].iov_len);
		used += parts[i].iov_len;
	}
	atomic_fetch_add(&r->records_put, 1);
	atomic_store(&r->put, put + skip + size);
	return true;
}

const struct ring_record *
ring_first(struct ring *r)
{
	struct ring_record *record;

	while (!ring_is_empty(r)) {
		record = at(r, atomic_load(&r->done));
		if (record->kind != 0)
			return record;
		atomic_fetch_add(&r->done, record->size);
	}
	return NULL;
}

void
ring_drop(struct ring *r)
{
	const struct ring_record *record = ring_first(r);

	if (record == NULL)
		return;
	atomic_fetch_add(&r->records_done, 1);
	atomic_fetch_add(&r->done, record->size);
}

uint64_t
ring_count(const struct ring *r)
{
	uint64_t done = atomic_load(&r->records_done);

	return atomic_load(&r->records_put) - done;
}

bool
ring_is_empty(const struct ring *r)
{
	return atomic_load(&r->done) == atomic_load(&r->put);
}
