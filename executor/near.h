/* SPDX-License-Identifier: ISC */
/*
 * The error record of an edit that could not be applied: what a model needs
 * to repair it in one round. Pure.
 *   {code, tier_reached, found, wanted, first_divergence{find_line, file_line,
 *    expected, actual}, candidates[{line, score, text}], file_sha256, hint}
 * The first candidate's text is as many lines as find has, and two more.
 * code: not-found, ambiguous, already-applied.
 */
#ifndef EXECUTOR_NEAR_H
#define EXECUTOR_NEAR_H

#include <jansson.h>

#include "executor/match.h"

/* m is what match_find said for e->find. */
json_t *near_explain(const char *text, size_t len, const struct plan_edit *e,
    const struct match_list *m);

#endif
