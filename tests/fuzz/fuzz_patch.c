/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a patch: a verdict with a reason and a good id, and each
 * canonical form is its own canonical form.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_form(const struct patch_result *r)
{
	struct patch_result again;

	patch_normalise(r->canonical, &again);
	if (again.reason != PATCH_OK ||
	    !json_equal(r->canonical, again.canonical) ||
	    strcmp(r->digest, again.digest) != 0 ||
	    strcmp(r->id, again.id) != 0)
		abort();
	patch_result_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct patch_result r;
	struct doc_error err;

	patch_read(text, size, &r, &err);
	if (!key_id_valid(r.id) || r.priority < 0 || r.priority > 9)
		abort();
	if (r.reason == PATCH_OK)
		check_form(&r);
	else if (r.error[0] == '\0' || r.canonical != NULL)
		abort();
	patch_result_free(&r);
	if (patch_intent_text(text, size) > INTENT_PATCH)
		abort();
	return 0;
}
