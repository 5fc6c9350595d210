/* SPDX-License-Identifier: ISC */
/*
 * JSON and YAML: what is accepted, what it means, where and how it is
 * refused; that YAML made of JSON means the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/doc.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static json_t *
must_parse(const char *text, enum doc_format format)
{
	struct doc_error err;
	json_t *v = doc_parse(text, strlen(text), format, &err);

	if (v == NULL)
		fail_msg("<%s> %d:%d: %s", text, err.line, err.column,
		    err.reason);
	return v;
}

static void
yaml_words_have_defined_meanings(void **state)
{
	/* What the word means, as JSON. */
	static const char *const words[][2] = {{"true", "true"},
	    {"False", "false"}, {"TRUE", "true"}, {"tRUE", "\"tRUE\""},
	    {"null", "null"}, {"~", "null"}, {"", "null"}, {"yes", "\"yes\""},
	    {"No", "\"No\""}, {"on", "\"on\""}, {"off", "\"off\""}, {"0", "0"},
	    {"-0", "0"}, {"12", "12"}, {"+12", "12"}, {"-7", "-7"},
	    {"0755", "\"0755\""}, {"00", "\"00\""}, {"-010", "\"-010\""},
	    {"0x1F", "\"0x1F\""}, {"0o17", "\"0o17\""}, {"1_000", "\"1_000\""},
	    {"1.10", "1.1"}, {"1.", "1.0"}, {".5", "0.5"}, {"1e3", "1000.0"},
	    {"1E+2", "100.0"}, {"01.5", "\"01.5\""}, {"1.2.3", "\"1.2.3\""},
	    {"1e", "\"1e\""}, {".", "\".\""}, {"+", "\"+\""},
	    {".inf", "\".inf\""}, {".nan", "\".nan\""},
	    {"2026-01-01", "\"2026-01-01\""}, {"12:30", "\"12:30\""},
	    {"'12'", "\"12\""}, {"\"true\"", "\"true\""},
	    {"!!str 12", "\"12\""}, {"!!int 12", "12"}, {"! 12", "\"12\""},
	    {"9223372036854775807", "9223372036854775807"},
	    {"v1.0", "\"v1.0\""}};

	(void)state;
	for (size_t i = 0; i < LENGTH(words); i++) {
		char text[80], want[80];
		json_t *yaml, *json;

		(void)snprintf(text, sizeof(text), "k: %s", words[i][0]);
		(void)snprintf(want, sizeof(want), "{\"k\": %s}", words[i][1]);
		yaml = must_parse(text, DOC_YAML);
		json = must_parse(want, DOC_JSON);
		if (!json_equal(yaml, json) ||
		    json_typeof(json_object_get(yaml, "k")) !=
			json_typeof(json_object_get(json, "k")))
			fail_msg("%s is not %s", text, want);
		json_decref(yaml);
		json_decref(json);
	}
}

struct refusal {
	enum doc_format format;
	const char *text;
	int line, column;
	const char *reason; /* a part of it */
};

