/* SPDX-License-Identifier: ISC */
/* Backoff: what fails at once must never spin. */
#include "bridge/retry.h"
#include "common/clock.h"

#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS 30000

bool
retry_due(const struct retry *r)
{
	return r->delay_ms == 0 || clock_mono_ms() >= r->at_ms;
}

void
retry_failed(struct retry *r)
{
	int64_t next = r->delay_ms == 0 ? RETRY_FIRST_MS : r->delay_ms * 2;

	r->delay_ms = next < RETRY_LAST_MS ? next : RETRY_LAST_MS;
	r->at_ms = clock_mono_ms() + r->delay_ms;
}

int64_t
retry_wait(const struct retry *r)
{
	int64_t wait = r->at_ms - clock_mono_ms();

	if (r->delay_ms == 0)
		return -1;
	return wait > 0 ? wait : 0;
}
