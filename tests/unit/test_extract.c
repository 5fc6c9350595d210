/* SPDX-License-Identifier: ISC */
/*
 * Blocks of chat text: what a careful reader takes, and that the same text
 * cut anywhere gives the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/extract.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* The blocks of a part of a text, placed in the whole. */
static void
dump(const struct extract_result *r, size_t base, int lines, struct buf *out)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct extract_block *b = &r->blocks[i];

		buf_printf(out, "%d @%zu-%zu line %d +%d [%s] %s%s<", b->kind,
		    base + b->offset, base + b->end, lines + b->line, b->indent,
		    b->info, b->author, b->quoted ? " quoted" : "");
		buf_add(out, b->text, b->len);
		buf_puts(out, ">\n");
	}
}

static int
count_lines(const char *s, size_t len)
{
	int n = 0;

	for (size_t i = 0; i < len; i++)
		n += s[i] == '\n';
	return n;
}

/* Feeds text in pieces of step bytes, the first one of first bytes. */
static void
feed(const char *text, size_t len, size_t first, size_t step, struct buf *out)
{
	struct extract_state st = {0};
	size_t done = 0, have = first;

	for (;;) {
		struct extract_result r;
		bool final = have >= len;

		if (final)
			have = len;
		extract_text(text + done, have - done, final, &st, &r);
		dump(&r, done, count_lines(text, done), out);
		done += r.consumed;
		assert_true(done <= have);
		extract_free(&r);
		if (final)
			break;
		have += step;
	}
	assert_int_equal(done, len);
}

/* Would the open block at text end if the text ended with a line end? */
static bool
ends_with_line(const char *text, size_t len, const struct extract_state *state)
{
	struct extract_state st = *state;
	struct extract_result r;
	struct buf b = {0};
	bool ends;

	buf_add(&b, text, len);
	buf_putc(&b, '\n');
	extract_text(b.bytes, b.len, false, &st, &r);
	ends = r.consumed > 0 || !r.open;
	extract_free(&r);
	buf_free(&b);
	return ends;
}

/* What waits says of len bytes at text, of which it knows all but the last
 * step, what extract_text says of all of them. False: it has ended. */
static bool
still_waits(struct extract_open *w, const struct extract_state *state,
    const char *text, size_t len)
{
	struct extract_state st = *state;
	struct extract_result r;
	bool ended = false;

	if (w->seen <= w->at || extract_peek(w, text + w->seen, len - w->seen))
		ended = extract_ended(w, state, text + w->at, len - w->at);
	extract_text(text, len, false, &st, &r);
	if (ended == (r.consumed == 0 && r.open))
		fail_msg("%.*s: %s", (int)len, text, ended ? "ended" : "open");
	extract_free(&r);
	if (ended)
		return false;
	assert_int_equal(w->seen, len);
	if (w->seen > w->at)
		assert_int_equal(extract_tail_ends(w, state, text + w->at),
		    ends_with_line(text, len, state));
	return true;
}

/* The same, piece by piece, and looking only at what is new. */
static void
same_when_waiting(const char *text, size_t len, size_t step)
{
	struct extract_state st = {0};
	struct extract_open w;
	size_t done = 0;
	bool waits = false;

	for (size_t have = step; have <= len; have += step) {
		struct extract_result r;

		if (waits && still_waits(&w, &st, text + done, have - done))
			continue;
		extract_text(text + done, have - done, false, &st, &r);
		done += r.consumed;
		w = r.waiting;
		waits = r.waits;
		assert_int_equal(r.open, r.waits);
		extract_free(&r);
	}
}

static void
same_when_cut_once(const char *text, size_t len)
{
	struct buf whole = {0}, part = {0};

	feed(text, len, len, 1, &whole);
	for (size_t cut = 0; cut <= len; cut++) {
		buf_clear(&part);
		feed(text, len, cut, len, &part);
		assert_int_equal(part.len, whole.len);
		assert_memory_equal(part.len > 0 ? part.bytes : "",
		    whole.len > 0 ? whole.bytes : "", whole.len);
	}
	buf_clear(&part);
	feed(text, len, 0, 1, &part);
	assert_int_equal(part.len, whole.len);
	if (whole.len > 0)
		assert_memory_equal(part.bytes, whole.bytes, whole.len);
	buf_free(&whole);
	buf_free(&part);
}

