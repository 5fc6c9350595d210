/* SPDX-License-Identifier: ISC */
/*
 * Real documents, read in place where they are present: each is accepted or
 * refused with reason and place, accepted ones mean the same in YAML, what
 * is no patch is refused in a chat.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/extract.h"
#include "common/patch.h"

struct file {
	char name[256];
	char class[64];
	char shape[128];
	struct buf text;
};

struct corpus {
	char dir[4096];
	struct file *files;
	size_t count;
};

static const char *
find_corpus(void)
{
	static const char *const places[] = {"../shared/corpus",
	    "../../shared/corpus"};
	const char *given = getenv("PATCHFLOW_CORPUS");

	if (given != NULL)
		return given;
	for (size_t i = 0; i < 2; i++) {
		char index[64];

		(void)snprintf(index, sizeof(index), "%s/INDEX.tsv", places[i]);
		if (access(index, R_OK) == 0)
			return places[i];
	}
	return NULL;
}

static int
read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char piece[65536];
	size_t n;

	if (f == NULL)
		return -1;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(out, piece, n);
	buf_reserve(out, 1);
	return fclose(f);
}

static void
add_file(struct corpus *c, char *line)
{
	struct file *f;
	char path[4400], *tab;
	const char *fields[3] = {"", "", ""};

	for (int i = 0; i < 3 && line != NULL; i++) {
		fields[i] = line;
		tab = strchr(line, '\t');
		if (tab != NULL)
			*tab++ = '\0';
		line = tab;
	}
	c->files = xreallocarray(c->files, c->count + 1, sizeof(*c->files));
	f = &c->files[c->count];
	*f = (struct file){0};
	(void)snprintf(f->name, sizeof(f->name), "%s", fields[0]);
	(void)snprintf(f->class, sizeof(f->class), "%s", fields[1]);
	(void)snprintf(f->shape, sizeof(f->shape), "%s", fields[2]);
	(void)snprintf(path, sizeof(path), "%s/%s", c->dir, f->name);
	if (read_file(path, &f->text) == -1)
		fail_msg("%s: %s", path, strerror(errno));
	c->count++;
}

static int
load(void **state)
{
	const char *dir = find_corpus();
	static struct corpus c;
	struct buf index = {0};
	char path[4400], *line, *next;

	*state = &c;
	if (dir == NULL)
		return 0;
	(void)snprintf(c.dir, sizeof(c.dir), "%s", dir);
	(void)snprintf(path, sizeof(path), "%s/INDEX.tsv", dir);
	if (read_file(path, &index) == -1)
		fail_msg("%s: %s", path, strerror(errno));
	if (index.bytes == NULL)
		return -1;
	/* The first line names the columns. */
	line = strchr(index.bytes, '\n');
	for (line = line == NULL ? NULL : line + 1;
	     line != NULL && *line != '\0'; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		add_file(&c, line);
	}
	buf_free(&index);
	return 0;
}

static int
unload(void **state)
{
	struct corpus *c = *state;

	for (size_t i = 0; i < c->count; i++)
		buf_free(&c->files[i].text);
	free(c->files);
	return 0;
}

static void
need(const struct corpus *c)
{
	if (c->count == 0) {
		print_message("# the corpus is not here\n");
		skip();
	}
}

static bool
is_document(const struct file *f)
{
	return strncmp(f->name, "json/", 5) == 0 ||
	       strncmp(f->name, "yaml/", 5) == 0;
}

static void
check_accepted(const struct file *f, const struct patch_result *r)
{
	struct patch_result again;

	assert_string_equal(r->error, "");
	patch_normalise(r->canonical, &again);
	if (again.reason != PATCH_OK ||
	    !json_equal(r->canonical, again.canonical))
		fail_msg("%s: its form is not its own form: %s", f->name,
		    again.error);
	assert_string_equal(r->digest, again.digest);
	assert_string_equal(r->id, again.id);
	patch_result_free(&again);
}

static void
check_refused(const struct file *f, const struct patch_result *r,
    const struct doc_error *e)
{
	if (r->error[0] == '\0' || e->reason[0] == '\0')
		fail_msg("%s: refused without a reason", f->name);
	assert_null(r->canonical);
	if (f->text.len > 0 && e->line < 1 &&
	    strstr(e->reason, "empty") == NULL)
		fail_msg("%s: refused without a place", f->name);
}

