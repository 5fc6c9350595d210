/* SPDX-License-Identifier: ISC */
/*
 * The tolerant front: each shape's canonical form, each refusal's reason and
 * place, what is meant as a patch.
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

/* A document and a part of the canonical form that it must have. */
static const struct {
	const char *text;
	const char *form; /* each key in it must be equal */
} forms[] = {
    {"{id: a, mutations: [{path: b, contents: c}]}",
	"{'canonical': 1, 'role': 'command_patch', 'id': 'a', 'target': [],"
	" 'priority': 5, 'mutations': [{'op': 'write', 'path': 'b',"
	" 'contents': 'c'}]}"},
    {"blockId: a\nmutations: {path: b, contents: c}",
	"{'id': 'a', 'mutations': [{'op': 'write', 'path': 'b',"
	" 'contents': 'c'}]}"},
    {"patchId: a\nmutations: [{file: b, content: c}]",
	"{'id': 'a', 'mutations': [{'op': 'write', 'path': 'b',"
	" 'contents': 'c'}]}"},
    {"patch: {id: a, mutations: [{path: b, contents: c}]}",
	"{'id': 'a', 'mutations': [{'op': 'write', 'path': 'b',"
	" 'contents': 'c'}]}"},
    {"id: o\nrole: command_patch\ntarget_file: /q/o.json\npatch:\n"
     "  blockId: i\n  target: DEV\n  mutations: [{path: b, contents: c}]",
	"{'id': 'o', 'target': ['DEV'], 'mutations': [{'op': 'write',"
	" 'path': 'b', 'contents': 'c'}]}"},
    {"name: a\nmutations: {shell: [x, y]}",
	"{'id': 'a', 'mutations': [{'op': 'command', 'command': 'x'},"
	" {'op': 'command', 'command': 'y'}]}"},
    {"id: a\nmutations: [{shell: [x], description: d}, {path: b, delete:"
     " true}]",
	"{'mutations': [{'op': 'command', 'command': 'x'},"
	" {'op': 'delete', 'path': 'b'}]}"},
    {"final: {tag: v1}\nshell: x", "{'id': 'v1', 'final': {'git': {'tag':"
				   " 'v1'}}}"},
    {"final: {git: {tag: \"v$(date +%y)\"}}\nshell: x",
	"{'id': 'v$(date +%y)'}"},
    {"id: 42\nshell: x", "{'id': '42'}"},
    {"meta: {blockId: m}\nshell: x", "{'id': 'm'}"},
    /* H1: a pattern over the target file; H6: over several. */
    {"id: a\nrole: ui_patch\ntarget_file: f\npatch: {pattern: x,"
     " replacement: y}",
	"{'mutations': [{'op': 'regex', 'path': 'f', 'pattern': 'x',"
	" 'replacement': 'y', 'flags': 'gm'}]}"},
    {"id: a\nagent: BRAUN\ntargets: [d/e, d/f]\npatch: {pattern: x,"
     " replacement: y}",
	"{'target': ['BRAUN'], 'mutations': [{'op': 'regex', 'path': 'd/e',"
	" 'pattern': 'x', 'replacement': 'y', 'flags': 'gm'}, {'op':"
	" 'regex', 'path': 'd/f', 'pattern': 'x', 'replacement': 'y',"
	" 'flags': 'gm'}]}"},
    {"id: a\nmutations: [{path: f, pattern: x, replacement: y, flags: mg}]",
	"{'mutations': [{'op': 'regex', 'path': 'f', 'pattern': 'x',"
	" 'replacement': 'y', 'flags': 'gm'}]}"},
    {"id: a\nmutations: [{target_file: f, patch: {pattern: x, replacement:"
     " y}}]",
	"{'mutations': [{'op': 'regex', 'path': 'f', 'pattern': 'x',"
	" 'replacement': 'y', 'flags': ''}]}"},
    {"id: a\nmutations: [{file: f, transform: {type: regex, regex: x,"
     " replacement: y}}]",
	"{'mutations': [{'op': 'regex', 'path': 'f', 'pattern': 'x',"
	" 'replacement': 'y', 'flags': ''}]}"},
    {"id: a\nrole: command_patch\ntarget_file: l.log\npatch: echo x",
	"{'mutations': [{'op': 'command', 'command': 'echo x'}]}"},
    {"id: a\ntarget_file: f\npatch: {mutations: [{path: g, contents: ''}]}",
	"{'mutations': [{'op': 'write', 'path': 'g', 'contents': ''}]}"},
    /* U1, A1, T1, C1. */
    {"id: a\ntype: unified\ntarget: {file: f, role: test}\ncontent: {type:"
     " file, data: x}\nexecution: {timeout: 30000, priority: high}",
	"{'target': [], 'priority': 3, 'limits': {'timeout_ms': 30000},"
	" 'mutations': [{'op': 'write', 'path': 'f', 'contents': 'x'}]}"},
    {"id: a\nactions: [{type: file_operation, operation: create, target:"
     " f, content: x}]",
	"{'mutations': [{'op': 'write', 'path': 'f', 'contents': 'x'}]}"},
    {"id: a\ntasks:\n- {task: writeFile, file: f, content: x}\n- {task:"
     " moveFile, source: f, destination: g}\n- {task: runShellCommand,"
     " command: ls}",
	"{'mutations': [{'op': 'write', 'path': 'f', 'contents': 'x'},"
	" {'op': 'rename', 'path': 'f', 'rename': 'g'}, {'op': 'command',"
	" 'command': 'ls'}]}"},
    {"id: a\npayload: {inline: {ops: [{op: writeFile, path: f, content:"
     " x}]}}\nexpires_at: 2026-01-01T01:00:00+01:00",
	"{'mutations': [{'op': 'write', 'path': 'f', 'contents': 'x'}],"
	" 'expires': '2026-01-01T00:00:00.000Z'}"},
    /* Edits in the words of many tools. */
    {"id: a\nmutations: [{type: search_replace, target: f, old_string: x,"
     " new_string: y}]",
	"{'mutations': [{'op': 'edit', 'path': 'f', 'edits': [{'find': 'x',"
	" 'replace': 'y', 'count': 1}]}]}"},
    {"id: a\nmutations:\n- type: file_update\n  target: f\n  changes:\n  -"
     " {type: replace, search: x, replace: y}\n  - {type: add_after, search:"
     " \"x\\n\", add: z}\n  - {type: add_after, search: v, add: \"w\\n\"}\n"
     "  - {type: add, add: end}",
	"{'mutations': [{'op': 'edit', 'path': 'f', 'edits': [{'find': 'x',"
	" 'replace': 'y', 'count': 1}, {'find': 'x\\n', 'replace':"
	" 'x\\nz\\n', 'count': 1}, {'find': 'v', 'replace': 'v\\nw',"
	" 'count': 1}]}, {'op': 'append', 'path': 'f', 'contents':"
	" 'end'}]}"},
    {"id: a\ntarget: /d/f.html\nedits: [{find: x, replace: '', count: all},"
     " {search: y, replace: z, replaceAll: true}, {find: q, replace: r,"
     " count: 3}]",
	"{'target': [], 'mutations': [{'op': 'edit', 'path': '/d/f.html',"
	" 'edits': [{'find': 'x', 'replace': '', 'count': 0}, {'find': 'y',"
	" 'replace': 'z', 'count': 0}, {'find': 'q', 'replace': 'r',"
	" 'count': 3}]}]}"},
    {"id: a\nmutations: [{path: f, insertAfter: x, contents: y}, {path: f,"
     " append: z}, {path: f, prepend: true, contents: w}, {path: f, diff:"
     " '@@'}, {path: f, rename: g}, {path: f, chmod: '755'}, {path: d,"
     " mkdir: true, mode: 0700}, {path: l, symlink: f}, {path: c, merge:"
     " {k: null}}]",
	"{'mutations': [{'op': 'insert', 'path': 'f', 'insertAfter': 'x',"
	" 'contents': 'y'}, {'op': 'append', 'path': 'f', 'contents': 'z'},"
	" {'op': 'prepend', 'path': 'f', 'contents': 'w'}, {'op': 'diff',"
	" 'path': 'f', 'diff': '@@'}, {'op': 'rename', 'path': 'f',"
	" 'rename': 'g'}, {'op': 'chmod', 'path': 'f', 'chmod': '0755'},"
	" {'op': 'mkdir', 'path': 'd', 'mode': '0700'}, {'op': 'symlink',"
	" 'path': 'l', 'symlink': 'f'}, {'op': 'merge', 'path': 'c',"
	" 'merge': {'k': null}}]}"},
    {"id: a\nmutations: [{op: upsert, path: f, mode: 0644, contents: x},"
     " {path: g, create: true, contents: \"eA ==\", encoding: base64},"
     " {path: h, contents_lines: [x, y]}]",
	"{'mutations': [{'op': 'write', 'path': 'f', 'contents': 'x',"
	" 'mode': '0644'}, {'op': 'write', 'path': 'g', 'contents': 'eA==',"
	" 'encoding': 'base64', 'create': true}, {'op': 'write', 'path':"
	" 'h', 'contents': 'x\\ny\\n'}]}"},
    {"id: a\nmutations: [{path: ./d//e/, mkdir: true}]",
	"{'mutations': [{'op': 'mkdir', 'path': 'd/e'}]}"},
    /* Commands of every stage, in every form. */
    {"id: a\npreCommit: {backup: {path: p}, shell: [s]}\n"
     "preMutationValidation: {shell: [t]}\npreMutationBuild: u && v\n"
     "postMutationBuild: {commands: [w, '']}\ntesting: {shell: x}\n"
     "validation: {strict: true}\nvalidate: {run: y, onFailure: z}",
	"{'preMutationValidation': {'shell': ['s', 't', 'u && v']},"
	" 'postMutationBuild': {'shell': ['w']}, 'validate': {'shell':"
	" ['x', 'y']}, 'mutations': []}"},
    {"id: a\nexecution: [x]\nvalidation: [y]",
	"{'mutations': [{'op': 'command', 'command': 'x'}], 'validate':"
	" {'shell': ['y']}}"},
    /* The fields beside. */
    {"id: a\nshell: x\nfinal: {commit: m, tag: t, notes: [n, o]}",
	"{'final': {'git': {'commit': 'm', 'tag': 't'}, 'summary':"
	" 'n\\no'}}"},
    {"id: a\nshell: x\ndescription: d\nfinal: {git: {commit: true, tag:"
     " false}, summary: s, summaryFile: /r/s.md}",
	"{'description': 'd', 'final': {'git': {'commit': 'd'}, 'summary':"
	" 's', 'summaryFile': '/r/s.md'}}"},
    {"id: a\nshell: x\nlimits: {timeout: 300s, command_timeout: 2, memory:"
     " 2G, processes: 256, network: false}",
	"{'limits': {'timeout_ms': 300000, 'command_timeout_ms': 2000,"
	" 'memory_bytes': 2147483648, 'processes': 256, 'network':"
	" false}}"},
    {"id: a\nshell: x\ndependencies: [b, c, b]\nbranch: main\nversion:"
     " v1\npriority: low",
	"{'dependencies': ['b', 'c'], 'branch': 'main', 'version': 'v1',"
	" 'priority': 7}"},
    {"id: a\nshell: x\ndependencies: {dev: [jest]}\ntarget: MAIN, CYOPS",
	"{'target': ['MAIN', 'CYOPS']}"},
    {"id: a\nshell: x\ndomains: [CYOPS, MAIN, CYOPS]\npriority: 0",
	"{'target': ['CYOPS', 'MAIN'], 'priority': 0}"},
    {"id: a\nmutations: [{path: f, contents: x, base_sha256:"
     " E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855}]\n"
     "base: {g: absent}",
	"{'base': {'g': 'absent', 'f':"
	" 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
	"7852b855'}}"},
};

