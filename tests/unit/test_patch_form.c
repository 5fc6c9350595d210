/* SPDX-License-Identifier: ISC */
/*
 * The tolerant front: the canonical form of each shape that models were seen
 * to write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

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
     " \"@@\\n-a\\n+b\"}, {path: f, rename: g}, {path: f, chmod: '755'}, "
     "{path: d,"
     " mkdir: true, mode: 0700}, {path: l, symlink: f}, {path: c, merge:"
     " {k: null}}]",
	"{'mutations': [{'op': 'insert', 'path': 'f', 'insertAfter': 'x',"
	" 'contents': 'y'}, {'op': 'append', 'path': 'f', 'contents': 'z'},"
	" {'op': 'prepend', 'path': 'f', 'contents': 'w'}, {'op': 'diff',"
	" 'path': 'f', 'diff': '@@\\n-a\\n+b'}, {'op': 'rename', 'path': 'f',"
	" 'rename': 'g'}, {'op': 'chmod', 'path': 'f', 'chmod': '0755'},"
	" {'op': 'mkdir', 'path': 'd', 'mode': '0700'}, {'op': 'symlink',"
	" 'path': 'l', 'symlink': 'f'}, {'op': 'merge', 'path': 'c',"
	" 'merge': {'k': null}}]}"},
    /* A diff of several files: a mutation for each; headers go where the path
     * says as much. */
    {"id: a\nmutations: [{diff: \"diff --git a/f b/f\\nindex 1..2 100644\\n--- "
     "a/f"
     "\\n+++ b/f\\n@@ -1 +1 @@\\n-a\\n+b\\ndiff --git a/n b/n\\nnew file mode"
     " 100755\\n--- /dev/null\\n+++ b/n\\n@@ -0,0 +1 @@\\n+x\\ndiff --git a/d "
     "b/d"
     "\\ndeleted file mode 100644\\n--- a/d\\n+++ /dev/null\\n@@ -1 +0,0 "
     "@@\\n-x\\n"
     "diff --git a/o b/p\\nsimilarity index 100%\\nrename from o\\nrename to "
     "p\\n"
     "diff --git a/m b/m\\nold mode 100644\\nnew mode 100755\\ndiff --git a/e "
     "b/e"
     "\\nnew file mode 100644\\nindex 0..e\\n\"}]",
	"{'mutations': [{'op': 'diff', 'path': 'f', 'diff': '@@ -1 +1 "
	"@@\\n-a\\n"
	"+b\\n'}, {'op': 'diff', 'path': 'n', 'mode': '0755', 'diff': '---"
	" /dev/null\\n+++ b/n\\n@@ -0,0 +1 @@\\n+x\\n'}, {'op': 'diff', "
	"'path': 'd',"
	" 'diff': '--- a/d\\n+++ /dev/null\\n@@ -1 +0,0 @@\\n-x\\n'}, {'op':"
	" 'rename', 'path': 'o', 'rename': 'p'}, {'op': 'chmod', 'path': 'm',"
	" 'chmod': '0755'}, {'op': 'write', 'path': 'e', 'contents': '',"
	" 'create': true}]}"},
    {"id: a\nmutations: [{path: /w/s/f, diff: \"--- s/f\\t2026-01-01\\n+++ "
     "s/f\\n"
     "-a\\n+b\"}, {diff: \"From: x\\n---\\n f | 2\\n\\ndiff --git a/f "
     "b/f\\n--- a/f\\n"
     "+++ b/f\\n@@ -1 +1 @@\\n-a\\n+b\\n-- \\n2.39\\n\"}]",
	"{'mutations': [{'op': 'diff', 'path': '/w/s/f', 'diff': "
	"'@@\\n-a\\n+b'},"
	" {'op': 'diff', 'path': 'f', 'diff': '@@ -1 +1 @@\\n-a\\n+b\\n'}]}"},
    {"id: a\nmutations: [{op: upsert, path: f, mode: 0644, contents: x},"
     " {path: g, create: true, contents: \"eA ==\", encoding: base64},"
     " {path: h, contents_lines: [x, y]}]",
	"{'mutations': [{'op': 'write', 'path': 'f', 'contents': 'x',"
	" 'mode': '0644'}, {'op': 'write', 'path': 'g', 'contents': 'eA==',"
	" 'encoding': 'base64', 'create': true}, {'op': 'write', 'path':"
	" 'h', 'contents': 'x\\ny\\n'}]}"},
    {"id: a\nmutations: [{op: move, path: f, target: g}, {op: symlink,"
     " path: l, target: f}, {type: directory, path: d}, {path: x, contents:"
     " y, executable: true}, {path: f, patch: \"-a\\n+b\"}]",
	"{'mutations': [{'op': 'rename', 'path': 'f', 'rename': 'g'}, {'op':"
	" 'symlink', 'path': 'l', 'symlink': 'f'}, {'op': 'mkdir', 'path':"
	" 'd'}, {'op': 'write', 'path': 'x', 'contents': 'y', 'mode':"
	" '0755'}, {'op': 'diff', 'path': 'f', 'diff': '@@\\n-a\\n+b'}]}"},
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_shape_has_its_canonical_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
