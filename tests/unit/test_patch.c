/* SPDX-License-Identifier: ISC */
/*
 * Patches: each refusal's reason and place, identity, warnings, bounds, and
 * what is meant as a patch at all.
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
#include "common/patch.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text;
	enum patch_reason reason;
	const char *path;
	const char *error; /* a part of it */
} refusals[] = {
    {"{", PATCH_MALFORMED, "", "end of the text"},
    {"just prose", PATCH_MALFORMED, "", "plain text"},
    {"[{id: a}]", PATCH_INVALID, "", "list"},
    {"id: a", PATCH_NOT_EXECUTABLE, "", "nothing to do"},
    {"id: a\nmutations: []", PATCH_NOT_EXECUTABLE, "", "nothing to do"},
    {"id: a\nmutations: [{op: noop}]", PATCH_NOT_EXECUTABLE, "", "nothing"},
    {"id: a\npatch: {test: data}", PATCH_NOT_EXECUTABLE, "", "nothing"},
    {"id: a\nphases: [{actions: [do it]}]", PATCH_NOT_EXECUTABLE, "phases",
	"prose"},
    {"id: a\nphases: [{executionSteps: [do it]}]\npostMutationBuild: [x]",
	PATCH_NOT_EXECUTABLE, "phases", "prose"},
    {"id: a\nphases: [{actions: [do it]}]\nmutations: {shell: [x]}",
	PATCH_NOT_EXECUTABLE, "phases", "prose"},
    {"id: a\ntarget_file: f\nrole: system\npatch: some text",
	PATCH_NOT_EXECUTABLE, "patch", "does not say"},
    {"id: a\nmutations: [{file: f, code_edit: '// ... existing code ...'}]",
	PATCH_NOT_EXECUTABLE, "mutations[0].code_edit", "sketch"},
    {"id: a\nmutations: [{path: f, contents: \"a\\n// ... existing code"
     " ...\\nb\"}]",
	PATCH_NOT_EXECUTABLE, "mutations[0].contents", "leave out"},
    {"id: ''\nshell: x", PATCH_INVALID, "id", "an id must have"},
    {"id: \"a\\nb\"\nshell: x", PATCH_INVALID, "id", "control"},
    {"id: 1.5\nshell: x", PATCH_INVALID, "id", "quote it"},
    {"patch: {id: [], shell: x}", PATCH_INVALID, "patch.id", "quote it"},
    {"canonical: 2\nid: a\nshell: x", PATCH_INVALID, "canonical", "version 1"},
    {"id: a\nmutations: x", PATCH_INVALID, "mutations", "list"},
    {"id: a\nmutations: [x]", PATCH_INVALID, "mutations[0]", "mapping"},
    {"id: a\nmutations: [{path: f}]", PATCH_INVALID, "mutations[0]",
	"what to do with f"},
    {"id: a\nmutations: [{contents: x}]", PATCH_INVALID, "mutations[0]",
	"no path"},
    {"id: a\nmutations: [{path: f, contents: {a: 1}}]", PATCH_INVALID,
	"mutations[0].contents", "must be text"},
    {"id: a\nmutations: [{path: '', delete: true}]", PATCH_INVALID,
	"mutations[0].path", "empty"},
    {"id: a\nmutations: [{path: ., delete: true}]", PATCH_INVALID,
	"mutations[0].path", "no file"},
    {"id: a\nmutations: [{path: a/../../b, delete: true}]", PATCH_FORBIDDEN,
	"mutations[0].path", "leave the workspace"},
    {"id: a\nmutations: [{path: ~/b, delete: true}]", PATCH_INVALID,
	"mutations[0].path", "home"},
    {"id: a\nmutations: [{path: \"a\\tb\", delete: true}]", PATCH_INVALID,
	"mutations[0].path", "control"},
    {"id: a\nmutations: [{path: 5, delete: true}]", PATCH_INVALID,
	"mutations[0].path", "text"},
    {"id: a\nmutations: [{path: f, rename: ../g}]", PATCH_FORBIDDEN,
	"mutations[0].rename", "leave"},
    {"id: a\nmutations: [{op: move, target: f}]", PATCH_INVALID,
	"mutations[0].target", "the old one"},
    {"id: a\nmutations: [{path: f, contents: x, delete: true}]", PATCH_INVALID,
	"mutations[0]", "does not go with"},
    {"id: a\nmutations: [{op: delete, path: f, contents: x}]", PATCH_INVALID,
	"mutations[0]", "does not go with"},
    {"id: a\nmutations: [{path: f, contents: x, pattern: y}]", PATCH_INVALID,
	"mutations[0]", "does not go with"},
    {"id: a\nmutations: [{op: explode, path: f}]", PATCH_INVALID,
	"mutations[0]", "nobody knows"},
    {"id: a\nmutations: [{path: f, chmod: 755}]", PATCH_INVALID,
	"mutations[0].chmod", "ambiguous"},
    {"id: a\nmutations: [{path: f, chmod: '9'}]", PATCH_INVALID,
	"mutations[0].chmod", "octal"},
    {"id: a\nmutations: [{path: f, chmod: '4755'}]", PATCH_FORBIDDEN,
	"mutations[0].chmod", "set-user-id"},
    {"id: a\nmutations: [{path: f, contents: '%', encoding: base64}]",
	PATCH_INVALID, "mutations[0].contents", "base64"},
    {"id: a\nmutations: [{path: f, contents: x, encoding: rot13}]",
	PATCH_INVALID, "mutations[0].encoding", "base64"},
    {"id: a\nmutations: [{path: f, edits: []}]", PATCH_INVALID,
	"mutations[0].edits", "empty"},
    {"id: a\nmutations: [{path: f, edits: [{find: x}]}]", PATCH_INVALID,
	"mutations[0].edits[0]", "replacement"},
    {"id: a\nmutations: [{path: f, edits: [{find: '', replace: x}]}]",
	PATCH_INVALID, "mutations[0].edits[0].find", "not empty"},
    {"id: a\nmutations: [{path: f, edits: [{find: x, replace: y, count:"
     " -1}]}]",
	PATCH_INVALID, "mutations[0].edits[0].count", "count"},
    {"id: a\nmutations: [{path: f, pattern: x, replacement: y, flags: z}]",
	PATCH_INVALID, "mutations[0].flags", "letter"},
    {"id: a\nmutations: [{path: f, pattern: x, replacement: y, flags: gx}]",
	PATCH_INVALID, "mutations[0].flags", "\"gx\""},
    {"id: a\nmutations: [{path: f, diff: words}]", PATCH_INVALID,
	"mutations[0]", "not a unified diff"},
    {"id: a\nmutations: [{path: f, diff: \"*** Begin Patch\\n*** Update File:"
     " f\\n\"}]",
	PATCH_INVALID, "mutations[0]", "edit format"},
    {"id: a\nmutations: [{path: f, diff: '@@'}]", PATCH_INVALID, "mutations[0]",
	"changes nothing"},
    {"id: a\nmutations: [{path: f, diff: \"--- a/f\\n+++ b/f\\n@@\\n-a\\nb\\n"
     "+c\\n\"}]",
	PATCH_INVALID, "mutations[0]", "line 5 of the diff"},
    {"id: a\nmutations: [{path: f, diff: \"--- a/f\\n+++ "
     "b/f\\n@@\\n-a\\n\\0b\\n"
     "+c\\n\"}]",
	PATCH_MALFORMED, "", "NUL"},
    {"id: a\nmutations: [{diff: \"@@\\n-a\\n+b\\n\"}]", PATCH_INVALID,
	"mutations[0]", "of which file"},
    {"id: a\nmutations: [{path: f, diff: \"--- a/g\\n+++ b/g\\n@@\\n-a\\n+b\\n"
     "\"}]",
	PATCH_INVALID, "mutations[0]", "for g, but path is f"},
    {"id: a\nmutations: [{path: f, diff: \"--- a/f\\n+++ b/f\\n@@\\n-a\\n+b\\n"
     "--- a/g\\n+++ b/g\\n@@\\n-a\\n+b\\n\"}]",
	PATCH_INVALID, "mutations[0]", "several files"},
    {"id: a\nmutations: [{path: g, diff: \"diff --git a/f b/g\\nrename from f"
     "\\nrename to g\\n\"}]",
	PATCH_INVALID, "mutations[0]", "renames"},
    {"id: a\nmutations: [{diff: \"diff --git a/f b/g\\ncopy from f\\ncopy to g"
     "\\n\"}]",
	PATCH_INVALID, "mutations[0]", "copies"},
    {"id: a\nmutations: [{diff: \"diff --git a/f b/f\\nindex 1..2\\nGIT binary"
     " patch\\nliteral 0\\n\"}]",
	PATCH_INVALID, "mutations[0]", "binary"},
    {"id: a\nmutations: [{diff: \"diff --git a/f b/f\\nindex 1..2\\nBinary "
     "files"
     " a/f and b/f differ\\n\"}]",
	PATCH_INVALID, "mutations[0]", "binary"},
    {"id: a\nmutations: [{diff: \"--- a/f\\n+++ b/f\\n@@@ -1 -1 +1 "
     "@@@\\n--a\\n++b\\n\"}]\n",
	PATCH_INVALID, "mutations[0]", "combined"},
    {"id: a\nmutations: [{path: f, diff: \"diff --cc f\\n@@@ -1 -1 +1 "
     "@@@\\n\"}]",
	PATCH_INVALID, "mutations[0]", "combined"},
    {"id: a\nmutations: [{diff: \"diff --git a/l b/l\\nnew file mode 120000\\n"
     "--- /dev/null\\n+++ b/l\\n@@ -0,0 +1 @@\\n+f\\n\"}]",
	PATCH_INVALID, "mutations[0]", "symbolic link"},
    {"id: a\nmutations: [{diff: \"diff --git a/f b/f\\nindex 1..1\\n\"}]",
	PATCH_INVALID, "mutations[0]", "changes nothing"},
    {"id: a\nmutations: [{diff: \"--- a/../f\\n+++ "
     "b/../f\\n@@\\n-a\\n+b\\n\"}]",
	PATCH_FORBIDDEN, "mutations[0]", ".."},
    {"id: a\nmutations: [{path: f, merge: [1]}]", PATCH_INVALID,
	"mutations[0].merge", "mapping"},
    {"id: a\nmutations: [{path: f, pattern: x}]", PATCH_INVALID, "mutations[0]",
	"replacement"},
    {"id: a\nshell: 5", PATCH_INVALID, "shell", "commands"},
    {"id: a\nvalidate: {shell: [[x]]}", PATCH_INVALID, "validate.shell[0]",
	"text"},
    {"id: a\nvalidate:\n  shell:\n  - x\n  - grep -q 'a: b' c", PATCH_INVALID,
	"validate.shell[1]", "text"},
    {"id: a\nvalidate: {shell: [x, true]}", PATCH_INVALID, "validate.shell[1]",
	"text"},
    {"id: a\nvalidate: [x, {name: y, exec: z}]", PATCH_INVALID, "validate[1]",
	"text"},
    {"id: a\nshell: x\ndependencies: [a]", PATCH_INVALID, "dependencies[0]",
	"itself"},
    {"id: a\nshell: x\ndependencies: [{}]", PATCH_INVALID, "dependencies[0]",
	"an id"},
    {"id: a\nshell: x\nlimits: {timeout: soon}", PATCH_INVALID,
	"limits.timeout", "span"},
    {"id: a\nshell: x\nlimits: {memory: -1}", PATCH_INVALID, "limits.memory",
	"size"},
    {"id: a\nshell: x\nlimits: {cpus: 1}", PATCH_INVALID, "limits.cpus",
	"does not exist"},
    {"id: a\nshell: x\nexpires: tomorrow", PATCH_INVALID, "expires",
	"time like"},
    {"id: a\nshell: x\nbase: {a/b.c: md5}", PATCH_INVALID, "base[\"a/b.c\"]",
	"sha256"},
    {"id: a\nshell: x\nfinal: {git: {commit: [x]}}", PATCH_INVALID,
	"final.git.commit", "text"},
    {"id: a\nshell: x\nbranch: [x]", PATCH_INVALID, "branch", "name"},
};

