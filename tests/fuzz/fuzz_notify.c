/* SPDX-License-Identifier: ISC */
/* Any datagram at the notify socket. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "watchdog/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct notify n;

	if (notify_parse((const char *)bytes, len, &n) &&
	    (strlen(n.status) > NOTIFY_STATUS || n.busy_ms < 0))
		abort();
	return 0;
}
