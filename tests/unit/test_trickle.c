/* SPDX-License-Identifier: ISC */
/*
 * A block that trickles into a transcript by small pieces: how many bytes are
 * read and looked at for each that comes, counted and not timed. Whatever the
 * shape of the block, it is handed in once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bridge/source.h"
#include "common/buf.h"
#include "tests/unit/scratch.h"

/* Each byte as it comes, with its line, and with its block; and again what
 * one piece or one short line costs at the seams. */
#define MOST_TIMES 5

struct trickle {
	struct scratch scratch;
	char path[PATH_MAX + 16];
	char queue_name[8];
	struct queue_settings queue;
	struct source_settings source;
	struct settings set;
	struct tree tree;
	struct desk desk;
	struct source reader;
};

static int
open_trickle(void **state)
{
	static const char *const queues[] = {"MAIN"};
	static char transcript[] = "transcript", none[] = "";
	struct trickle *t = calloc(1, sizeof(*t));
	char why[PATH_MAX];

	if (t == NULL || scratch_open(&t->scratch) == -1 ||
	    tree_open(&t->tree, t->scratch.path, queues, 1, why) == -1)
		return -1;
	(void)snprintf(t->path, sizeof(t->path), "%s/chat.md", t->scratch.path);
	(void)strlcpy(t->queue_name, "MAIN", sizeof(t->queue_name));
	t->queue.name = t->queue_name;
	t->queue.is_default = true;
	t->source = (struct source_settings){.type = transcript,
	    .name = none,
	    .path = t->path,
	    .queue = none,
	    .conversation = none};
	t->set = (struct settings){.queues = &t->queue, .queue_count = 1};
	t->set.bridge.document_max = 16 << 20;
	t->set.bridge.stale_block = 3600 * 1000;
	if (desk_open(&t->desk, &t->set, &t->tree) == -1)
		return -1;
	source_open(&t->reader, &t->source, &t->desk);
	*state = t;
	return 0;
}

static int
close_trickle(void **state)
{
	struct trickle *t = *state;

	source_close(&t->reader, &t->desk);
	desk_close(&t->desk);
	tree_close(&t->tree);
	scratch_close(&t->scratch);
	free(t);
	return 0;
}

/* Appends text piece by piece, with a scan behind each. */
static void
trickle(struct trickle *t, const struct buf *text, size_t piece, bool forget)
{
	FILE *f = fopen(t->path, "ae");

	assert_non_null(f);
	setbuf(f, NULL);
	for (size_t at = 0; at < text->len; at += piece) {
		size_t n = text->len - at < piece ? text->len - at : piece;

		assert_int_equal(fwrite(text->bytes + at, 1, n, f), n);
		t->reader.not_before_ms = 0;
		t->reader.waits = t->reader.waits && !forget;
		while (source_scan(&t->reader, &t->desk, false) == SCAN_MORE)
			continue;
	}
	assert_int_equal(fclose(f), 0);
}

/* A patch of some size bytes, most of them notes in lines of that length. */
static void
make_patch(struct buf *b, const char *id, size_t size, size_t line)
{
	size_t from = b->len;

	buf_printf(b,
	    "{\"role\": \"command_patch\", \"id\": \"%s\",\"mutations\": "
	    "[{\"path\": \"f\", \"contents\": \"x\"}],\"notes\": [\"",
	    id);
	for (size_t i = 1; b->len - from < size; i++) {
		buf_puts(b, i % 7 == 0 ? "\\\"}" : "x");
		if (i % line == 0)
			buf_puts(b, "\",\n\"{[");
	}
	buf_puts(b, "\"]}");
}