static const struct refusal refusals[] = {
    {DOC_JSON, "", 0, 0, "empty"},
    {DOC_JSON, " \n", 0, 0, "empty"},
    {DOC_JSON, "{\"a\":1,\n \"a\":2}", 2, 2, "stands twice"},
    {DOC_JSON, "{\"a\": 99999999999999999999}", 1, 7, "out of range"},
    {DOC_JSON, "{\"a\": -1e999}", 1, 7, "out of range"},
    {DOC_JSON, "{\"a\": \"x\\u0000\"}", 1, 9, "NUL"},
    {DOC_JSON, "{\"a\": \"\\ud800\"}", 1, 7, "surrogate"},
    {DOC_JSON, "// c\n{}", 1, 1, "no comments"},
    {DOC_JSON, "{\n // c\n}", 2, 2, "no comments"},
    {DOC_JSON, "{\"a\": 1,\n}", 1, 8, "comma before"},
    {DOC_JSON, "[1,]", 1, 3, "comma before"},
    {DOC_JSON, "{\"a\": \"x\ny\"}", 1, 9, "line ends inside a string"},
    {DOC_JSON, "{\"a\": \"x\ty\"}", 1, 9, "raw tab"},
    {DOC_JSON, "{\"a\": \"x\\\ny\"}", 1, 9, "does not continue"},
    {DOC_JSON, "{\"a\": \"\\d\"}", 1, 8, "must be written"},
    {DOC_JSON, "{\"a\": True}", 1, 7, "Python"},
    {DOC_JSON, "{\"a\": NaN}", 1, 7, "NaN"},
    {DOC_JSON, "{'a': 1}", 1, 2, "double quotes"},
    {DOC_JSON,
	"{\xe2\x80\x9c"
	"a\xe2\x80\x9d: 1}",
	1, 2, "typographic"},
    {DOC_JSON, "{\"a\": [...]}", 1, 8, "left out"},
    {DOC_JSON, "{\"a\": 01}", 1, 7, "start with 0"},
    {DOC_JSON, "{\"a\": 1.}", 1, 9, "a digit"},
    {DOC_JSON, "{\"a\": \"x\" \"b\": 1}", 1, 11, "a string where ','"},
    {DOC_JSON, "{\"a\": \"say \"hi\" now\"}", 1, 13, "\\\""},
    {DOC_JSON, "{\"a\": 1", 1, 8, "the end of the text"},
    {DOC_JSON, "{\"a\": \"x", 1, 7, "no end"},
    {DOC_JSON, "{}}", 1, 3, "too many"},
    {DOC_JSON, "{} {}", 1, 4, "the end of the document"},
    {DOC_JSON, "{\"a\": \x01}", 1, 7, "byte 0x01"},
    {DOC_JSON, "{\"a\": \"\xff\"}", 1, 8, "not UTF-8"},
    {DOC_JSON, "{\"\xc3\xbc\": nul}", 1, 8, "'nul'"},
    {DOC_JSON, "\xef\xbb\xbf{\"a\": x}", 1, 10, "'x'"},
    {DOC_YAML, "", 0, 0, "empty"},
    {DOC_YAML, "# only a comment\n", 0, 0, "empty"},
    {DOC_YAML, "a: 1\na: 2", 2, 1, "stands twice"},
    {DOC_YAML, "a: 1\n---\nb: 2", 2, 1, "second document"},
    {DOC_YAML, "a:\n\t- b", 2, 1, "tab"},
    {DOC_YAML, "a: b: c", 1, 5, "':'"},
    {DOC_YAML, "a: @b", 1, 4, "'@'"},
    {DOC_YAML, "a: [1", 1, 6, "','"},
    {DOC_YAML, "a: \"b", 1, 6, "never closed"},
    {DOC_YAML, "? [a]\n: b", 1, 3, "one word"},
    {DOC_YAML, "a: !!binary eA==", 1, 4, "tag"},
    {DOC_YAML, "a: !x y", 1, 4, "tag"},
    {DOC_YAML, "a: !!int x", 1, 4, "no !!int"},
    {DOC_YAML, "a: !!map [b]", 1, 4, "tag"},
    {DOC_YAML, "<<: {a: 1}", 1, 1, "merge"},
    {DOC_YAML, "a: *b", 1, 4, "stands for nothing"},
    {DOC_YAML, "\xc3\xbc: 1\n\xc3\xbc\xc3\xbc: *b", 2, 7, "stands for nothing"},
    {DOC_YAML, "a: 99999999999999999999", 1, 4, "out of range"},
    {DOC_YAML, "a: 1e999", 1, 4, "out of range"},
    {DOC_YAML, "a: \"\\0\"", 1, 4, "NUL"},
    {DOC_YAML, "\"\\0\": a", 1, 1, "NUL"},
    {DOC_YAML, "a: \x01", 1, 4, "control character (0x01)"},
    {DOC_YAML, "a: \xff", 1, 4, "not UTF-8"},
};

static void
refusals_name_the_place_and_the_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct doc_error err;
		json_t *v =
		    doc_parse(r->text, strlen(r->text), r->format, &err);

		if (v != NULL)
			fail_msg("<%s> was accepted", r->text);
		if (err.line != r->line || err.column != r->column ||
		    strstr(err.reason, r->reason) == NULL)
			fail_msg("<%s> %d:%d: %s", r->text, err.line,
			    err.column, err.reason);
	}
}

