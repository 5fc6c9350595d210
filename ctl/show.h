/* SPDX-License-Identifier: ISC */
/* A look in words and as JSON. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>

#include "ctl/look.h"

/* "failed (validation)", "queued", ... */
const char *show_words(const struct look *l);
/* id, queue, state, stage, reason, attempt, key, summary. */
json_t *show_brief(const struct look *l);
/* "ID@QUEUE: WORDS[, error][, summary PATH]" to standard output. */
void show_line(const struct look *l);

/* Of an outcome: error, place, hint, what did not match or is in conflict. */
void show_why(const json_t *outcome);

#endif
