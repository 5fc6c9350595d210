/* SPDX-License-Identifier: ISC */
/*
 * The system calls that a sweep stops at: those that change something, and
 * with what errors each of them may come back.
 */
#ifndef INJECT_CALLS_H
#define INJECT_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#define CALLS_MAX 160

enum fault_kind {
	FAULT_EIO = 1,
	FAULT_ENOSPC = 2,
	FAULT_EMFILE = 4,
	FAULT_EINTR = 8,
	FAULT_EAGAIN = 16,
	FAULT_SHORT = 32, /* a write of half the bytes */
	FAULT_LIE = 64,   /* success, and nothing was done: for controls */
};

struct call {
	const char *name;
	long nr;
	bool changes;    /* the world, so that a kill before it matters */
	int flags_arg;   /* of open(2): changes only when these say so, or -1 */
	unsigned faults; /* of enum fault_kind */
};

extern const struct call calls[];
extern const size_t call_count;

/* NULL for one that is not in the table. */
const struct call *call_find(long nr);
const struct call *call_named(const char *name);
const char *fault_kind_name(unsigned fault);
/* 0 for a name that is none. */
unsigned fault_kind_named(const char *name);
int fault_kind_errno(unsigned fault);
/* Is it an open, and one that changes nothing? */
bool call_only_looks(const struct call *c, int flags);

/* From here on this process and its children stop at the calls whose place in
 * the table is set. Opening stops when it changes something, or always. */
int calls_filter(const bool stops[CALLS_MAX], bool all);

#endif
