/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as chat text: the blocks are the same whether the text comes at
 * once or cut in two, and all of it is consumed. The first byte says where.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
dump(const struct extract_result *r, size_t base, struct buf *out)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct extract_block *b = &r->blocks[i];

		if (b->offset > b->end || b->line < 1)
			abort();
		buf_printf(out, "%d %zu %zu %d %s %s %d:", b->kind,
		    base + b->offset, base + b->end, b->indent, b->info,
		    b->author, b->quoted);
		buf_add(out, b->text, b->len);
	}
}

static void
feed(const char *text, size_t len, size_t cut, struct buf *out)
{
	struct extract_state st = {0};
	struct extract_result r;
	size_t done;
	json_t *kept;

	extract_text(text, cut, cut == len, &st, &r);
	dump(&r, 0, out);
	done = r.consumed;
	extract_free(&r);
	if (done > cut)
		abort();
	if (cut == len) {
		if (done != len)
			abort();
		return;
	}
	/* As after a restart. */
	kept = extract_state_json(&st);
	if (kept == NULL)
		abort();
	extract_state_load(&st, kept);
	json_decref(kept);
	extract_text(text + done, len - done, true, &st, &r);
	dump(&r, done, out);
	if (done + r.consumed != len)
		abort();
	extract_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = {0}, parts = {0};
	const char *text;
	size_t cut;

	if (size < 1)
		return 0;
	text = (const char *)data + 1;
	size--;
	cut = size * data[0] / 255;
	feed(text, size, size, &whole);
	feed(text, size, cut, &parts);
	if (whole.len != parts.len ||
	    (whole.len > 0 && memcmp(whole.bytes, parts.bytes, whole.len) != 0))
		abort();
	buf_free(&whole);
	buf_free(&parts);
	return 0;
}
