/* SPDX-License-Identifier: ISC */
/* DESIGN.md 4, "meant as a patch", for blocks of a chat. */
#include <strings.h>

#include "bridge/judge.h"
#include "common/doc.h"
#include "common/patch.h"

static enum patch_intent
block_intent(const struct extract_block *block)
{
	struct doc_error err;
	enum doc_format format;
	enum patch_intent intent;
	json_t *doc = doc_parse_any(block->text, block->len, &format, &err);

	if (doc == NULL)
		return patch_intent_text(block->text, block->len);
	intent = patch_intent(doc);
	json_decref(doc);
	return intent;
}

static bool
author_allowed(const char *author, const struct conf_strings *authors)
{
	for (size_t i = 0; i < authors->count; i++)
		if (strcasecmp(author, authors->items[i]) == 0)
			return true;
	return authors->count == 0;
}

enum judge_verdict
judge_block(const struct extract_block *block,
    const struct conf_strings *authors, const char **why)
{
	enum patch_intent intent = block_intent(block);

	*why = "";
	if (intent == INTENT_NONE)
		return JUDGE_NOTHING;
	if (intent == INTENT_NEAR_MISS)
		*why = "it does not say role: command_patch";
	else if (block->quoted)
		*why = "it is quoted";
	else if (!author_allowed(block->author, authors))
		*why = "its author is not allowed to";
	else
		return JUDGE_PATCH;
	return JUDGE_NEAR_MISS;
}