static void
fail_form(const char *text, const struct patch_result *r)
{
	char *s = json_dumps(r->canonical, JSON_INDENT(1));

	fail_msg("%s\n%s: %s\n%s", text, r->path, r->error, s != NULL ? s : "");
}

/* Python's quotes, so that the table above can be read. */
static json_t *
parse_form(const char *s)
{
	char *text = strdup(s), *c;
	struct doc_error err;
	json_t *v;

	assert_non_null(text);
	while ((c = strchr(text, '\'')) != NULL)
		*c = '"';
	v = doc_parse(text, strlen(text), DOC_JSON, &err);
	if (v == NULL)
		fail_msg("%s: %d: %s", s, err.column, err.reason);
	free(text);
	return v;
}

static void
every_shape_has_its_canonical_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(forms); i++) {
		struct patch_result r, again;
		struct doc_error err;
		json_t *want = parse_form(forms[i].form), *v;
		const char *key;

		patch_read(forms[i].text, strlen(forms[i].text), &r, &err);
		if (r.reason != PATCH_OK)
			fail_form(forms[i].text, &r);
		json_object_foreach (want, key, v) {
			if (!json_equal(v, json_object_get(r.canonical, key)))
				fail_form(forms[i].text, &r);
		}
		assert_string_equal(r.id,
		    json_string_value(json_object_get(r.canonical, "id")));
		patch_normalise(r.canonical, &again);
		if (!json_equal(r.canonical, again.canonical))
			fail_form("not its own form", &again);
		assert_string_equal(r.digest, again.digest);
		json_decref(want);
		patch_result_free(&r);
		patch_result_free(&again);
	}
}

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
	PATCH_INVALID, "mutations[0].flags", "letters"},
    {"id: a\nmutations: [{path: f, pattern: x}]", PATCH_INVALID, "mutations[0]",
	"replacement"},
    {"id: a\nshell: 5", PATCH_INVALID, "shell", "commands"},
    {"id: a\nvalidate: {shell: [[x]]}", PATCH_INVALID, "validate.shell[0]",
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
	patch_read(text, strlen(text), &r, &err);
	assert_int_equal(r.reason, PATCH_OK);
	for (size_t i = 0; i < json_array_size(r.warnings); i++)
		buf_printf(&all, "%s;",
		    json_string_value(json_array_get(r.warnings, i)));
	assert_non_null(strstr(all.bytes, "no target"));
	assert_non_null(strstr(all.bytes, "prose"));
	assert_non_null(strstr(all.bytes, "rollback"));
	assert_non_null(strstr(all.bytes, "priority"));
	assert_non_null(strstr(all.bytes, "version"));
	assert_int_equal(json_array_size(r.warnings), 5);
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
	    {"id: a\nrole: ui_patch\ntarget_file: f\npatch: {pattern: x}",
		INTENT_NEAR_MISS},
	    {"patch: {id: a, phases: []}", INTENT_NEAR_MISS},
	    {"final: {tag: a}\nphases: []", INTENT_NEAR_MISS},
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
	    {"a:\n  role: command_patch\nb: [", INTENT_NEAR_MISS},
	    {"{\"a\": [{\"b\": {\"role\": \"command_patch\"", INTENT_NEAR_MISS},
	    {"{\"id\": \"a\", \"mutations\": [", INTENT_NEAR_MISS},
	    {"id: a\nmutations: [", INTENT_NEAR_MISS},
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
	    cmocka_unit_test(every_shape_has_its_canonical_form),
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
