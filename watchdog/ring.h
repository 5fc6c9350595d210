/* SPDX-License-Identifier: ISC */
/*
 * A queue of records of any length in memory that two processes share: one
 * puts, one carries out, and a record is there until that is done, whoever
 * dies meanwhile. Of a fixed size; nobody ever waits for it.
 */
#ifndef WATCHDOG_RING_H
#define WATCHDOG_RING_H

#include <sys/uio.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_ROOM (1u << 20)
#define RING_ALIGN 16u

struct ring_record {
	uint32_t size; /* with this head, rounded up */
	uint32_t kind; /* 0: nothing but room up to the end */
	uint32_t len;
	uint32_t unused;
	unsigned char bytes[];
};

/* Positions only grow; a byte's place is its position modulo the room. */
struct ring {
	_Atomic uint64_t put;
	_Atomic uint64_t done;
	_Atomic uint64_t records_put;
	_Atomic uint64_t records_done;
	_Alignas(RING_ALIGN) unsigned char bytes[RING_ROOM];
};

/* False where that would leave less than reserve bytes: nothing is put. */
bool ring_put(struct ring *r, uint32_t kind, const struct iovec *parts,
    int count, size_t reserve);
/* The oldest, or NULL; it stays where it is until it is dropped. */
const struct ring_record *ring_first(struct ring *r);
void ring_drop(struct ring *r);
/* How many wait, and is there none? */
uint64_t ring_count(const struct ring *r);
bool ring_is_empty(const struct ring *r);

#endif
