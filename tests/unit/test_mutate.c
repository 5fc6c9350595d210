/* SPDX-License-Identifier: ISC */
/*
 * What a mutation that cannot be done says: each row is one document's
 * mutation, done to a small workspace, with the state, the words and the code
 * of the edit record that must come back; and the workspace must be as it was.
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/patch.h"
#include "executor/mutate.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define FILE_MAX 1000

enum stop { FRONT, PLAN, DONE_TO }; /* where it is refused */

struct row {
	const char *mutation; /* JSON with ' for " */
	enum stop stop;
	const char *error; /* must be in the message */
	const char *code;  /* of the record; NULL: none */
};

/* The workspace: a "one\ntwo\nthree\n", twice "x\ny\nx\ny\n", crlf, empty,
 * latin "caf\xe9\n", c.json {"k": 1}, bad.json "{\n// c\n}", arr.json "[]",
 * big (900 bytes), dir/in, link -> a. */
static const struct row files[] = {
    {"{'path':'no','delete':true}", DONE_TO, "no does not exist", NULL},
    {"{'path':'no','rename':'b'}", DONE_TO, "no does not exist", NULL},
    {"{'path':'a','rename':'twice'}", DONE_TO, "twice exists already", NULL},
    {"{'path':'a','rename':'a'}", FRONT, "the new path is the old", NULL},
    {"{'path':'a','rename':'a/b'}", FRONT, "lies in the old one", NULL},
    {"{'path':'dir','rename':'dir/sub'}", FRONT, "lies in the old one", NULL},
    {"{'path':'no','chmod':'755'}", DONE_TO, "no does not exist", NULL},
    {"{'path':'link','chmod':'755'}", DONE_TO, "link is a symbolic link", NULL},
    {"{'path':'a','chmod':'4755'}", FRONT, "set-user-id", NULL},
    {"{'path':'a','chmod':755}", FRONT, "ambiguous", NULL},
    {"{'path':'a','mkdir':true}", DONE_TO, "a exists and is not a directory",
	NULL},
    {"{'path':'a/d','mkdir':true}", DONE_TO, "mkdir a/d", NULL},
    {"{'path':'link/d','mkdir':true}", DONE_TO, "link/d", NULL},
    {"{'path':'a','symlink':'b'}", DONE_TO, "a exists already", NULL},
    {"{'path':'l','symlink':''}", FRONT, "points to", NULL},
    {"{'path':'a','contents':'x','create':true}", DONE_TO, "a exists already",
	NULL},
    {"{'path':'dir','contents':'x'}", DONE_TO, "dir is a directory", NULL},
    {"{'path':'up/in','contents':'x'}", DONE_TO, "is a file or a symbolic",
	NULL},
    {"{'path':'up/no/in','mkdir':true}", DONE_TO, "is a file or a symbolic",
	NULL},
    {"{'path':'a/in','contents':'x'}", DONE_TO, "is a file or a symbolic",
	NULL},
    {"{'path':'link','contents':'x'}", DONE_TO, "link is a symbolic link",
	NULL},
    {"{'path':'link/x','contents':'x'}", DONE_TO, "link/x", NULL},
    {"{'path':'a/x','contents':'x'}", DONE_TO, "a/x", NULL},
    {"{'path':'x','contents':'*','encoding':'base64'}", FRONT, "base64", NULL},
    {"{'path':'x','contents':'x','encoding':'utf-16'}", FRONT, "encoding",
	NULL},
    {"{'path':'x','contents':5}", FRONT, "contents", NULL},
    {"{'path':'../x','contents':'x'}", FRONT, "..", NULL},
    {"{'path':'/etc/x','contents':'x'}", PLAN, "/etc/x", NULL},
    {"{'path':'.git/hooks/x','contents':'x'}", PLAN, ".git/hooks/x", NULL},
    {"{'path':'','contents':'x'}", FRONT, "empty", NULL},
    {"{'path':'a'}", FRONT, "what to do", NULL},
    {"{'contents':'x'}", FRONT, "no path", NULL},
    {"{'path':'a','delete':'yes'}", FRONT, "delete must be true", NULL},
    {"{'path':'a','delete':true,'contents':'x'}", FRONT, "does not go with",
	NULL},
    {"{'op':'burn','path':'a'}", FRONT, "operation that nobody", NULL},
};