static void
a_flow_mapping_is_yaml(void **state)
{
	static const struct {
		const char *text;
		int format; /* -1 refused */
	} cases[] = {
	    {"{\"a\": 1}", DOC_JSON},
	    {"{'a': True, }", DOC_YAML},
	    {"{a: [x, y]}", DOC_YAML},
	    {"a: 1", DOC_YAML},
	    /* YAML would fold the line end into a blank. */
	    {"{\"a\": \"x\ny\"}", -1},
	    {"{a: x\n y}", -1},
	    {"{\"a\": x\", \"b\": 1}", -1},
	    {"{\xe2\x80\x9c"
	     "a\xe2\x80\x9d: 1}",
		-1},
	    {"{\"a\": 1", -1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		enum doc_format format;
		struct doc_error err;
		json_t *v = doc_parse_any(cases[i].text, strlen(cases[i].text),
		    &format, &err);
		int got = v == NULL ? -1 : (int)format;

		if (got != cases[i].format)
			fail_msg("<%s>: %d", cases[i].text, got);
		json_decref(v);
	}
}

static void
places_of_values_are_found(void **state)
{
	static const char json[] = "{\"a\": {\"x.y\": 1},\n \"m\": [1, {\"p\": "
				   "\"}]\"},\n  {\"p\": [2]}], \"n\": 3}";
	static const char yaml[] = "# c\n\xc3\xbc: {x.y: 1}\nm:\n  - 1\n"
				   "  - {p: '}]'}\n  - p:\n      - 2\nn: 3\n";
	static const struct {
		const char *path;
		int json[2];
		int yaml[2];
	} cases[] = {
	    {"", {1, 1}, {2, 1}},
	    {"m", {2, 7}, {4, 3}},
	    {"m[0]", {2, 8}, {4, 5}},
	    {"m[1].p", {2, 17}, {5, 9}},
	    {"m[2].p[0]", {3, 10}, {7, 9}},
	    {"n", {3, 21}, {8, 4}},
	    /* Of what is not there, the nearest that is. */
	    {"m[7]", {2, 7}, {4, 3}},
	    {"n.q", {3, 21}, {8, 4}},
	    {"zzz", {1, 1}, {2, 1}},
	};
	struct doc_error err;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		doc_locate(json, strlen(json), DOC_JSON, cases[i].path, &err);
		if (err.line != cases[i].json[0] ||
		    err.column != cases[i].json[1])
			fail_msg("JSON %s at %d:%d", cases[i].path, err.line,
			    err.column);
		doc_locate(yaml, strlen(yaml), DOC_YAML, cases[i].path, &err);
		if (err.line != cases[i].yaml[0] ||
		    err.column != cases[i].yaml[1])
			fail_msg("YAML %s at %d:%d", cases[i].path, err.line,
			    err.column);
	}
	/* A list for a key shifts what follows: no answer, but an end. */
	doc_locate("{[x, 1], a}", 11, DOC_YAML, "m[0].p", &err);
	assert_int_equal(err.line, 1);
	doc_locate(json, strlen(json), DOC_JSON, "a[\"x.y\"]", &err);
	assert_int_equal(err.column, 15);
	doc_locate(yaml, strlen(yaml), DOC_YAML, "\xc3\xbc[\"x.y\"]", &err);
	assert_int_equal(err.column, 11);
}

static void
means_the_same_as_yaml(const json_t *v)
{
	struct doc_error err;
	char *yaml = doc_emit_yaml(v);
	json_t *again = doc_parse(yaml, strlen(yaml), DOC_YAML, &err);

	if (again == NULL)
		fail_msg("%d:%d: %s\n%s", err.line, err.column, err.reason,
		    yaml);
	if (!json_equal(v, again))
		fail_msg("means something else:\n%s", yaml);
	json_decref(again);
	free(yaml);
}

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Strings that YAML is known to trip over, and pieces of them. */
static json_t *
some_string(uint32_t *seed)
{
	static const char *const pieces[] = {"a", " ", "\n", "\n\n", "\t", ":",
	    ": ", "#", " #", "-", "- ", "?", "'", "\"", "\\", "\\n", "{", "]",
	    ",", "&", "*", "!", "|", ">", "%", "@", "`", "~", "null", "true",
	    "yes", "0755", "1.10", "1e3", "<<", "---", "...", "\r", "\r\n",
	    "\x01", "\x7f", "\xc2\x85", "\xc2\xa0", "\xe2\x80\xa8",
	    "\xef\xbb\xbf", "\xef\xbf\xbe", "\xf0\x9f\x9a\x80", "\xc3\xbc",
	    "    indented", "trailing ", "word", "="};
	struct buf b = {0};
	json_t *v;

	for (uint32_t n = next(seed) % 6; n > 0; n--)
		buf_puts(&b, pieces[next(seed) % LENGTH(pieces)]);
	if (next(seed) % 40 == 0)
		for (int i = 0; i < 200; i++)
			buf_puts(&b, "long ");
	v = json_string(b.len > 0 ? b.bytes : "");
	buf_free(&b);
	return v;
}

