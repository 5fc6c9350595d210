/* SPDX-License-Identifier: ISC */
/* The state of extraction over a restart. */
#include <string.h>

#include "common/extract.h"

json_t *
extract_state_json(const struct extract_state *st)
{
	return json_pack("{s:s, s:b, s:s, s:I, s:i, s:b, s:b, s:b}", "author",
	    st->author, "in_summary", st->in_summary, "summary_ref",
	    st->summary_ref, "summary_bytes", (json_int_t)st->summary_bytes,
	    "list", st->list, "blank", st->blank, "aider", st->aider, "begun",
	    st->begun);
}

void
extract_state_load(struct extract_state *st, const json_t *value)
{
	json_int_t bytes =
	    json_integer_value(json_object_get(value, "summary_bytes"));
	json_int_t list = json_integer_value(json_object_get(value, "list"));
	const char *s;

	*st = (struct extract_state){
	    .in_summary = json_is_true(json_object_get(value, "in_summary")),
	    .summary_bytes = bytes > 0 ? (size_t)bytes : 0,
	    .list = list > 0 && list < 1000 ? (int)list : 0,
	    .blank = json_is_true(json_object_get(value, "blank")),
	    .aider = json_is_true(json_object_get(value, "aider")),
	    .begun = json_is_true(json_object_get(value, "begun"))};
	s = json_string_value(json_object_get(value, "author"));
	if (s != NULL)
		(void)strlcpy(st->author, s, sizeof(st->author));
	s = json_string_value(json_object_get(value, "summary_ref"));
	if (s != NULL)
		(void)strlcpy(st->summary_ref, s, sizeof(st->summary_ref));
}
