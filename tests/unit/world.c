/* SPDX-License-Identifier: ISC */
/* A small workspace of every kind of entry, and an upper layer above it. */
#include <sys/sysmacros.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/buf.h"
#include "tests/unit/fault.h"
#include "tests/unit/picture.h"
#include "tests/unit/world.h"

#define NAME "1764000000000000-x-01234567,1"

static void
fill_workspace(int w)
{
	assert_int_equal(mkdirat(w, "dir", 0755), 0);
	assert_int_equal(mkdirat(w, "dir/sub", 0755), 0);
	assert_int_equal(mkdirat(w, "tree", 0755), 0);
	assert_int_equal(mkdirat(w, "swap", 0755), 0);
	assert_int_equal(scratch_file(w, "a", "old a"), 0);
	assert_int_equal(scratch_file(w, "dir/b", "old b"), 0);
	assert_int_equal(scratch_file(w, "dir/sub/c", "old c"), 0);
	assert_int_equal(scratch_file(w, "tree/d", "old d"), 0);
	assert_int_equal(scratch_file(w, "swap/e", "old e"), 0);
	assert_int_equal(scratch_file(w, "same", "same"), 0);
	assert_int_equal(symlinkat("a", w, "link"), 0);
	assert_int_equal(scratch_file(w, "file", "old file"), 0);
}

/* An upper layer as the kernel leaves it: whiteouts, new trees, copies. */
static void
fill_upper(int u)
{
	assert_int_equal(scratch_file(u, "a", "new a"), 0);
	assert_int_equal(mkdirat(u, "dir", 0755), 0);
	assert_int_equal(fchmodat(u, "dir", 0750, 0), 0);
	assert_int_equal(scratch_file(u, "dir/b", "new b"), 0);
	assert_int_equal(mkdirat(u, "dir/sub", 0755), 0);
	assert_int_equal(mknodat(u, "dir/sub/c", S_IFCHR | 0600, makedev(0, 0)),
	    0);
	assert_int_equal(mknodat(u, "tree", S_IFCHR | 0600, makedev(0, 0)), 0);
	assert_int_equal(scratch_file(u, "swap", "a file now"), 0);
	assert_int_equal(mkdirat(u, "file", 0755), 0);
	assert_int_equal(scratch_file(u, "file/in", "a directory now"), 0);
	assert_int_equal(mkdirat(u, "new", 0755), 0);
	assert_int_equal(mkdirat(u, "new/deep", 0755), 0);
	assert_int_equal(scratch_file(u, "new/deep/f", "new f"), 0);
	assert_int_equal(symlinkat("same", u, "ln"), 0);
	assert_int_equal(mknodat(u, "link", S_IFCHR | 0600, makedev(0, 0)), 0);
}

static char *
sub(const struct world *w, const char *name)
{
	return xasprintf("%s/%s", w->scratch.path, name);
}

static void
stage(struct world *w)
{
	struct fault f = {0};

	w->diff = (struct diff){.workspace = &w->ws,
	    .txn = &w->txn,
	    .queue = &w->queue,
	    .trusted = geteuid() == 0,
	    .warnings = json_array()};
	changes_open(&w->diff.changes, 4096);
	if (diff_overlay(&w->diff, &f) == -1)
		fail_msg("%s", f.text);
	fault_clear();
}

void
world_open(struct world *w)
{
	char *ws, *place;

	memset(w, 0, sizeof(*w));
	assert_int_equal(scratch_open_fast(&w->scratch), 0);
	assert_int_equal(mkdirat(w->scratch.dir, "ws", 0755), 0);
	ws = sub(w, "ws");
	place = sub(w, "txn");
	assert_int_equal(workspace_open(&w->ws, ws), 0);
	fill_workspace(w->ws.fd);
	assert_int_equal(place_open(&w->place, place, &w->ws, false), 0);
	assert_int_equal(txn_create(&w->txn, &w->place, NAME, &w->ws), 0);
	fill_upper(w->txn.upper);
	w->before = picture(ws);
	stage(w);
	free(ws);
	free(place);
}

void
world_close(struct world *w)
{
	free(w->before);
	free(w->after);
	ops_free(&w->diff.ops);
	changes_close(&w->diff.changes);
	json_decref(w->diff.warnings);
	txn_close(&w->txn);
	place_close(&w->place);
	workspace_close(&w->ws);
	scratch_close(&w->scratch);
}

struct commit
world_commit(struct world *w)
{
	struct commit c = {.workspace = &w->ws,
	    .txn = &w->txn,
	    .plan = &w->plan,
	    .since = {.tv_sec = INT32_MAX}};

	return c;
}

void
world_record(struct world *w, struct record *r)
{
	memset(r, 0, sizeof(*r));
	strlcpy(r->file, "5-" NAME ".json", sizeof(r->file));
	strlcpy(r->workspace, w->ws.path, sizeof(r->workspace));
	r->workspace_ino = w->ws.st.st_ino;
	r->ops = w->diff.ops;
	r->outcome = json_object();
}

/* -1 neither, 0 before, 1 after. */
int
world_image(struct world *w, const char *after)
{
	char *now = picture(w->ws.path);
	int answer = strcmp(now, after) == 0       ? 1
		     : strcmp(now, w->before) == 0 ? 0
						   : -1;

	free(now);
	return answer;
}