static void
refusals_say_what_where_and_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(refusals); i++) {
		const char *text = refusals[i].text;
		struct patch_result r;
		struct doc_error err;

		patch_read(text, strlen(text), &r, &err);
		if (r.reason != refusals[i].reason ||
		    strcmp(r.path, refusals[i].path) != 0 ||
		    strstr(r.error, refusals[i].error) == NULL)
			fail_msg("%s\nis %s at %s: %s", text,
			    patch_reason_name[r.reason], r.path, r.error);
		assert_null(r.canonical);
		assert_true(err.line > 0);
		assert_true(key_id_valid(r.id));
		patch_result_free(&r);
	}
}

static void
an_id_is_there_in_every_case(void **state)
{
	static const struct {
		const char *text;
		const char *id; /* its beginning */
		bool declared;
	} cases[] = {
	    {"id: a\nshell: x", "a", true},
	    {"id: a\nshell: 5", "a", true},
	    {"id: in\nname: out\nshell: x", "in", true},
	    {"shell: x", "auto-", false},
	    {"shell: 5", "bad-", false},
	    {"id: \"\\n\"\nshell: x", "bad-", false},
	    {"{", "bad-", false},
	    {"final: {tag: t}\nphases: [x]", "t", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct patch_result r;
		struct doc_error err;

		patch_read(cases[i].text, strlen(cases[i].text), &r, &err);
		if (strncmp(r.id, cases[i].id, strlen(cases[i].id)) != 0 ||
		    r.id_declared != cases[i].declared)
			fail_msg("%s: %s", cases[i].text, r.id);
		patch_result_free(&r);
	}
}

static void
places_are_those_of_the_text(void **state)
{
	static const char text[] =
	    "# comment\nid: a\nmutations:\n  - path: ok\n    contents: x\n"
	    "  - path: ../no\n    contents: x\n";
	struct patch_result r;
	struct doc_error err;

	(void)state;
	patch_read(text, strlen(text), &r, &err);
	assert_int_equal(r.reason, PATCH_FORBIDDEN);
	assert_int_equal(err.line, 6);
	assert_int_equal(err.column, 11);
	assert_string_equal(err.reason, r.error);
	assert_true(r.hint[0] != '\0');
	patch_result_free(&r);
}

static void
the_same_in_other_words_is_a_duplicate(void **state)
{
	static const char *const same[] = {
	    "{\"id\": \"a\", \"mutations\": [{\"path\": \"b\", \"contents\":"
	    " \"c\\n\"}], \"showInUI\": true}",
	    "id: a\nrole: command_patch\nmutations:\n- contents: |\n    c\n"
	    "  path: ./b\n",
	    "{'blockId': 'a', 'mutations': [{'file': 'b', 'content':"
	    " \"c\\n\"}], 'watchConsole': False}",
	};
	char first[DIGEST_SIZE] = "";

	(void)state;
	for (size_t i = 0; i < LENGTH(same); i++) {
		struct patch_result r;
		struct doc_error err;

		patch_read(same[i], strlen(same[i]), &r, &err);
		assert_int_equal(r.reason, PATCH_OK);
		if (i == 0)
			memcpy(first, r.digest, sizeof(first));
		assert_string_equal(r.digest, first);
		patch_result_free(&r);
	}
}

static void
warnings_tell_what_is_not_done(void **state)
{
	static const char text[] =
	    "id: a\nmutations: [{path: f, contents: x}]\nphases: [{actions:"
	    " [p]}]\nrollback: x\npriority: soon\nversion: 1.10\nshowInUI: 1";
	struct patch_result r;
	struct doc_error err;
	struct buf all = {0};

	(void)state;
	buf_reserve(&all, 1);
	patch_read(text, strlen(text), &r, &err);
	assert_int_equal(r.reason, PATCH_OK);
	for (size_t i = 0; i < json_array_size(r.warnings); i++)
		buf_printf(&all, "%s;",
		    json_string_value(json_array_get(r.warnings, i)));
	/* The lack of a target is told by who knows the queues. */
	assert_int_equal(json_array_size(r.warnings), 4);
	assert_non_null(all.bytes);
	assert_non_null(strstr(all.bytes, "prose"));
	assert_non_null(strstr(all.bytes, "rollback"));
	assert_non_null(strstr(all.bytes, "priority"));
	assert_non_null(strstr(all.bytes, "version"));
	assert_int_equal(r.priority, 5);
	buf_free(&all);
	patch_result_free(&r);
}

static void
intent_is_what_the_top_says(void **state)
{
	static const struct {
		const char *text;
		enum patch_intent intent;
	} cases[] = {
	    {"role: command_patch", INTENT_PATCH},
	    {"{\"patch\": {\"role\": \"command_patch\"}}", INTENT_PATCH},
	    {"id: a\nmutations: []", INTENT_NEAR_MISS},
	    {"blockId: a\ncommands: []", INTENT_NEAR_MISS},
	    {"patchId: a\nphases: []", INTENT_NEAR_MISS},
	    {"name: a\nrole: user\nmutations: []", INTENT_NEAR_MISS},
	    {"patch: {id: a, phases: []}", INTENT_NEAR_MISS},
	    {"id: a\npatch: {mutations: []}", INTENT_NEAR_MISS},
	    {"patch: {id: a}\ncommands: []", INTENT_NEAR_MISS},
	    /* Any other key says no more than any other document. */
	    {"id: a\nrole: ui_patch\ntarget_file: f\npatch: {pattern: x}",
		INTENT_NONE},
	    {"final: {tag: a}\nphases: []", INTENT_NONE},
	    {"name: ci\nactions: []", INTENT_NONE},
	    {"name: ci\ntasks: []", INTENT_NONE},
	    {"id: a\nchanges: []", INTENT_NONE},
	    {"id: a\nshell: make", INTENT_NONE},
	    {"name: ci\nvalidate: true\nedits: 3", INTENT_NONE},
	    {"name: a\njobs: {mutations: []}", INTENT_NONE},
	    {"id: a\nrole: command_patches", INTENT_NONE},
	    {"data: {patch: {role: command_patch}}", INTENT_NONE},
	    {"events: [{role: command_patch}]", INTENT_NONE},
	    {"mutations: []", INTENT_NONE},
	    {"name: x\nage: 3", INTENT_NONE},
	    {"[1]", INTENT_NONE},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		enum doc_format format;
		struct doc_error err;
		json_t *v = doc_parse_any(cases[i].text, strlen(cases[i].text),
		    &format, &err);

		assert_non_null(v);
		if (patch_intent(v) != cases[i].intent)
			fail_msg("%s", cases[i].text);
		json_decref(v);
	}
	assert_int_equal(patch_intent(NULL), INTENT_NONE);
}

static void
intent_of_broken_text_is_guessed(void **state)
{
	static const struct {
		const char *text;
		enum patch_intent intent;
	} cases[] = {
	    {"{\"role\": \"command_patch\",", INTENT_PATCH},
	    {"{'role' : 'command_patch',", INTENT_PATCH},
	    {"{\xe2\x80\x9crole\xe2\x80\x9d: \xe2\x80\x9c"
	     "command_patch"
	     "\xe2\x80\x9d",
		INTENT_PATCH},
	    {"// p.json\n{\"id\": 1, \"role\":\"command_patch\"", INTENT_PATCH},
	    {"{\"patch\": {\"role\": \"command_patch\"", INTENT_PATCH},
	    {"# p\nid: a\nrole: command_patch # yes\nx: [", INTENT_PATCH},
	    {"---\nrole: \"command_patch\"\n\tx: [", INTENT_PATCH},
	    {"{\"role\": \"command_patch_not\"", INTENT_NONE},
	    {"{\"xrole\": \"command_patch\"", INTENT_NONE},
	    {"if (b[\"role\"] == \"command_patch\") {", INTENT_NONE},
	    {"const p = {role: 'command_patch'}", INTENT_NONE},
	    {"a: x (role: command_patch)\nb: [", INTENT_NONE},
	    {"a:\n  role: command_patch\nb: [", INTENT_NONE},
	    {"{\"a\": [{\"b\": {\"role\": \"command_patch\"", INTENT_NONE},
	    {"{\"id\": 1, \"phases\": [{\"b\": [{\"role\": \"command_patch\"",
		INTENT_NEAR_MISS},
	    {"{\"id\": \"a\", \"mutations\": [", INTENT_NEAR_MISS},
	    {"{\"name\": \"a\", \"commands\": [", INTENT_NEAR_MISS},
	    {"id: a\nmutations: [", INTENT_NEAR_MISS},
	    {"{\"name\": \"a\", \"tasks\": [", INTENT_NONE},
	    {"{\"tag\": \"a\", \"phases\": [", INTENT_NONE},
	    {"name: a\nactions: [", INTENT_NONE},
	    {"text:\n  id: a\n  mutations: [", INTENT_NONE},
	    {"", INTENT_NONE},
	    {"#", INTENT_NONE},
	    {"role:command_patch", INTENT_PATCH},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		if (patch_intent_text(cases[i].text, strlen(cases[i].text)) !=
		    cases[i].intent)
			fail_msg("%s", cases[i].text);
}

static void
priorities_are_words_or_digits(void **state)
{
	static const struct {
		const char *json;
		int digit;
	} cases[] = {{"\"critical\"", 1}, {"\"HIGH\"", 3}, {"\"normal\"", 5},
	    {"\"medium\"", 5}, {"\"low\"", 7}, {"\"0\"", 0}, {"9", 9},
	    {"10", -1}, {"-1", -1}, {"\"\"", -1}, {"\"55\"", -1}, {"null", -1},
	    {"1.0", -1}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		json_t *v = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);

		if (patch_priority(v) != cases[i].digit)
			fail_msg("%s", cases[i].json);
		json_decref(v);
	}
	assert_true(patch_target_is_both("both"));
	assert_false(patch_target_is_both("MAIN"));
}

static void
sizes_are_bounded(void **state)
{
	struct buf b = {0};
	struct patch_result r;
	struct doc_error err;

	(void)state;
	buf_puts(&b, "{\"id\": \"a\", \"mutations\": [");
	for (int i = 0; i < 10001; i++)
		buf_printf(&b, "%s{\"path\": \"f%d\", \"delete\": true}",
		    i > 0 ? "," : "", i);
	buf_puts(&b, "]}");
	patch_read(b.bytes, b.len, &r, &err);
	assert_string_equal(r.path, "mutations[10000]");
	patch_result_free(&r);
	buf_clear(&b);
	buf_puts(&b, "id: a\nshell: ");
	while (b.len < 140000)
		buf_puts(&b, "echo x; ");
	patch_read(b.bytes, b.len, &r, &err);
	assert_int_equal(r.reason, PATCH_INVALID);
	assert_non_null(strstr(r.error, "longer"));
	patch_result_free(&r);
	buf_free(&b);
}

static void
ten_mebibytes_are_normalised_at_once(void **state)
{
	struct buf b = {0};
	struct patch_result r;
	struct doc_error err;
	int64_t from;

	(void)state;
	buf_puts(&b, "{\"id\": \"a\", \"mutations\": [");
	for (int i = 0; i < 1000; i++) {
		buf_printf(&b, "%s{\"path\": \"f%d\", \"contents\": \"",
		    i > 0 ? "," : "", i);
		for (int k = 0; k < 350; k++)
			buf_puts(&b, "a line of some program text\\n");
		buf_puts(&b, "\"}");
	}
	buf_puts(&b, "]}");
	from = clock_mono_ms();
	patch_read(b.bytes, b.len, &r, &err);
	print_message("# %zu bytes in %d ms\n", b.len,
	    (int)(clock_mono_ms() - from));
	assert_int_equal(r.reason, PATCH_OK);
	assert_true(clock_mono_ms() - from < 10000);
	patch_result_free(&r);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refusals_say_what_where_and_why),
	    cmocka_unit_test(an_id_is_there_in_every_case),
	    cmocka_unit_test(places_are_those_of_the_text),
	    cmocka_unit_test(the_same_in_other_words_is_a_duplicate),
	    cmocka_unit_test(warnings_tell_what_is_not_done),
	    cmocka_unit_test(intent_is_what_the_top_says),
	    cmocka_unit_test(intent_of_broken_text_is_guessed),
	    cmocka_unit_test(priorities_are_words_or_digits),
	    cmocka_unit_test(sizes_are_bounded),
	    cmocka_unit_test(ten_mebibytes_are_normalised_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