static void
same_when_cut(const char *text, size_t len)
{
	for (size_t step = 1; step < 30; step += 7)
		same_when_waiting(text, len, step);
	same_when_cut_once(text, len);
}

struct want {
	const char *name;
	const char *text;
	const char *blocks[4]; /* author, '!' where quoted, ':', content */
};

static const struct want wants[] = {
    {"a fence", "x\n```json\n{}\n```\ny\n", {":{}\n"}},
    {"tildes, a longer closing one", "~~~ yaml\na: 1\n~~~~~\n", {":a: 1\n"}},
    {"a shorter run is content", "````\n```\n````\n", {":```\n"}},
    {"the other mark is content", "```\n~~~\n```\n", {":~~~\n"}},
    {"a closing fence has no info", "```\n```json\n```\n", {":```json\n"}},
    {"a span in backticks is none", "```a``` b\n{}\n", {":{}"}},
    {"tildes may have backticks in the info", "~~~ a`b\nx\n~~~\n", {":x\n"}},
    {"indent is taken off", "   ```\n   a\n     b\n  c\n   ```\n",
	{":a\n  b\nc\n"}},
    {"four columns are code", "a\n\n    ```\n    b\n    ```\n", {NULL}},
    {"deeper inside a list", "1. a\n\n     ```\n     b\n     ```\n", {":b\n"}},
    {"behind a list marker", "- ```json\n  {}\n  ```\n- c\n", {":{}\n"}},
    {"a tab is four columns", "- a\n\n\t```\n\tb\n\t```\n", {":b\n"}},
    {"a list ends", "- a\n\nb\n\n     ```\n     c\n     ```\n", {NULL}},
    {"CRLF", "```json\r\n{}\r\n```\r\nx\r\n", {":{}\r\n"}},
    {"BOM", "\xef\xbb\xbf{\"a\":1}\n", {":{\"a\":1}"}},
    {"an open fence at the end", "```\na\nb", {":a\nb"}},
    {"an object", "text\n{\"a\": {\"b\": \"}\"}}\nmore\n",
	{":{\"a\": {\"b\": \"}\"}}"}},
    {"over lines", "{\n \"a\": \"\\\"{\"\n}\nx\n",
	{":{\n \"a\": \"\\\"{\"\n}"}},
    {"not within a line", "see {\"a\":1} there\n", {NULL}},
    {"an array is one block", "[\n  {\"a\":1},\n  {\"b\":2}\n]\n",
	{":[\n  {\"a\":1},\n  {\"b\":2}\n]"}},
    {"a link is none", "[x](y)\n{\"a\":1}\n", {":{\"a\":1}"}},
    {"closed too early is not cut short", "{\"a\":{}},\n\"b\":{}\n}\nx\n",
	{":{\"a\":{}},\n\"b\":{}"}},
    {"closed too early, no brackets behind", "{\"a\":{}},\n\"b\":1\n}\nx\n",
	{":{\"a\":{}},\n\"b\":1\n}"}},
    {"prose in braces holds to the blank line", "{name is\n\n{\"a\":1}\n",
	{":{name is\n", ":{\"a\":1}"}},
    {"unbalanced up to a heading", "{\"a\":[\n\n## User\n{\"b\":1}\n",
	{":{\"a\":[\n\n", "user:{\"b\":1}"}},
    {"unbalanced up to a fence", "{\"a\":[\n```\nb\n```\n",
	{":{\"a\":[\n", ":b\n"}},
    {"unbalanced up to the next object", "{\"a\":[\n\n{\"b\":1}\n",
	{":{\"a\":[\n\n", ":{\"b\":1}"}},
    {"a list marker as the last byte", "{\"a\":\n- ", {":{\"a\":\n- "}},
    {"unbalanced at the end", "{\"a\":\n", {":{\"a\":\n"}},
    {"a fence cut off by the next message",
	"## Assistant\n```json\n{\"a\":\n\n## User\n```json\n{}\n```\n",
	{"assistant:{\"a\":\n\n", "user:{}\n"}},
    {"a quoted transcript is one fence",
	"````md\n## User\n```json\n{}\n```\n````\n",
	{":## User\n```json\n{}\n```\n"}},
    {"a block quote", "> ```json\n> {}\n> ```\n{\"a\":1}\n",
	{"!:{}\n", ":{\"a\":1}"}},
    {"a block quote that ends", "> ```\n> a\nb\n```\nc\n```\n",
	{"!:a\n", ":c\n"}},
    {"a quoted object", "> {\"a\":\n> 1}\n", {"!:{\"a\":\n1}"}},
    {"a summary",
	"<!-- patchflow:summary a@M,1 -->\n```\nx\n```\n"
	"<!-- patchflow:end a@M,1 -->\n```\ny\n```\n",
	{"!:x\n", ":y\n"}},
    {"another's end does not end it",
	"<!-- patchflow:summary a@M,1 -->\n<!-- patchflow:end b@M,1 -->\n"
	"{\"x\":1}\n<!-- patchflow:end a@M,1 -->\n{\"y\":1}\n",
	{"!:{\"x\":1}", ":{\"y\":1}"}},
    {"a summary behind an open fence",
	"```json\n{\n<!-- patchflow:summary a@M,1 -->\n"
	"<!-- patchflow:end a@M,1 -->\n{\"y\":1}\n",
	{":{\n", ":{\"y\":1}"}},
    {"headings name authors",
	"## User\n{\"a\":1}\n**Assistant:**\n{\"b\":1}\n_**User**_\n"
	"{\"c\":1}\nAssistant:\n{\"d\":1}\n",
	{"user:{\"a\":1}", "assistant:{\"b\":1}", "user:{\"c\":1}",
	    "assistant:{\"d\":1}"}},
    {"more authors",
	"### \xf0\x9f\xa4\x96 ChatGPT said:\n{\"a\":1}\nHuman: do it\n"
	"{\"b\":1}\n## System (12:30)\n{\"c\":1}\n**Cursor**\n{\"d\":1}\n",
	{"assistant:{\"a\":1}", "user:{\"b\":1}", "system:{\"c\":1}",
	    "assistant:{\"d\":1}"}},
    {"other headings do not",
	"## Assistant\n## User management\n**System:** Linux\nUsers: 3\n"
	"System: Linux\n{\"a\":1}\n",
	{"assistant:{\"a\":1}"}},
    {"an aider history",
	"# aider chat started at 2026\n\n#### fix it\n\n```\na\n```\n",
	{"assistant:a\n"}},
    {"four hashes elsewhere", "## User\n#### x\n\n{\"a\":1}\n",
	{"user:{\"a\":1}"}},
    {"no UTF-8", "```\n\xff\xfe\n```\n", {":\xff\xfe\n"}},
    {"an info that is no text", "```js\x01\xff\nx\n```\n", {":x\n"}},
};

