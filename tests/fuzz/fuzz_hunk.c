/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a file and a diff, parted by a line "====": what applies has
 * the lines that it adds, and as many lines as its signs say; what the front
 * makes of a diff is read again as the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/patch.h"
#include "executor/hunk.h"

#define PART "\n====\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
count_lines(const char *text, size_t len)
{
	struct lines l;
	size_t n;

	lines_split(text, len, &l);
	n = l.count;
	lines_free(&l);
	return n;
}

static void
check_counts(const struct hunks *h, size_t before, size_t after)
{
	for (size_t i = 0; i < h->count; i++)
		for (size_t j = 0; j < h->items[i].lines.count; j++) {
			before += h->items[i].signs[j] == '+';
			before -= h->items[i].signs[j] == '-';
		}
	if (before != after)
		abort();
}

static void
try_apply(const char *text, size_t len, const char *diff, size_t diff_len)
{
	struct buf out = {0};
	json_t *error = NULL;
	struct hunks h;
	const char *why = NULL;

	if (!hunks_read(diff, diff_len, &h, &why)) {
		if (why == NULL)
			abort();
	} else if (hunks_apply(&h, text, len, &out, &error) == 0) {
		check_counts(&h, count_lines(text, len),
		    count_lines(out.bytes != NULL ? out.bytes : "", out.len));
	} else if (json_object_get(error, "code") == NULL) {
		abort();
	}
	json_decref(error);
	hunks_free(&h);
	buf_free(&out);
}

/* The front takes it apart, and its canonical form is its own. */
static void
try_front(const char *diff, size_t len)
{
	json_t *text = json_stringn(diff, len);
	json_t *doc = text == NULL ? NULL
				   : json_pack("{s:s, s:[{s:o}]}", "id", "f",
					 "mutations", "diff", text);
	struct patch_result r, again;

	if (doc == NULL)
		return;
	patch_normalise(doc, &r);
	if (r.reason == PATCH_OK) {
		patch_normalise(r.canonical, &again);
		if (again.reason != PATCH_OK ||
		    !json_equal(r.canonical, again.canonical))
			abort();
		patch_result_free(&again);
	}
	patch_result_free(&r);
	json_decref(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *at;
	size_t len = strlen(PART);

	at = memmem(text, size, PART, len);
	if (at == NULL)
		return 0;
	try_apply(text, (size_t)(at - text), at + len,
	    size - (size_t)(at - text) - len);
	try_front(at + len, size - (size_t)(at - text) - len);
	return 0;
}
