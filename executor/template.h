/* SPDX-License-Identifier: ISC */
/* The replacement text of a pattern, with JavaScript's $1, $&, $<name>. */
#ifndef EXECUTOR_TEMPLATE_H
#define EXECUTOR_TEMPLATE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <stddef.h>
#include <pcre2.h>

#include "common/buf.h"
#include "executor/plan.h"

struct template
{
	const char *text;
	size_t len;
	const pcre2_code *code;
	pcre2_match_data *data; /* of the match that is replaced */
	const struct plan_text *replacement;
	size_t max; /* bytes of out beyond which nothing more is added */
};

/* Adds what takes the place of the match; out may end over max. */
void template_put(const struct template *t, struct buf *out);

#endif