static void
each_is_accepted_or_refused_with_a_place(void **state)
{
	const struct corpus *c = *state;
	int counts[PATCH_FORBIDDEN + 1] = {0};

	need(c);
	for (size_t i = 0; i < c->count; i++) {
		const struct file *f = &c->files[i];
		struct patch_result r;
		struct doc_error e;

		patch_read(f->text.bytes, f->text.len, &r, &e);
		assert_true(key_id_valid(r.id));
		if (r.reason == PATCH_OK)
			check_accepted(f, &r);
		else
			check_refused(f, &r, &e);
		if (is_document(f))
			counts[r.reason]++;
		patch_result_free(&r);
	}
	print_message("# documents: %d accepted, %d malformed, %d invalid, "
		      "%d not executable, %d forbidden\n",
	    counts[PATCH_OK], counts[PATCH_MALFORMED], counts[PATCH_INVALID],
	    counts[PATCH_NOT_EXECUTABLE], counts[PATCH_FORBIDDEN]);
}

/* Shapes with exact work in them: a refusal would be ours. */
static bool
is_executable_shape(const struct file *f)
{
	static const char *const shapes[] = {"A1", "B1", "B2", "B5", "E1", "E2",
	    "H1", "H3", "H4", "H6", "M1", "M2", "U1", "W1", "W2", "Y2"};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strncmp(f->shape, shapes[i], 2) == 0)
			return strcmp(f->class, "patch") == 0;
	return false;
}

static void
shapes_have_the_verdict_they_deserve(void **state)
{
	const struct corpus *c = *state;

	need(c);
	for (size_t i = 0; i < c->count; i++) {
		const struct file *f = &c->files[i];
		struct patch_result r;
		struct doc_error e;

		if (!is_document(f))
			continue;
		patch_read(f->text.bytes, f->text.len, &r, &e);
		if (is_executable_shape(f) && r.reason != PATCH_OK)
			fail_msg("%s: %s: %s", f->name, r.path, r.error);
		if ((strncmp(f->shape, "F1", 2) == 0 ||
			strncmp(f->shape, "F2", 2) == 0 ||
			strcmp(f->class, "negative") == 0) &&
		    r.reason != PATCH_NOT_EXECUTABLE &&
		    r.reason != PATCH_INVALID)
			fail_msg("%s (%s): %s", f->name, f->shape,
			    patch_reason_name[r.reason]);
		patch_result_free(&r);
	}
}

static void
json_means_the_same_as_yaml(void **state)
{
	const struct corpus *c = *state;
	int n = 0;

	need(c);
	for (size_t i = 0; i < c->count; i++) {
		const struct file *f = &c->files[i];
		struct patch_result json, yaml;
		enum doc_format format;
		struct doc_error e;
		json_t *v =
		    doc_parse_any(f->text.bytes, f->text.len, &format, &e);
		char *text;

		if (v == NULL || !json_is_object(v)) {
			json_decref(v);
			continue;
		}
		text = doc_emit_yaml(v);
		patch_normalise(v, &json);
		patch_read(text, strlen(text), &yaml, &e);
		if (json.reason != yaml.reason)
			fail_msg("%s: %s as YAML: %s", f->name,
			    patch_reason_name[yaml.reason], e.reason);
		if (json.reason == PATCH_OK)
			assert_string_equal(json.digest, yaml.digest);
		patch_result_free(&json);
		patch_result_free(&yaml);
		json_decref(v);
		free(text);
		n++;
	}
	print_message("# %d documents mean the same as YAML\n", n);
}

static enum patch_intent
intent_of(const struct extract_block *b)
{
	enum doc_format format;
	struct doc_error e;
	json_t *v = doc_parse_any(b->text, b->len, &format, &e);
	enum patch_intent intent =
	    v == NULL ? patch_intent_text(b->text, b->len) : patch_intent(v);

	json_decref(v);
	return intent;
}