static const struct row edits[] = {
    {"{'path':'no','edits':[{'find':'a','replace':'b'}]}", DONE_TO,
	"no does not exist", NULL},
    {"{'path':'dir','edits':[{'find':'a','replace':'b'}]}", DONE_TO,
	"dir is a directory", NULL},
    {"{'path':'a','edits':[]}", FRONT, "empty", NULL},
    {"{'path':'a','edits':[{'replace':'b'}]}", FRONT, "what to find", NULL},
    {"{'path':'a','edits':[{'find':'','replace':'b'}]}", FRONT, "not empty",
	NULL},
    {"{'path':'a','edits':[{'find':'b'}]}", FRONT, "replacement", NULL},
    {"{'path':'a','edits':[{'find':'b','replace':'c','count':-1}]}", FRONT,
	"count", NULL},
    {"{'path':'a','edits':[{'find':'twa','replace':'b'}]}", DONE_TO,
	"differs first at line 2", "not-found"},
    {"{'path':'a','edits':[{'find':'zzzzzzzz','replace':'b'}]}", DONE_TO,
	"was not found", "not-found"},
    {"{'path':'empty','edits':[{'find':'x','replace':'b'}]}", DONE_TO,
	"was not found", "not-found"},
    {"{'path':'twice','edits':[{'find':'x','replace':'b'}]}", DONE_TO,
	"occurs 2 times", "ambiguous"},
    {"{'path':'twice','edits':[{'find':'x','replace':'b','count':3}]}", DONE_TO,
	"occurs 2 times", "ambiguous"},
    {"{'path':'a','edits':[{'find':'2','replace':'two'}]}", DONE_TO,
	"its replacement is", "already-applied"},
    {"{'path':'a','edits':[{'find':'two','replace':'2'},{'find':'two',"
     "'replace':'3'}]}",
	DONE_TO, "was not found", "not-found"},
    {"{'path':'big','edits':[{'find':'b','replace':'bbbbbbbb','count':0}]}",
	DONE_TO, "the limit is 1000", NULL},
    {"{'path':'a','insertAfter':'four','contents':'x'}", DONE_TO,
	"was not found", "not-found"},
    {"{'path':'twice','insertBefore':'y','contents':'x'}", DONE_TO,
	"occurs 2 times", "ambiguous"},
    {"{'path':'no','insertBefore':'y','contents':'x'}", DONE_TO,
	"no does not exist", NULL},
    {"{'path':'dir','append':'x'}", DONE_TO, "dir is a directory", NULL},
    {"{'path':'link','prepend':'x'}", DONE_TO, "link is a symbolic link", NULL},
};

