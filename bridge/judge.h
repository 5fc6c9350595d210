/* SPDX-License-Identifier: ISC */
/* What a block of a chat is: a patch, nearly one, or nothing. Pure. */
#ifndef BRIDGE_JUDGE_H
#define BRIDGE_JUDGE_H

#include "common/conf.h"
#include "common/extract.h"

enum judge_verdict {
	JUDGE_NOTHING,
	JUDGE_NEAR_MISS, /* not run, counted, shown */
	JUDGE_PATCH
};

/*
 * authors: who may hand in patches; empty: everybody. *why is set to a short
 * phrase for people where the verdict is JUDGE_NEAR_MISS.
 */
enum judge_verdict judge_block(const struct extract_block *block,
    const struct conf_strings *authors, const char **why);

#endif
