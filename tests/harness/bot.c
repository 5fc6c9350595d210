/* SPDX-License-Identifier: ISC */
/*
 * bot [SEED]: changes (triples.pl) on standard input, made as edits to files
 * that were changed meanwhile. Where an edit is refused, a small robot reads
 * the error record, does what its hint says, and sends the edit once more: it
 * knows its own edit and the record, and of the file only what the record
 * quotes; for "add neighbouring lines" also what it saw when it wrote the
 * edit. Prints how many it repairs, by kind of damage; exit 1 under 80 %, or
 * where a repair gave a wrong file.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/edit.h"
#include "executor/hunk.h"

#define LEAST 80 /* per cent */
#define AROUND 8 /* neighbouring lines that it adds */

enum damage { CHANGED, DROPPED, ADDED, BLANKS, TWICE, DAMAGES };
static const char *const damage_name[DAMAGES] = {"a line of it differs",
    "a line of it is gone", "a line came into it", "other blanks within",
    "it is there twice"};
static unsigned refused[DAMAGES], repaired[DAMAGES], wrong, unexpected;

static uint64_t seed;

static size_t
below(size_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return n == 0 ? 0 : (size_t)(seed >> 33) % n;
}

/* A list of lines that owns them. */
struct text {
	char **lines;
	size_t count;
};

static void
insert(struct text *t, size_t at, const char *line)
{
	t->lines = xreallocarray(t->lines, t->count + 1, sizeof(*t->lines));
	memmove(&t->lines[at + 1], &t->lines[at],
	    (t->count - at) * sizeof(*t->lines));
	t->lines[at] = xstrdup(line);
	t->count++;
}

static void
cut(struct text *t, size_t at)
{
	free(t->lines[at]);
	t->count--;
	memmove(&t->lines[at], &t->lines[at + 1],
	    (t->count - at) * sizeof(*t->lines));
}

static void
free_text(struct text *t)
{
	while (t->count > 0)
		cut(t, t->count - 1);
	free(t->lines);
	memset(t, 0, sizeof(*t));
}

static struct text
split(const char *s)
{
	struct text t = {0};

	while (*s != '\0') {
		const char *nl = strchrnul(s, '\n');
		char *line = xstrndup(s, (size_t)(nl - s));

		insert(&t, t.count, line);
		free(line);
		s = *nl == '\n' ? nl + 1 : nl;
	}
	return t;
}

static void
join(const struct text *t, struct buf *out)
{
	buf_clear(out);
	buf_reserve(out, 1);
	for (size_t i = 0; i < t->count; i++)
		buf_printf(out, "%s\n", t->lines[i]);
}

/* The edit in work: which lines it wants to see, which of them go ('-'), and
 * which come ('+'), in order. */
struct edit {
	struct text lines;
	char *signs;
	size_t first; /* of the file that its author saw, from 0 */
};

static void
edit_insert_line(struct edit *e, size_t at, char sign, const char *line)
{
	insert(&e->lines, at, line);
	e->signs = xreallocarray(e->signs, e->lines.count, 1);
	memmove(e->signs + at + 1, e->signs + at, e->lines.count - 1 - at);
	e->signs[at] = sign;
}

static void
edit_cut(struct edit *e, size_t at)
{
	cut(&e->lines, at);
	memmove(e->signs + at, e->signs + at + 1, e->lines.count - at);
}

static void
edit_from(const struct hunk *k, struct edit *e)
{
	memset(e, 0, sizeof(*e));
	e->first = k->hint - 1;
	for (size_t i = 0; i < k->lines.count; i++) {
		char *line =
		    xstrndup(k->lines.items[i].s, k->lines.items[i].len);

		edit_insert_line(e, i, k->signs[i], line);
		free(line);
	}
}

static void
edit_free(struct edit *e)
{
	free_text(&e->lines);
	free(e->signs);
}

static void
put_side(const struct edit *e, char other, struct buf *out)
{
	buf_reserve(out, 1);
	for (size_t i = 0; i < e->lines.count; i++)
		if (e->signs[i] != other)
			buf_printf(out, "%s\n", e->lines.lines[i]);
}