static const struct row others[] = {
    {"{'path':'a','pattern':'(','replacement':''}", PLAN, "at byte 1", NULL},
    {"{'path':'a','pattern':'[z-a]','replacement':''}", PLAN, "out of order",
	NULL},
    {"{'path':'a','pattern':'x','replacement':'','flags':'v'}", FRONT,
	"none of g i m s u y", NULL},
    {"{'path':'a','pattern':'x'}", FRONT, "replacement", NULL},
    {"{'path':'a','pattern':'','replacement':''}", FRONT, "pattern", NULL},
    {"{'path':'a','pattern':'four','replacement':''}", DONE_TO,
	"matches nothing", "not-found"},
    {"{'path':'no','pattern':'four','replacement':''}", DONE_TO,
	"no does not exist", NULL},
    {"{'path':'latin','pattern':'caf','replacement':'','flags':'u'}", DONE_TO,
	"not UTF-8", "not-utf8"},
    {"{'path':'latin','pattern':'\xc3\xa9','replacement':''}", DONE_TO,
	"not UTF-8", "not-utf8"},
    {"{'path':'big','pattern':'^(b+)+$','replacement':''}", DONE_TO, "stopped",
	"pattern-limit"},
    {"{'path':'big','pattern':'b','replacement':'$`','flags':'g'}", DONE_TO,
	"too large", "too-large"},
    {"{'path':'a','diff':'words'}", FRONT, "not a unified diff", NULL},
    {"{'path':'a','diff':'@@\\n two\\n'}", FRONT, "changes nothing", NULL},
    {"{'path':'a','diff':'@@\\n-two\\n2\\n'}", FRONT, "line 3 of the diff",
	NULL},
    {"{'diff':'@@\\n-two\\n'}", FRONT, "of which file", NULL},
    {"{'path':'a','diff':'--- b\\n+++ b\\n@@\\n-two\\n'}", FRONT,
	"for b, but path is a", NULL},
    {"{'path':'a','diff':'@@\\n-twa\\n+2\\n'}", DONE_TO,
	"differs first at line 2", "not-found"},
    {"{'path':'a','diff':'@@ -2 +2 @@\\n-2\\n+two\\n'}", DONE_TO,
	"its replacement is", "already-applied"},
    {"{'path':'twice','diff':'@@\\n-x\\n+z\\n'}", DONE_TO, "occurs 2 times",
	"ambiguous"},
    {"{'path':'a','diff':'@@ -1,0 +2 @@\\n+x\\n'}", DONE_TO, "no place",
	"no-context"},
    {"{'path':'no','diff':'@@\\n-x\\n+z\\n'}", DONE_TO, "no does not exist",
	NULL},
    {"{'path':'a','diff':'--- /dev/null\\n+++ b/a\\n@@ -0,0 +1 @@\\n+x\\n'}",
	DONE_TO, "a exists already", NULL},
    {"{'path':'a','diff':'--- /dev/null\\n+++ b/a\\n@@\\n-x\\n+y\\n'}", PLAN,
	"removes nothing", NULL},
    {"{'path':'a','diff':'--- a/a\\n+++ /dev/null\\n@@\\n-one\\n'}", DONE_TO,
	"not found", "not-found"},
    {"{'path':'a','diff':'--- a/a\\n+++ /dev/null\\n'}", DONE_TO, "it is not",
	"not-empty"},
    {"{'path':'c.json','merge':[1]}", FRONT, "merge must be", NULL},
    {"{'path':'bad.json','merge':{'a':1}}", DONE_TO, "not JSON", "not-json"},
    {"{'path':'arr.json','merge':{'a':1}}", DONE_TO, "not JSON", "not-json"},
    {"{'path':'empty','merge':{'a':1}}", DONE_TO, "not JSON", "not-json"},
    {"{'path':'latin','merge':{'a':1}}", DONE_TO, "not JSON", "not-json"},
    {"{'path':'dir','merge':{'a':1}}", DONE_TO, "dir is a directory", NULL},
};

static int root;

