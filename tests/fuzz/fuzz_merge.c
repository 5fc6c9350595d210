/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a JSON file and a merge patch, parted by a NUL: the result is
 * JSON that has what the patch says, and merging again changes nothing.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "executor/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_has(const json_t *doc, const json_t *patch)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)patch, key, v) {
		const json_t *have = json_object_get(doc, key);

		if (json_is_null(v) ? have != NULL : have == NULL)
			abort();
		if (json_is_object(v))
			check_has(have, v);
		else if (!json_is_null(v) && !json_equal(have, v))
			abort();
	}
}

static void
check_result(const struct buf *out, const json_t *patch)
{
	size_t bom =
	    out->len >= 3 && memcmp(out->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	json_t *doc, *error = NULL;
	struct buf again = {0};

	if (merge_apply(out->bytes, out->len, patch, &again, &error) == -1 ||
	    again.len != out->len ||
	    memcmp(again.bytes, out->bytes, out->len) != 0)
		abort();
	/* Jansson has no numbers beyond its own, and other limits of depth. */
	doc = json_loadb(out->bytes + bom, out->len - bom,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (doc != NULL)
		check_has(doc, patch);
	json_decref(doc);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *nul;
	struct buf out = {0};
	json_t *patch, *error = NULL;
	size_t len;

	nul = memchr(text, '\0', size);
	if (nul == NULL)
		return 0;
	len = (size_t)(nul - text);
	patch = json_loadb(nul + 1, size - len - 1, 0, NULL);
	if (json_is_object(patch)) {
		buf_reserve(&out, 1);
		if (merge_apply(text, len, patch, &out, &error) == 0)
			check_result(&out, patch);
		else if (json_object_get(error, "first_divergence") == NULL)
			abort();
	}
	json_decref(error);
	json_decref(patch);
	buf_free(&out);
	return 0;
}
