/* SPDX-License-Identifier: ISC */
/* Waiting for patches to end and their summaries to be published. */
#ifndef CTL_FOLLOW_H
#define CTL_FOLLOW_H

#include "ctl/look.h"

#define FOLLOW_FOREVER INT64_MAX

/* The deadline of "--timeout SPAN", from now; -1 after a complaint. */
int64_t follow_deadline(const char *span);
/* A moment between two looks; false once the deadline has passed. */
bool follow_pause(int64_t deadline);
/*
 * Until each of looks is over, printing a line (or adding to json, where not
 * NULL) as it ends. CTL_DONE, CTL_FAILED where one ended badly,
 * CTL_TEMPORARY after the deadline.
 */
int follow_looks(struct ctl *c, struct look *looks, int count, int64_t deadline,
    json_t *json);

#endif