static void
put(const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static int
make_workspace(void **state)
{
	char path[] = "/tmp/patchflow-mutate.XXXXXX", big[901];

	assert_non_null(mkdtemp(path));
	*state = xstrdup(path);
	root = open(path, O_RDONLY | O_DIRECTORY);
	put("a", "one\ntwo\nthree\n");
	put("twice", "x\ny\nx\ny\n");
	put("empty", "");
	put("latin", "caf\xe9\n");
	put("c.json", "{\"k\": 1}\n");
	put("bad.json", "{\n// c\n}\n");
	put("arr.json", "[]\n");
	memset(big, 'b', 899);
	big[899] = '!';
	big[900] = '\0';
	put("big", big);
	assert_int_equal(mkdirat(root, "dir", 0755), 0);
	put("dir/in", "x\n");
	assert_int_equal(symlinkat("dir", root, "up"), 0);
	return symlinkat("a", root, "link");
}

static int
drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static int
drop_workspace(void **state)
{
	(void)close(root);
	(void)nftw(*state, drop, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

/* Names, kinds, sizes, modes and times of what is in the workspace. */
static struct buf sum;

static int
add_sum(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)type, (void)at;
	if (!S_ISDIR(st->st_mode))
		buf_printf(&sum, "%s %o %lld %lld.%09ld\n", path, st->st_mode,
		    (long long)st->st_size, (long long)st->st_mtim.tv_sec,
		    st->st_mtim.tv_nsec);
	return 0;
}

static char *
snapshot(const char *path)
{
	(void)nftw(path, add_sum, 16, FTW_PHYS);
	return buf_take(&sum);
}

static json_t *
document(const char *mutation)
{
	struct buf b = {0};
	json_t *doc;

	buf_puts(&b, "{\"id\":\"r\",\"mutations\":[");
	for (const char *s = mutation; *s != '\0'; s++) {
		if (*s == '\n')
			buf_puts(&b, "\\n");
		else
			buf_putc(&b, (char)(*s == '\'' ? '"' : *s));
	}
	buf_puts(&b, "]}");
	doc = json_loads(b.bytes, 0, NULL);
	assert_non_null(doc);
	buf_free(&b);
	return doc;
}

static enum stop
run(const json_t *canonical, struct fault *f)
{
	static char workspace[] = "/srv/app";
	struct queue_settings q = {.workspace = workspace,
	    .file_size = FILE_MAX};
	enum stop where = DONE_TO;
	struct plan p;

	if (plan_make(canonical, &q, &p, f) == -1)
		where = PLAN;
	for (size_t i = 0; where == DONE_TO && i < p.step_count; i++)
		if (mutate_step(root, &p.steps[i], FILE_MAX, f) == -1)
			break;
	plan_free(&p);
	return where;
}

static bool
check_row(const struct row *r)
{
	json_t *doc = document(r->mutation);
	struct fault f = {0};
	struct patch_result front;
	enum stop where = FRONT;
	const char *code;
	bool good;

	patch_normalise(doc, &front);
	if (front.reason == PATCH_OK)
		where = run(front.canonical, &f);
	else
		(void)strlcpy(f.text, front.error, sizeof(f.text));
	code = json_string_value(json_object_get(f.edit_error, "code"));
	good = where == r->stop && strstr(f.text, r->error) != NULL &&
	       (where == FRONT ||
		   (f.set && strcmp(f.place, "mutations[0]") == 0)) &&
	       strcmp(code != NULL ? code : "-",
		   r->code != NULL ? r->code : "-") == 0 &&
	       (code == NULL || json_object_get(f.edit_error, "hint"));
	if (!good)
		print_error("%s: at %d, %s: %s (%s)\n", r->mutation, (int)where,
		    f.place, f.text, code != NULL ? code : "no record");
	fault_free(&f);
	patch_result_free(&front);
	json_decref(doc);
	return good;
}

static void
check_rows(const char *workspace, const struct row *rows, size_t count)
{
	size_t good = 0;

	for (size_t i = 0; i < count; i++) {
		char *before = snapshot(workspace), *after;

		good += check_row(&rows[i]);
		after = snapshot(workspace);
		assert_string_equal(before, after);
		free(before);
		free(after);
	}
	assert_int_equal(good, count);
}

static void
each_refusal_says_what_and_changes_nothing(void **state)
{
	check_rows(*state, files, LENGTH(files));
	check_rows(*state, edits, LENGTH(edits));
	check_rows(*state, others, LENGTH(others));
	print_message("# %zu refusals\n",
	    LENGTH(files) + LENGTH(edits) + LENGTH(others));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		each_refusal_says_what_and_changes_nothing, make_workspace,
		drop_workspace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
