/* SPDX-License-Identifier: ISC */
/* The queue between two processes: order, bounds, and what a death costs. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "watchdog/ring.h"

#define ROUNDS 20000

static struct ring *
open_ring(void)
{
	void *r = mmap(NULL, sizeof(struct ring), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(r != MAP_FAILED);
	return r;
}

/* Of a length that follows from its number, in two parts. */
static size_t
make(uint32_t n, unsigned char *out)
{
	size_t len = sizeof n + n * 37 % 5000;

	memset(out, (int)(n & 0xff), len);
	memcpy(out, &n, sizeof n);
	return len;
}

static bool
put(struct ring *r, uint32_t n, size_t reserve)
{
	unsigned char bytes[6000];
	size_t len = make(n, bytes);
	const struct iovec parts[2] = {{bytes, 3}, {bytes + 3, len - 3}};

	return ring_put(r, 1 + n % 5, parts, 2, reserve);
}

static bool
is_number(const struct ring_record *record, uint32_t n)
{
	unsigned char bytes[6000];
	size_t len = make(n, bytes);

	return record->len == len && record->kind == 1 + n % 5 &&
	       memcmp(record->bytes, bytes, len) == 0;
}

static void
records_come_in_their_order_and_whole(void **state)
{
	struct ring *r = open_ring();
	uint32_t in = 0, out = 0;

	(void)state;
	while (out < ROUNDS) {
		while (put(r, in, 0))
			in++;
		assert_true(ring_count(r) > 100);
		for (int i = 0; i < 150; i++) {
			assert_true(is_number(ring_first(r), out++));
			ring_drop(r);
		}
	}
	while (ring_first(r) != NULL) {
		assert_true(is_number(ring_first(r), out++));
		ring_drop(r);
	}
	assert_int_equal(out, in);
	assert_true(ring_is_empty(r));
	assert_int_equal(ring_count(r), 0);
	(void)munmap(r, sizeof *r);
}

static void
what_does_not_fit_is_refused_and_harms_nobody(void **state)
{
	struct ring *r = open_ring();
	static unsigned char large[RING_ROOM];
	const struct iovec part = {large, sizeof large};
	uint32_t in = 0, more = 0;

	(void)state;
	assert_false(ring_put(r, 1, &part, 1, 0));
	assert_true(ring_is_empty(r));
	while (put(r, in, RING_ROOM / 2))
		in++;
	assert_false(put(r, in, RING_ROOM / 2));
	/* The other half is for those that may have it. */
	while (put(r, in + more, 0))
		more++;
	assert_true(more > in / 2);
	for (uint32_t n = 0; n < in + more; n++) {
		assert_true(is_number(ring_first(r), n));
		ring_drop(r);
	}
	assert_null(ring_first(r));
	(void)munmap(r, sizeof *r);
}

/* The other side dies at any moment: nothing is skipped. */
static void
what_was_not_dropped_stays(void **state)
{
	struct ring *r = open_ring();
	uint32_t in, out = 0;

	(void)state;
	for (in = 0; in < 50; in++)
		assert_true(put(r, in, 0));
	while (!ring_is_empty(r)) {
		pid_t pid = fork();

		if (pid == 0) {
			for (int i = 0; i < 3; i++)
				ring_drop(r);
			(void)ring_first(r);
			(void)kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		out += 3;
		if (out < in)
			assert_true(is_number(ring_first(r), out));
	}
	(void)munmap(r, sizeof *r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_come_in_their_order_and_whole),
	    cmocka_unit_test(what_does_not_fit_is_refused_and_harms_nobody),
	    cmocka_unit_test(what_was_not_dropped_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
