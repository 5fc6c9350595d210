/* SPDX-License-Identifier: ISC */
/* fsck: the verb and its report. */
#include "ctl/fsck.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/ids.h"
#include "common/spool.h"
#include "common/text.h"
#include "ctl/control.h"
#include "ctl/out.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static const char *const level_name[] = {"note", "wrong", "mended"};

void
fsck_say(struct fsck *f, enum fsck_level level, const char *place,
    const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	json_array_append_new(f->problems,
	    json_pack("{s:s, s:o, s:o}", "level", level_name[level], "place",
		text_json(place), "problem", text_json(text.bytes)));
	f->wrong += level == FSCK_WRONG;
	buf_free(&text);
}

void
fsck_bad_file(struct fsck *f, int dir, const char *path, const char *what,
    const char *name)
{
	char *place = xasprintf("%s/%s", path, name);

	if (f->repair && what != NULL &&
	    tree_set_aside(&f->c->t, dir, what, name) == SPOOL_DONE)
		fsck_say(f, FSCK_MENDED, place,
		    "fails its check: moved to corrupt");
	else if (spool_exists(dir, name))
		fsck_say(f, FSCK_WRONG, place, "fails its check");
	free(place);
}

static void
print(const struct fsck *f)
{
	struct table t = {0};
	const json_t *p;
	const char *level;
	size_t i;

	json_array_foreach (f->problems, i, p) {
		level = out_string(p, "level");
		table_add(&t,
		    strcmp(level, "wrong") == 0    ? COLOUR_BAD
		    : strcmp(level, "mended") == 0 ? COLOUR_GOOD
						   : COLOUR_DIM,
		    "%s", level);
		table_add(&t, COLOUR_NONE, "%s", out_string(p, "place"));
		table_add(&t, COLOUR_NONE, "%s", out_string(p, "problem"));
		table_end_row(&t);
	}
	table_print(&t);
	table_free(&t);
	(void)printf("%s: %lld files, %lld wrong\n", f->c->t.path,
	    (long long)f->files, (long long)f->wrong);
}

static int
audit(struct ctl *c, bool repair)
{
	struct fsck f = {.c = c, .repair = repair, .problems = json_array()};
	size_t i;

	/* what a crash left half accepted is ended before it is judged */
	if (repair && !control_is_running(c, "ghost-bridge") &&
	    ids_recover(&c->t) == -1)
		fsck_say(&f, FSCK_WRONG, "ids/pending", "not ended: %s",
		    strerror(errno));
	for (i = 0; i < c->t.queue_count; i++)
		fsck_queue(&f, &c->t.queues[i]);
	fsck_ids(&f);
	fsck_rest(&f);
	if (c->json)
		out_json(json_pack("{s:b, s:I, s:I, s:O}", "ok", f.wrong == 0,
		    "files", (json_int_t)f.files, "wrong", (json_int_t)f.wrong,
		    "problems", f.problems));
	else
		print(&f);
	json_decref(f.problems);
	return f.wrong == 0 ? CTL_DONE : CTL_FAILED;
}

int
run_fsck(struct ctl *c)
{
	static const struct option words[] = {
	    {"repair", no_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
	bool repair = false;
	int opt, status;

	while ((opt = ctl_option(c, "", words)) != -1) {
		if (opt != 'r')
			return CTL_USAGE;
		repair = true;
	}
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	return status == 0 ? audit(c, repair) : status;
}
