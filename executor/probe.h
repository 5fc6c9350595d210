/* SPDX-License-Identifier: ISC */
/*
 * Whether a way to isolate commands works on this machine. There are three
 * answers: it does; it does not, for the reason in fault; or, where that is
 * temporary, nothing can be said at present: the probe was killed, or lacked
 * memory, descriptors, processes or room.
 */
#ifndef EXECUTOR_PROBE_H
#define EXECUTOR_PROBE_H

#include "executor/executor.h"

struct probe {
	enum jail_way way;
	struct fault fault; /* the caller frees it */
	bool ended;
};

/* True where it works. Tried three times where nothing can be said. */
bool probe_way(struct executor *ex, struct probe *p, enum jail_way way);

#endif