static int
send(const struct edit *e, const struct text *file, struct buf *out,
    json_t **error)
{
	struct buf find = {0}, with = {0}, text = {0};
	struct plan_edit p;
	int answer;

	put_side(e, '+', &find);
	put_side(e, '-', &with);
	join(file, &text);
	p = (struct plan_edit){{find.bytes, find.len}, {with.bytes, with.len},
	    1};
	buf_clear(out);
	buf_reserve(out, 1);
	answer = edit_replace(text.bytes, text.len, &p, out, error);
	buf_free(&find);
	buf_free(&with);
	buf_free(&text);
	return answer;
}

/* The next line, from i on, that the edit wants to see. */
static size_t
wanted(const struct edit *e, size_t i)
{
	while (i < e->lines.count && e->signs[i] == '+')
		i++;
	return i;
}

static bool
agrees(const struct edit *e, size_t i, const struct text *seen, size_t j)
{
	return i < e->lines.count && j < seen->count &&
	       strcmp(e->lines.lines[i], seen->lines[j]) == 0;
}

/* What the record quotes of the best candidate takes the place of what the
 * edit wanted to see there. */
static void
copy_from_file(struct edit *e, const struct text *seen)
{
	size_t i = wanted(e, 0), j = 0;

	while (i < e->lines.count && j < seen->count) {
		size_t after = wanted(e, i + 1);

		if (agrees(e, i, seen, j)) {
			j++;
		} else if (agrees(e, after, seen, j)) {
			edit_cut(e, i);
			i = wanted(e, i);
			continue;
		} else if (agrees(e, i, seen, j + 1)) {
			edit_insert_line(e, i, ' ', seen->lines[j]);
			j++;
		} else {
			free(e->lines.lines[i]);
			e->lines.lines[i] = xstrdup(seen->lines[j]);
			j++;
		}
		i = wanted(e, i + 1);
	}
}

static void
add_neighbours(struct edit *e, const struct text *saw)
{
	size_t olds = 0, before = e->first;

	if (saw->lines == NULL)
		return;
	for (size_t i = 0; i < e->lines.count; i++)
		olds += e->signs[i] != '+';
	for (size_t i = 0; i < AROUND && e->first + olds + i < saw->count; i++)
		edit_insert_line(e, e->lines.count, ' ',
		    saw->lines[before + olds + i]);
	for (size_t i = 0; i < AROUND && before > 0; i++)
		edit_insert_line(e, 0, ' ', saw->lines[--before]);
}

static void
follow(struct edit *e, const json_t *error, const struct text *saw)
{
	const char *hint = json_string_value(json_object_get(error, "hint"));
	const json_t *best =
	    json_array_get(json_object_get(error, "candidates"), 0);
	const char *text = json_string_value(json_object_get(best, "text"));
	struct text seen;

	if (hint != NULL && strstr(hint, "neighbouring") != NULL) {
		add_neighbours(e, saw);
	} else if (hint != NULL && strstr(hint, "copy") != NULL &&
		   text != NULL) {
		seen = split(text);
		copy_from_file(e, &seen);
		free_text(&seen);
	}
}

/* Changes the file where the edit goes, at its line at (of those that it
 * wants to see). False where that cannot be. */
static bool
damage(struct text *file, const struct edit *e, enum damage how, size_t at)
{
	struct buf b = {0};
	char *line;

	if (file->lines == NULL)
		return false;
	line = file->lines[e->first + at];
	switch (how) {
	case CHANGED:
		buf_printf(&b, "%s /* changed */", line);
		break;
	case BLANKS:
		if (strpbrk(line, " \t") == NULL || strlen(line) < 4)
			return false;
		for (const char *s = line; *s != '\0'; s++)
			buf_printf(&b, "%c%s", *s, *s == ' ' ? " " : "");
		break;
	case DROPPED:
		cut(file, e->first + at);
		return true;
	case ADDED:
		insert(file, e->first + at, "int came_meanwhile;");
		return true;
	case TWICE:
	case DAMAGES:
		return false;
	}
	if (strcmp(b.bytes, line) == 0) {
		buf_free(&b);
		return false;
	}
	free(line);
	file->lines[e->first + at] = buf_take(&b);
	return true;
}