static json_t *
some_value(uint32_t *seed, int depth)
{
	uint32_t kind = next(seed) % (depth > 5 ? 5 : 8);
	json_t *v;

	if (kind == 0)
		return json_integer((json_int_t)next(seed) - 8000000);
	if (kind == 1)
		return json_real((double)next(seed) / 7.0);
	if (kind == 2)
		return json_boolean(next(seed) % 2);
	if (kind == 3)
		return json_null();
	if (kind == 4)
		return some_string(seed);
	v = kind == 5 ? json_array() : json_object();
	for (uint32_t n = next(seed) % 5; n > 0; n--) {
		json_t *key = some_string(seed);

		if (kind == 5)
			(void)json_array_append_new(v,
			    some_value(seed, depth + 1));
		else
			(void)json_object_set_new(v, json_string_value(key),
			    some_value(seed, depth + 1));
		json_decref(key);
	}
	return v;
}

static void
json_means_the_same_as_yaml(void **state)
{
	uint32_t seed = 7;
	double d = 1e-300;

	(void)state;
	for (int i = 0; i < 4000; i++) {
		json_t *v = some_value(&seed, 0);

		means_the_same_as_yaml(v);
		json_decref(v);
	}
	for (int i = 0; i < 190; i++) {
		json_t *v = json_pack("[f, f]", d, -1 / d);

		means_the_same_as_yaml(v);
		json_decref(v);
		d *= 1234.567;
	}
}

static void
nesting_and_size_are_bounded(void **state)
{
	struct doc_error err;
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_putc(&b, '[');
	assert_null(doc_parse(b.bytes, b.len, DOC_JSON, &err));
	assert_int_equal(err.column, DOC_DEPTH + 1);
	assert_null(doc_parse(b.bytes, b.len, DOC_YAML, &err));
	assert_non_null(strstr(err.reason, "deeper"));
	buf_clear(&b);
	for (int i = 0; i < 5000; i++)
		buf_puts(&b, "- ");
	assert_null(doc_parse(b.bytes, b.len, DOC_YAML, &err));
	buf_clear(&b);
	buf_puts(&b, "[0");
	for (int i = 0; i < DOC_NODES + 1; i++)
		buf_puts(&b, ",0");
	buf_puts(&b, "]");
	assert_null(doc_parse(b.bytes, b.len, DOC_JSON, &err));
	assert_null(doc_parse(b.bytes, b.len, DOC_YAML, &err));
	buf_clear(&b);
	/* The well-known bomb: ten times ten times ... */
	buf_puts(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++)
		buf_printf(&b,
		    "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i,
		    i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_null(doc_parse(b.bytes, b.len, DOC_YAML, &err));
	assert_non_null(strstr(err.reason, "values"));
	buf_free(&b);
}

static void
ten_mebibytes_are_read_at_once(void **state)
{
	struct buf b = {0};
	struct doc_error err;
	json_t *v;
	char *yaml;
	int64_t json_ms, yaml_ms;

	(void)state;
	buf_puts(&b, "{\"role\": \"command_patch\", \"contents\": \"");
	while (b.len < 10U << 20)
		buf_puts(&b, "int main(void) { return 0; } \\n\\t\\\"x\\\" ");
	buf_puts(&b, "\"}");
	json_ms = clock_mono_ms();
	v = doc_parse(b.bytes, b.len, DOC_JSON, &err);
	json_ms = clock_mono_ms() - json_ms;
	assert_non_null(v);
	yaml = doc_emit_yaml(v);
	json_decref(v);
	yaml_ms = clock_mono_ms();
	v = doc_parse(yaml, strlen(yaml), DOC_YAML, &err);
	yaml_ms = clock_mono_ms() - yaml_ms;
	assert_non_null(v);
	json_decref(v);
	print_message("# 10 MiB: JSON in %d ms, YAML in %d ms\n", (int)json_ms,
	    (int)yaml_ms);
	assert_true(json_ms < 5000 && yaml_ms < 20000);
	free(yaml);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(yaml_words_have_defined_meanings),
	    cmocka_unit_test(refusals_name_the_place_and_the_cause),
	    cmocka_unit_test(a_flow_mapping_is_yaml),
	    cmocka_unit_test(places_of_values_are_found),
	    cmocka_unit_test(json_means_the_same_as_yaml),
	    cmocka_unit_test(nesting_and_size_are_bounded),
	    cmocka_unit_test(ten_mebibytes_are_read_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
