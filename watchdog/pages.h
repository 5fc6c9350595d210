/* SPDX-License-Identifier: ISC */
/*
 * Memory that a start or a reload has used and nothing will use for days goes
 * back: the supervisor is to weigh what it is, not what it was.
 */
#ifndef WATCHDOG_PAGES_H
#define WATCHDOG_PAGES_H

#include <stddef.h>

/* Zeroed, in pages of its own: what is never touched of it costs nothing. NULL
 * and errno. */
void *pages_take(size_t size);
void pages_return(void *object, size_t size);
#define PAGES_RESERVE (1 << 20) /* of memory, beyond what is in use */

/*
 * What a turn needs is there already: with no memory to be had the supervisor
 * is the last that may end. Untouched, it costs nothing. And what lies behind
 * us in the program is made a mapping of its own: the kernel brings pages in by
 * sixteen, and never across that border.
 */
void pages_reserve(void);
/* The free parts of the heap, and all of the program and its libraries that
 * nobody has written to: what is needed again is read again. */
void pages_give_back(void);
/* What one more sleep does not need, with little ado: of the program what lies
 * behind us, and the stack below us. */
void pages_rest(void);

#endif