static const struct {
	const char *what, *before, *after;
	size_t line;
} shapes[] = {
    {"a fence of short lines", "# chat\n```json\n", "\n```\n", 60},
    {"a fence of one line", "```\n", "\n```\n", SIZE_MAX},
    {"an object of short lines", "text\n\n", "\n\n", 60},
    {"an object of one line", "", "\n", SIZE_MAX},
    {"one that ends without a line end", "## Assistant\n", "", SIZE_MAX},
    {"a fence that ends so", "~~~\n", "\n~~~", 100},
    {"a fence in a list", "- item\n\n  ```json\n", "\n  ```\n", 60},
};

static void
each_byte_is_looked_at_a_few_times(void **state)
{
	struct trickle *t = *state;
	const bool whole = getenv("PATCHFLOW_LONG") != NULL;
	const size_t size = whole ? (size_t)10 << 20 : (size_t)1 << 20;
	char id[16];

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct source *s = &t->reader;
		struct buf text = {0};
		double fed;

		(void)snprintf(id, sizeof(id), "p%zu", i);
		buf_puts(&text, shapes[i].before);
		make_patch(&text, id, size, shapes[i].line);
		buf_puts(&text, shapes[i].after);
		s->fetched = s->looked = 0;
		trickle(t, &text, whole ? 4096 : 1024, false);
		fed = (double)text.len;
		print_message("# %s: read %.2f times, looked at %.2f times\n",
		    shapes[i].what, (double)s->fetched / fed,
		    (double)s->looked / fed);
		assert_true((double)s->fetched < MOST_TIMES * fed);
		assert_true((double)s->looked < MOST_TIMES * fed);
		assert_int_equal(s->counts.accepted, i + 1);
		assert_int_equal(s->counts.documents, i + 1);
		buf_free(&text);
		/* The next one begins a line. */
		text = (struct buf){0};
		buf_puts(&text, "\n\n");
		trickle(t, &text, 2, false);
		buf_free(&text);
	}
}

/* The count would see it: without what waits it is as it was. */
static void
the_count_sees_what_is_looked_at_again(void **state)
{
	struct trickle *t = *state;
	struct buf text = {0};

	buf_puts(&text, "```json\n");
	make_patch(&text, "again", 256 << 10, 60);
	buf_puts(&text, "\n```\n");
	trickle(t, &text, 1024, true);
	assert_int_equal(t->reader.counts.accepted, 1);
	assert_true(t->reader.looked > 50 * (uint64_t)text.len);
	buf_free(&text);
}

/* What was seen already is changed in its place, behind the cursor. */
static void
what_is_handed_in_is_what_the_file_says(void **state)
{
	struct trickle *t = *state;
	struct buf text = {0};
	struct spool_names names;
	FILE *f;

	buf_puts(&text, "```json\n");
	make_patch(&text, "first", 20000, 60);
	trickle(t, &text, 1024, false);
	assert_true(t->reader.waits);
	f = fopen(t->path, "r+e");
	assert_non_null(f);
	assert_int_equal(fseek(f,
			     (long)(strstr(text.bytes, "first") - text.bytes),
			     SEEK_SET),
	    0);
	assert_int_equal(fputs("other", f), 1);
	assert_int_equal(fclose(f), 0);
	buf_clear(&text);
	buf_puts(&text, "\n```\n");
	trickle(t, &text, 1024, false);
	assert_int_equal(t->reader.counts.accepted, 1);
	assert_int_equal(
	    spool_list(t->tree.queues[0].dir[Q_PATCHES], 0, &names), 0);
	assert_int_equal(names.count, 1);
	assert_non_null(strstr(names.names[0], "-other-"));
	spool_names_free(&names);
	buf_free(&text);
}

int
main(void)
{
#define WITH_TRICKLE(f)                                                        \
	cmocka_unit_test_setup_teardown(f, open_trickle, close_trickle)
	const struct CMUnitTest tests[] = {
	    WITH_TRICKLE(each_byte_is_looked_at_a_few_times),
	    WITH_TRICKLE(the_count_sees_what_is_looked_at_again),
	    WITH_TRICKLE(what_is_handed_in_is_what_the_file_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