/* Blocks of a chat that would be run. */
static size_t
runnable(const struct file *f, size_t *patches, size_t *near)
{
	struct extract_state st = {0};
	struct extract_result r;
	size_t n = 0;

	*patches = *near = 0;
	extract_text(f->text.bytes, f->text.len, true, &st, &r);
	assert_int_equal(r.consumed, f->text.len);
	for (size_t i = 0; i < r.count; i++) {
		enum patch_intent intent = intent_of(&r.blocks[i]);
		struct patch_result p;
		struct doc_error e;

		*near += intent == INTENT_NEAR_MISS;
		if (intent != INTENT_PATCH || r.blocks[i].quoted)
			continue;
		++*patches;
		patch_read(r.blocks[i].text, r.blocks[i].len, &p, &e);
		n += p.reason == PATCH_OK;
		patch_result_free(&p);
	}
	extract_free(&r);
	return n;
}

static void
what_is_no_patch_is_refused_in_a_chat(void **state)
{
	const struct corpus *c = *state;
	size_t patches, near, n = 0;

	need(c);
	for (size_t i = 0; i < c->count; i++) {
		const struct file *f = &c->files[i];

		if (strcmp(f->class, "negative") != 0)
			continue;
		if (runnable(f, &patches, &near) != 0)
			fail_msg("%s would be run", f->name);
		n++;
	}
	print_message("# %zu negatives refused\n", n);
	assert_true(n > 0);
}

struct reading {
	const char *prefix;
	size_t patches; /* blocks with the role */
	size_t near;    /* blocks like a patch, without it */
};

/* What a careful reader finds in them. */
static const struct reading readings[] = {
    {"embedded/g062-", 1, 0},
    {"embedded/g063-", 1, 0},
    {"embedded/g066-", 0, 0},
    {"embedded/g067-", 1, 0},
    {"embedded/g069-", 2, 0},
    {"embedded/g006-", 0, 0},
    {"embedded/g011-", 0, 0},
    {"embedded/g015-", 0, 0},
    {"embedded/g058-", 0, 0},
    {"embedded/g014-", 0, 0},
    {"embedded/s005-", 0, 1},
    {"embedded/t035-", 0, 0},
    {"embedded/c030-", 0, 1},
};

static void
check_reading(const struct file *f, size_t patches, size_t near)
{
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		const struct reading *want = &readings[i];

		if (strncmp(f->name, want->prefix, strlen(want->prefix)) == 0 &&
		    (patches != want->patches || near != want->near))
			fail_msg("%s: %zu patches, %zu near-misses", f->name,
			    patches, near);
	}
}

static void
embedded_ones_are_read_with_care(void **state)
{
	const struct corpus *c = *state;
	size_t all = 0, all_near = 0;

	need(c);
	for (size_t i = 0; i < c->count; i++) {
		const struct file *f = &c->files[i];
		size_t patches, near;

		if (is_document(f))
			continue;
		(void)runnable(f, &patches, &near);
		check_reading(f, patches, near);
		all += patches;
		all_near += near;
	}
	print_message("# chats: %zu patches, %zu near-misses\n", all, all_near);
}

/* A JSON document pasted into a chat, bare or fenced, is one block. */
static void
a_pasted_document_is_one_block(void **state)
{
	const struct corpus *c = *state;

	need(c);
	for (size_t i = 0; i < c->count; i++) {
		const struct file *f = &c->files[i];
		struct buf chat = {0};
		struct extract_state st = {0};
		struct extract_result r;

		if (strcmp(f->class, "patch") != 0 ||
		    strncmp(f->name, "json/", 5) != 0)
			continue;
		buf_puts(&chat, "Do this:\n\n");
		buf_add(&chat, f->text.bytes, f->text.len);
		buf_puts(&chat, "\n\nand this\n\n```json\n");
		buf_add(&chat, f->text.bytes, f->text.len);
		buf_puts(&chat, "\n```\n");
		extract_text(chat.bytes, chat.len, false, &st, &r);
		if (r.count != 2 || r.consumed != chat.len)
			fail_msg("%s: %zu blocks", f->name, r.count);
		extract_free(&r);
		buf_free(&chat);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_is_accepted_or_refused_with_a_place),
	    cmocka_unit_test(shapes_have_the_verdict_they_deserve),
	    cmocka_unit_test(json_means_the_same_as_yaml),
	    cmocka_unit_test(what_is_no_patch_is_refused_in_a_chat),
	    cmocka_unit_test(embedded_ones_are_read_with_care),
	    cmocka_unit_test(a_pasted_document_is_one_block),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