static void
check_want(const struct want *w)
{
	struct extract_state st = {0};
	struct extract_result r;
	struct buf b = {0};
	size_t n = 0;

	extract_text(w->text, strlen(w->text), true, &st, &r);
	for (; n < LENGTH(w->blocks) && w->blocks[n] != NULL; n++) {
		if (n >= r.count)
			break;
		buf_clear(&b);
		buf_printf(&b, "%s%s:%s", r.blocks[n].author,
		    r.blocks[n].quoted ? "!" : "", r.blocks[n].text);
		if (strcmp(b.bytes, w->blocks[n]) != 0)
			fail_msg("%s: block %zu is <%s>, not <%s>", w->name, n,
			    b.bytes, w->blocks[n]);
	}
	if (r.count != n || (n < LENGTH(w->blocks) && w->blocks[n] != NULL))
		fail_msg("%s: %zu blocks", w->name, r.count);
	assert_int_equal(r.consumed, strlen(w->text));
	assert_false(r.open);
	extract_free(&r);
	buf_free(&b);
}

static void
takes_what_a_reader_takes(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(wants); i++)
		check_want(&wants[i]);
}

static void
same_blocks_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(wants); i++)
		same_when_cut(wants[i].text, strlen(wants[i].text));
}

/* Texts put together from lines that matter. */
static void
same_blocks_of_generated_text(void **state)
{
	static const char *const lines[] = {"", "", "prose", "```", "```json",
	    "~~~", "````", "  ```", "- item", "1. item", "   deep", "\ttab",
	    "     ```", "> quote", "> ```", "> {\"a\":1}", ">> b", "{", "}",
	    "{\"a\": 1}", "{\"a\": [", "]}", "},", "  \"k\": \"v\",", "[", "]",
	    "[{", "{x", "## User", "**Assistant:**", "User: hi",
	    "<!-- patchflow:summary a@M,1 -->", "<!-- patchflow:end a@M,1 -->",
	    "<!-- patchflow:summary b@M,1 -->", "# aider chat started at 1",
	    "#### ask", "- ```yaml", "a: 1\r", "\xff", "\"unclosed", "\\\"{",
	    "- {\"a\":1}", "> - ```", "---"};
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct buf b = {0};

		for (int i = 0; i < 12; i++) {
			seed = seed * 1664525 + 1013904223;
			buf_puts(&b, lines[(seed >> 8) % LENGTH(lines)]);
			if (i < 11 || round % 3 != 0)
				buf_putc(&b, '\n');
		}
		if (round % 50 == 7)
			buf_add(&b, "\0{\"a\"\0}\n", 8);
		same_when_cut(b.bytes, b.len);
		buf_free(&b);
	}
}