/* What the edit sees stands at the end once more. */
static void
double_it(struct text *file, const struct edit *e)
{
	struct text copy = {0};

	for (size_t i = 0; i < e->lines.count; i++)
		if (e->signs[i] != '+')
			insert(&copy, copy.count, e->lines.lines[i]);
	insert(file, file->count, "between");
	for (size_t i = 0; i < copy.count; i++)
		insert(file, file->count, copy.lines[i]);
	free_text(&copy);
}

/* Right is what has all lines that come, as often as before or once more. */
static bool
is_right(const struct edit *e, const struct text *file, const struct buf *out)
{
	size_t lines = 0, come = 0, go = 0;

	for (size_t i = 0; i < out->len; i++)
		lines += out->bytes[i] == '\n';
	for (size_t i = 0; i < e->lines.count; i++) {
		come += e->signs[i] == '+';
		go += e->signs[i] == '-';
		if (e->signs[i] == '+' &&
		    strstr(out->bytes, e->lines.lines[i]) == NULL)
			return false;
	}
	return lines == file->count + come - go;
}

static void
try_damage(const struct hunk *k, const struct text *saw, enum damage how)
{
	struct text file = {0};
	struct buf out = {0};
	json_t *error = NULL;
	struct edit e;

	edit_from(k, &e);
	for (size_t i = 0; i < saw->count; i++)
		insert(&file, i, saw->lines[i]);
	if (how == TWICE)
		double_it(&file, &e);
	else if (!damage(&file, &e, how, below(k->old.count)))
		goto out;
	if (send(&e, &file, &out, &error) == 0) {
		/* A change at the edge, or the same text elsewhere. */
		unexpected++;
		goto out;
	}
	refused[how]++;
	follow(&e, error, saw);
	json_decref(error);
	error = NULL;
	if (send(&e, &file, &out, &error) == 0) {
		repaired[how]++;
		wrong += !is_right(&e, &file, &out);
	}
out:
	json_decref(error);
	edit_free(&e);
	free_text(&file);
	buf_free(&out);
}

static void
try_change(const char *old, const struct buf *diff)
{
	struct text saw = split(old);
	struct hunks h;
	const char *why;

	if (strchr(old, '\r') != NULL || strlen(old) < 2 ||
	    old[strlen(old) - 1] != '\n')
		goto out;
	if (hunks_read(diff->bytes, diff->len, &h, &why) &&
	    h.items[0].old.count > 3 && !h.items[0].old_open &&
	    !h.items[0].new_open)
		for (int how = 0; how < DAMAGES; how++)
			try_damage(&h.items[0], &saw, (enum damage)how);
	hunks_free(&h);
out:
	free_text(&saw);
}

static void
take(struct buf *b, size_t len)
{
	buf_clear(b);
	buf_reserve(b, len + 1);
	if (fread(b->bytes, 1, len, stdin) != len)
		errx(1, "the input ends early");
	b->len = len;
	b->bytes[len] = '\0';
}

static int
report(void)
{
	unsigned all = 0, good = 0;

	for (int how = 0; how < DAMAGES; how++) {
		printf("# %-22s %6u refused, %6u repaired in one round\n",
		    damage_name[how], refused[how], repaired[how]);
		all += refused[how];
		good += repaired[how];
	}
	printf("# %u of %u repaired (%u %%), %u wrong; %u were no damage\n",
	    good, all, all > 0 ? good * 100 / all : 0, wrong, unexpected);
	return all == 0 || wrong > 0 || good * 100 < all * LEAST;
}

int
main(int argc, char *argv[])
{
	struct buf old = {0}, new = {0}, diff = {0};
	char head[80], *end;
	size_t a, b;

	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	while (fgets(head, sizeof(head), stdin) != NULL) {
		a = strtoull(head, &end, 10);
		b = strtoull(end, &end, 10);
		take(&old, a);
		take(&new, b);
		take(&diff, strtoull(end, &end, 10));
		if (strlen(old.bytes) == old.len)
			try_change(old.bytes, &diff);
	}
	buf_free(&old);
	buf_free(&new);
	buf_free(&diff);
	return report();
}
