/* SPDX-License-Identifier: ISC */
/* What becomes of keys that are nearly ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/patch.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* What is refused, and where; each would replace the whole of f, or run the
 * command elsewhere than asked. */
static const struct {
	const char *text;
	const char *path;
	const char *error;
} refused[] = {
    {"mutations: [{path: f, contents: x, insert_after: y}]",
	"mutations[0].insert_after", "\"insertAfter\" is"},
    {"mutations: [{path: f, contents: x, insertat: 4}]",
	"mutations[0].insertat", "\"insertAfter\" is"},
    {"mutations: [{path: f, contents: x, Append: true}]", "mutations[0].Append",
	"\"append\" is"},
    {"mutations: [{path: f, contents: x, createOnly: true}]",
	"mutations[0].createOnly", "\"create\" is"},
    {"mutations: [{path: f, contents: x, create: 'yes'}]",
	"mutations[0].create", "true or false"},
    {"mutations: [{path: f, contents: x, baseSha256: y}]",
	"mutations[0].baseSha256", "\"base_sha256\" is"},
    {"mutations: [{path: f, contents: x, startLine: 4, endLine: 5}]",
	"mutations[0].startLine", "whole file"},
    {"mutations: [{path: f, content: x, anchor: y}]", "mutations[0].anchor",
	"whole file"},
    {"mutations: [{op: splice, path: f, contents: x}]", "mutations[0]",
	"nobody knows"},
    {"mutations: [{op: insert_before, path: f, contents: x}]", "mutations[0]",
	"insertBefore"},
    {"mutations: [{path: a/f, rename: a/f/b}]", "mutations[0].rename",
	"lies in"},
    {"commands: [{command: make, cwd: sub}]", "commands[0].cwd", "top"},
    {"commands: [{command: make, workdir: ..}]", "commands[0].workdir", "top"},
    {"validate: {cwd: sub, shell: [make]}", "validate.cwd", "top"},
    {"shell: x\ndepends_on: [a]", "depends_on[0]", "itself"},
    {"shell: x\ndependsOn: {}", NULL, NULL},
    {"mutations: [{path: f, contents: x, Append: ''}]", NULL, NULL},
    {"mutations: [{path: f, contents: x, insertions: 3}]", NULL, NULL},
    {"mutations: [{path: f, contents: x, before: '', line: null}]", NULL, NULL},
    {"mutations: [{path: f, contents: x, action: ''}]", NULL, NULL},
    {"mutations: [{path: f, contents: x, op: overwriteFile}]", NULL, NULL},
    {"mutations: [{path: f, contents: x, op: create_or_replace}]", NULL, NULL},
};

static bool
is_refused_as(const struct patch_result *r, const char *path, const char *error)
{
	return path == NULL
		   ? r->reason == PATCH_OK
		   : r->reason == PATCH_INVALID && strcmp(r->path, path) == 0 &&
			 strstr(r->error, error) != NULL;
}

static void
what_would_do_something_else_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(refused); i++) {
		struct patch_result r;
		struct doc_error err;
		char text[256];

		(void)snprintf(text, sizeof(text), "id: a\n%s",
		    refused[i].text);
		patch_read(text, strlen(text), &r, &err);
		if (!is_refused_as(&r, refused[i].path, refused[i].error))
			fail_msg("%s: %s: %s", text, r.path, r.error);
		patch_result_free(&r);
	}
}

/* A document with a harmless action, and its only warning; NULL for none. */
static const struct {
	const char *text;
	const char *warning;
} warned[] = {
    {"validte: {shell: [x]}", "validte is not known here and is not done, "
			      "validate would be"},
    {"dependancies: [b]", "dependencies would be"},
    {"Limits: {memory: 1M}", "limits would be"},
    {"expire: 2026-01-01T00:00:00Z", "expires would be"},
    {"dry_run: true", "dry_run is not known here and is not done"},
    {"patch: {id: b, mutation: [{path: g}], shell: y}", "mutations would be"},
    {"validate: {shel: [x]}", "validate holds no command"},
    {"final: {git: {comit: x}}", "neither commit nor tag"},
    {"validate: {shell: []}", NULL},
    {"final: {git: {commit: false}}", NULL},
    {"validte: null", NULL},
    {"comments: [x]", NULL},
    {"validated: false\nexpired: false", NULL},
    {"phase: 2\nnotes: x\nbuild: y\ntargets: [A]\ntesting: z", NULL},
    {"validation: {shell: [x]}\nexpires_at: 2026-01-01T00:00:00Z", NULL},
};

static void
what_is_only_left_out_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(warned); i++) {
		struct patch_result r;
		struct doc_error err;
		char text[256];
		const char *got;

		(void)snprintf(text, sizeof(text), "id: a\nshell: x\n%s",
		    warned[i].text);
		patch_read(text, strlen(text), &r, &err);
		assert_int_equal(r.reason, PATCH_OK);
		got = json_string_value(json_array_get(r.warnings, 0));
		if ((got == NULL) != (warned[i].warning == NULL) ||
		    json_array_size(r.warnings) > 1 ||
		    (got != NULL && strstr(got, warned[i].warning) == NULL))
			fail_msg("%s: %s", text, got != NULL ? got : "silence");
		patch_result_free(&r);
	}
}

static void
depends_on_is_a_dependency(void **state)
{
	static const char *const keys[] = {"depends_on", "dependsOn"};

	(void)state;
	for (size_t i = 0; i < LENGTH(keys); i++) {
		struct patch_result r;
		struct doc_error err;
		char text[64];
		json_t *list;

		(void)snprintf(text, sizeof(text), "id: a\nshell: x\n%s: [b]",
		    keys[i]);
		patch_read(text, strlen(text), &r, &err);
		list = json_object_get(r.canonical, "dependencies");
		assert_int_equal(json_array_size(list), 1);
		patch_result_free(&r);
	}
}

static void
none_is_no_dependency(void **state)
{
	static const char *const words[] = {"depends_on: none",
	    "dependsOn: [None]", "depends_on: ''", "dependencies: none"};

	(void)state;
	for (size_t i = 0; i < LENGTH(words); i++) {
		struct patch_result r;
		struct doc_error err;
		char text[64];

		(void)snprintf(text, sizeof(text), "id: a\nshell: x\n%s",
		    words[i]);
		patch_read(text, strlen(text), &r, &err);
		assert_int_equal(r.reason, PATCH_OK);
		assert_null(json_object_get(r.canonical, "dependencies"));
		patch_result_free(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_would_do_something_else_is_refused),
	    cmocka_unit_test(what_is_only_left_out_is_told),
	    cmocka_unit_test(depends_on_is_a_dependency),
	    cmocka_unit_test(none_is_no_dependency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
