/* SPDX-License-Identifier: ISC */
/*
 * A regular expression and its replacement, as JavaScript's String.replace
 * has them (patchflow-patch(5) names the differences), on PCRE2. Pure but for
 * the clock: no pattern runs longer than PATTERN_MS, whatever it is given.
 */
#ifndef EXECUTOR_PATTERN_H
#define EXECUTOR_PATTERN_H

#include <jansson.h>

#include "common/buf.h"
#include "executor/plan.h"

#define PATTERN_MS 5000

struct pattern {
	struct plan_text expression;
	struct plan_text replacement;
	const char *flags; /* of g i m s u y */
	size_t max;        /* bytes that may come out */
};

/* Does it compile? False with the reason in why, and the offset in bytes. */
bool pattern_check(const struct pattern *p, char *why, size_t size,
    size_t *offset);

/*
 * 0 with the new text in out, or -1 with an error record in *error (owned);
 * its codes: not-found, pattern-limit, not-utf8, too-large.
 */
int pattern_replace(const struct pattern *p, const char *text, size_t len,
    struct buf *out, json_t **error);

#endif
