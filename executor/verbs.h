/* SPDX-License-Identifier: ISC */
/* What an executor does for each verb of a request, and answers. */
#ifndef EXECUTOR_VERBS_H
#define EXECUTOR_VERBS_H

#include "common/request.h"
#include "executor/executor.h"

#define PAUSE_FORMAT "patchflow-paused-1"

struct answer {
	bool ok;
	bool later; /* none yet: to be done again once the run has ended */
	char text[256];
};

/* Done again it says of a patch that is already where it should be that all
 * is well. */
void verbs_do(struct executor *ex, const struct request *r, struct answer *a);

#endif