static void
waits_for_the_rest(void **state)
{
	static const char text[] = "a\n```json\n{}\n";
	struct extract_state st = {0};
	struct extract_result r;

	(void)state;
	extract_text(text, strlen(text), false, &st, &r);
	assert_int_equal(r.count, 0);
	assert_int_equal(r.consumed, 2);
	assert_true(r.open);
	extract_free(&r);
	extract_text("no line end", 11, false, &st, &r);
	assert_int_equal(r.consumed, 0);
	assert_false(r.open);
	extract_free(&r);
	extract_text("{\"a\": 1}", 8, false, &st, &r);
	assert_int_equal(r.consumed, 0);
	extract_free(&r);
}

/* A line that has no end yet, longer than is looked at again. */
static void
a_long_line_is_looked_at_once(void **state)
{
	struct buf b = {0};
	struct extract_state st = {0};
	struct extract_result r;
	struct extract_open w;

	(void)state;
	buf_puts(&b, "{\"a\": \"");
	while (b.len < 2 * EXTRACT_TAIL_MAX)
		buf_puts(&b, "}\\\"");
	extract_text(b.bytes, b.len, false, &st, &r);
	assert_true(r.waits && !r.open);
	w = r.waiting;
	extract_free(&r);
	assert_int_equal(w.seen, b.len);
	assert_false(extract_tail_ends(&w, &st, NULL));
	assert_false(extract_peek(&w, "\"} ", 3));
	assert_true(extract_tail_ends(&w, &st, NULL));
	assert_false(extract_peek(&w, ", \"", 3));
	assert_false(extract_tail_ends(&w, &st, NULL));
	assert_true(extract_peek(&w, "\"}\n", 3));
	buf_free(&b);
}

