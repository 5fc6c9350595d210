/* SPDX-License-Identifier: ISC */
/* What the kernel is told about our memory. */
#include <sys/mman.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "watchdog/pages.h"

#define STACK_BYTES (256u << 10) /* below us: as deep as a start goes */
#define STACK_NEAR 4096u         /* our own frame, and what we call */
#define SEGMENTS 8               /* of one object */
#define CODE_BYTES 256u          /* of pages_rest(), and what pads it */

void *
pages_take(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

void
pages_return(void *object, size_t size)
{
	(void)munmap(object, size);
}

static uintptr_t
page_bytes(void)
{
	return (uintptr_t)sysconf(_SC_PAGESIZE);
}

/* Whole pages within; addresses that are not ours are passed over. */
static void
advise(uintptr_t from, uintptr_t to, int advice)
{
	uintptr_t page = page_bytes();
	void *start;

	from = (from + page - 1) / page * page;
	to = to / page * page;
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the linker tells numbers
	 */
	start = (void *)from;
	if (from < to)
		(void)madvise(start, to - from, advice);
}

static void
give(uintptr_t from, uintptr_t to)
{
	advise(from, to, MADV_DONTNEED);
}

/* Of a segment: nothing else shares its last page. */
static uintptr_t
end_of(uintptr_t from, uintptr_t size)
{
	uintptr_t page = page_bytes();

	return (from + size + page - 1) / page * page;
}

/*
 * Segments that are never written to are their files' pages. The table of them
 * lies in the first one: it is read to its end before any goes.
 */
static int
give_object(struct dl_phdr_info *object, size_t size, void *arg)
{
	uintptr_t from[SEGMENTS], to[SEGMENTS];
	size_t n = 0;
	int i;

	(void)size;
	(void)arg;
	for (i = 0; i < object->dlpi_phnum && n < SEGMENTS; i++) {
		const ElfW(Phdr) *h = &object->dlpi_phdr[i];

		if (h->p_type != PT_LOAD || (h->p_flags & PF_W) != 0)
			continue;
		from[n] = (uintptr_t)object->dlpi_addr + h->p_vaddr;
		to[n] = end_of(from[n], h->p_memsz);
		n++;
	}
	while (n-- > 0)
		give(from[n], to[n]);
	return 0;
}

/* The heap keeps its size, so that there is always some: what lies free at its
 * end loses its contents only. */
static void
give_heap(void)
{
	char *end;

	(void)malloc_trim((size_t)2 * PAGES_RESERVE);
	end = malloc(PAGES_RESERVE);
	if (end != NULL)
		give((uintptr_t)end, (uintptr_t)end + PAGES_RESERVE);
	free(end);
}

/* What lies behind this file's code: the rest of it, and the constants. */
static struct {
	uintptr_t from, to;
} behind;

static int
find_behind(struct dl_phdr_info *object, size_t size, void *arg)
{
	int i;

	(void)size;
	(void)arg;
	behind.from = behind.to = (uintptr_t)&pages_rest + CODE_BYTES;
	for (i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &object->dlpi_phdr[i];
		uintptr_t end = end_of(
		    (uintptr_t)object->dlpi_addr + h->p_vaddr, h->p_memsz);

		if (h->p_type == PT_LOAD && (h->p_flags & PF_W) == 0 &&
		    end > behind.to)
			behind.to = end;
	}
	return 1; /* the program is the first object */
}

void
pages_reserve(void)
{
	(void)dl_iterate_phdr(find_behind, NULL);
	advise(behind.from, behind.to, MADV_RANDOM);
	(void)mallopt(M_MMAP_MAX, 0);
	(void)mallopt(M_TRIM_THRESHOLD, 8 * PAGES_RESERVE);
	(void)mallopt(M_TOP_PAD, PAGES_RESERVE);
}

void
pages_give_back(void)
{
	give_heap();
	(void)dl_iterate_phdr(give_object, NULL);
}

void
pages_rest(void)
{
	char here;
	uintptr_t stack = (uintptr_t)&here - STACK_NEAR;

	give(behind.from, behind.to);
	give(stack - STACK_BYTES, stack);
}
