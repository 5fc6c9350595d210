/* SPDX-License-Identifier: ISC */
/* Any document that an earlier image of the supervisor might leave: bare, so
 * that the fuzzer gets behind the checksum. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "watchdog/handover.h"
#include "watchdog/watchdog.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
decode(const json_t *item)
{
	static struct service s;

	memset(&s, 0, sizeof s);
	if (!handover_decode(&s, item))
		return;
	if ((unsigned)s.fsm.state >= FSM__STATES ||
	    s.fsm.strike_next >= FSM_STRIKES || s.log.used >= LOGS_LINE ||
	    memchr(s.name, '\0', sizeof s.name) == NULL ||
	    memchr(s.status, '\0', sizeof s.status) == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct watchdog w;
	json_t *doc = handover_parse((const char *)bytes, len);
	const json_t *item;
	size_t i;

	if (doc == NULL)
		doc = json_loadb((const char *)bytes, len, 0, NULL);
	if (doc == NULL)
		return 0;
	decode(doc);
	json_array_foreach (json_object_get(doc, "services"), i, item) {
		decode(item);
	}
	memset(&w, 0, sizeof w);
	handover_take(&w, doc);
	if (w.check.queue_count > CHECK_QUEUES ||
	    w.check.trouble_count > CHECK_TROUBLES ||
	    w.report.count > REPORT_OWED)
		abort();
	json_decref(doc);
	return 0;
}