static void
places_are_of_the_text(void **state)
{
	static const char text[] = "a\n\n- ```json\n  {}\n  ```\n{\"b\":1}\n";
	struct extract_state st = {0};
	struct extract_result r;

	(void)state;
	extract_text(text, strlen(text), true, &st, &r);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.blocks[0].kind, EXTRACT_FENCED);
	assert_int_equal(r.blocks[0].line, 4);
	assert_int_equal(r.blocks[0].indent, 2);
	assert_int_equal(r.blocks[0].offset, 13);
	assert_int_equal(r.blocks[0].end, 24);
	assert_string_equal(r.blocks[0].info, "json");
	assert_int_equal(r.blocks[1].kind, EXTRACT_BARE);
	assert_int_equal(r.blocks[1].line, 6);
	assert_int_equal(r.blocks[1].offset, 24);
	assert_int_equal(r.blocks[1].end, 32);
	extract_free(&r);
}

static void
a_summary_without_end_is_none(void **state)
{
	struct buf b = {0};
	struct extract_state st = {0};
	struct extract_result r;

	(void)state;
	buf_puts(&b, "<!-- patchflow:summary a@M,1 -->\n{\"a\":1}\n");
	while (b.len <= EXTRACT_SUMMARY_MAX + 100)
		buf_puts(&b, "prose that goes on and on\n");
	buf_puts(&b, "{\"b\":1}\n");
	extract_text(b.bytes, b.len, true, &st, &r);
	assert_int_equal(r.count, 2);
	assert_true(r.blocks[0].quoted);
	assert_false(r.blocks[1].quoted);
	extract_free(&r);
	buf_free(&b);
}

static void
state_survives_as_json(void **state)
{
	struct extract_state st = {.author = "user",
				 .in_summary = true,
				 .summary_ref = "gr\xc3\xbc\xc3\x9f@M,1",
				 .summary_bytes = 99,
				 .list = 4,
				 .aider = true,
				 .begun = true},
			     again;
	json_t *v = extract_state_json(&st);

	(void)state;
	assert_non_null(v);
	extract_state_load(&again, v);
	json_decref(v);
	assert_string_equal(again.author, "user");
	assert_string_equal(again.summary_ref, st.summary_ref);
	assert_true(again.in_summary && again.aider && again.begun);
	assert_false(again.blank);
	assert_int_equal(again.list, 4);
	assert_int_equal(again.summary_bytes, 99);
	extract_state_load(&again, NULL);
	assert_string_equal(again.author, "");
	assert_false(again.begun);
}

/* Milliseconds for n blocks of every kind. */
static int64_t
time_blocks(int n)
{
	struct buf b = {0};
	struct extract_state st = {0};
	struct extract_result r;
	int64_t from;

	for (int i = 0; i < n; i++)
		buf_printf(&b,
		    "## Assistant\n\nHere:\n\n```json\n{\"id\": \"p%d\",\n"
		    "\"mutations\": []}\n```\n\n{\"b\": %d}\n\n> ```\n> q\n\n"
		    "1. x\n\n   ~~~yaml\n   a: 1\n   ~~~\n\n",
		    i, i);
	from = clock_mono_ms();
	extract_text(b.bytes, b.len, true, &st, &r);
	from = clock_mono_ms() - from;
	assert_int_equal(r.count, 4 * n);
	extract_free(&r);
	buf_free(&b);
	return from;
}

static void
time_is_linear(void **state)
{
	int64_t few = time_blocks(1000), many = time_blocks(32000);

	(void)state;
	print_message("# 4000 blocks in %d ms, 128000 in %d ms\n", (int)few,
	    (int)many);
	/* 32 times the text; quadratic would be 1024 times the time. */
	assert_true(many < 200 * (few + 5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_what_a_reader_takes),
	    cmocka_unit_test(same_blocks_at_every_cut),
	    cmocka_unit_test(same_blocks_of_generated_text),
	    cmocka_unit_test(waits_for_the_rest),
	    cmocka_unit_test(a_long_line_is_looked_at_once),
	    cmocka_unit_test(places_are_of_the_text),
	    cmocka_unit_test(a_summary_without_end_is_none),
	    cmocka_unit_test(state_survives_as_json),
	    cmocka_unit_test(time_is_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
