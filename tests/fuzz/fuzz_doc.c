/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a document: no crash, a reason for each refusal, and what is
 * accepted means the same when emitted as YAML.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_value(const json_t *v)
{
	struct doc_error err;
	char *yaml = doc_emit_yaml(v);
	json_t *again = doc_parse(yaml, strlen(yaml), DOC_YAML, &err);

	if (again == NULL || !json_equal(v, again))
		abort();
	json_decref(again);
	free(yaml);
}

static void
check_places(const char *text, size_t len, enum doc_format format)
{
	static const char *const paths[] = {"", "a", "mutations[0].path",
	    "a[\"b.c\"][2]", "[", "a..b", "[-1]"};
	struct doc_error err;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		doc_locate(text, len, format, paths[i], &err);
		if (err.line < 1 || err.column < 1)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	enum doc_format format;
	struct doc_error err;
	json_t *v = doc_parse_any(text, size, &format, &err);

	if (v == NULL && err.reason[0] == '\0')
		abort();
	/* Also of text that it was never promised for. */
	check_places(text, size, DOC_JSON);
	check_places(text, size, DOC_YAML);
	if (v != NULL)
		check_value(v);
	json_decref(v);
	return 0;
}
