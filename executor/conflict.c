/* SPDX-License-Identifier: ISC */
/* Three versions of a path, and what differs between two of them. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "executor/basis.h"
#include "executor/beneath.h"
#include "executor/changes.h"
#include "executor/conflict.h"
#include "executor/pathjson.h"
#include "executor/udiff.h"
#include "executor/utf8.h"

#define SHOW_MAX (256u << 10) /* larger files are not diffed */
#define DIFF_MAX (16u << 10)  /* of one path */
#define DIFFS_MAX (64u << 10) /* of all */

enum { BASE, NOW, PATCH };

static void
say_kind(struct conflict_side *s, const char *word)
{
	(void)strlcpy(s->hash, word, sizeof(s->hash));
	s->why = word;
}

static void
read_link(int root, const char *path, struct conflict_side *s)
{
	char target[4096];
	const char *name;
	int dir = beneath_parent(root, path, &name);
	ssize_t n =
	    dir == -1 ? -1 : readlinkat(dir, name, target, sizeof(target));

	if (dir != -1)
		(void)close(dir);
	if (n != -1)
		digest_bytes(target, (size_t)n, s->hash);
	s->why = "symbolic link";
}

static void
read_large(int root, const char *path, struct conflict_side *s)
{
	int fd = beneath_open(root, path, O_RDONLY);

	if (fd == -1 || digest_fd(fd, s->hash) == -1)
		s->hash[0] = '\0';
	if (fd != -1)
		(void)close(fd);
	s->why = "large";
}

static void
read_file(int root, const char *path, struct conflict_side *s)
{
	struct stat st;

	s->text = beneath_read(root, path, SHOW_MAX, &s->len, &st);
	if (s->text == NULL) {
		s->why = "unreadable";
		return;
	}
	digest_bytes(s->text, s->len, s->hash);
	if (memchr(s->text, '\0', s->len) == NULL)
		return;
	free(s->text);
	s->text = NULL;
	s->why = "binary";
}

void
conflict_read(int root, const char *path, struct conflict_side *s)
{
	struct stat st;
	int found = beneath_stat(root, path, &st);

	*s = (struct conflict_side){.why = "not known"};
	if (found == 0) {
		say_kind(s, "absent");
		s->text = xstrdup("");
	} else if (found == 1 && S_ISLNK(st.st_mode)) {
		read_link(root, path, s);
	} else if (found == 1 && !S_ISREG(st.st_mode)) {
		say_kind(s, S_ISDIR(st.st_mode) ? "directory" : "special");
	} else if (found == 1 && st.st_size <= SHOW_MAX) {
		read_file(root, path, s);
	} else if (found == 1) {
		read_large(root, path, s);
	}
}

void
conflict_side_free(struct conflict_side *s)
{
	free(s->text);
	s->text = NULL;
}

static json_t *
hash_json(const struct conflict_side *s)
{
	return s->hash[0] != '\0' ? json_string(s->hash) : json_null();
}

static bool
is_absent(const struct conflict_side *s)
{
	return strcmp(s->hash, "absent") == 0;
}

static bool
is_same(const struct conflict_side *a, const struct conflict_side *b)
{
	return a->hash[0] != '\0' && strcmp(a->hash, b->hash) == 0;
}

/* What the diffs of all paths may still take. */
static size_t
room(const json_t *list)
{
	const json_t *entry;
	size_t used = 0, i;

	json_array_foreach (list, i, entry) {
		used += json_string_length(json_object_get(entry, "diff"));
	}
	if (used >= DIFFS_MAX)
		return 0;
	return DIFFS_MAX - used < DIFF_MAX ? DIFFS_MAX - used : DIFF_MAX;
}

static void
set_diff(json_t *entry, const char *path, const struct conflict_side *sides,
    int from, size_t max)
{
	static const char *const label[] = {"base", "now", "patch"};
	const struct conflict_side *a = &sides[from], *b = &sides[from + 1];
	struct buf d = {0};

	buf_printf(&d, "--- %s%s%s\n+++ %s%s%s\n",
	    is_absent(a) ? "/dev/null" : label[from], is_absent(a) ? "" : "/",
	    is_absent(a) ? "" : path,
	    is_absent(b) ? "/dev/null" : label[from + 1],
	    is_absent(b) ? "" : "/", is_absent(b) ? "" : path);
	udiff_text(a->text, a->len, b->text, b->len, &d);
	if (d.len > max) {
		json_object_set_new(entry, "diff_truncated", json_true());
		/* Whole lines only. */
		for (d.len = max; d.len > 0 && d.bytes[d.len - 1] != '\n';)
			d.len--;
	}
	json_object_set_new(entry, "diff", utf8_json(d.bytes, d.len));
	json_object_set_new(entry, "diff_of",
	    json_string(from == BASE ? "others" : "patch"));
	buf_free(&d);
}

/* What the others did tells most; without the version of before, what the
 * patch would do to theirs. */
static void
add_diff(json_t *entry, const char *path, const struct conflict_side *s,
    size_t max)
{
	const char *why = NULL;

	if (is_same(&s[BASE], &s[NOW]))
		why = "same content";
	else if (s[NOW].text == NULL)
		why = s[NOW].why;
	else if (max == 0)
		why = "too many";
	else if (s[BASE].text != NULL)
		set_diff(entry, path, s, BASE, max);
	else if (s[PATCH].text != NULL)
		set_diff(entry, path, s, NOW, max);
	else
		why = s[PATCH].why;
	if (why != NULL)
		json_object_set_new(entry, "no_diff", json_string(why));
}

void
conflict_add(struct fault *f, const char *path, const char *why,
    const struct conflict_side sides[3])
{
	json_t *entry;

	if (f->conflicts == NULL)
		f->conflicts = json_array();
	if (changes_find(f->conflicts, path) != NULL)
		return;
	if (json_array_size(f->conflicts) >= CONFLICTS_MAX) {
		f->conflicts_more++;
		return;
	}
	entry = json_pack("{s:o,s:o,s:o,s:o}", "why", utf8_string(why),
	    "base_sha256", hash_json(&sides[BASE]), "now_sha256",
	    hash_json(&sides[NOW]), "patch_sha256", hash_json(&sides[PATCH]));
	pathjson_put(entry, path);
	add_diff(entry, path, sides, room(f->conflicts));
	json_array_append_new(f->conflicts, entry);
}

static void
read_staged(const struct conflict_look *l, const char *path,
    struct conflict_side *s)
{
	const char *rest;
	const struct op *o =
	    l->ops != NULL ? ops_find(l->ops, path, &rest) : NULL;
	char name[OP_NAME_SIZE];
	char *below;

	*s = (struct conflict_side){.why = "not known"};
	if (o == NULL)
		return;
	if (l->back ? o->old_ino == 0 : o->kind == OP_DELETE) {
		say_kind(s, "absent");
		s->text = xstrdup("");
		return;
	}
	op_name(o, name);
	below = xasprintf("%s%s", name, rest);
	conflict_read(o->kind == OP_PUT ? l->txn->new : l->txn->old, below, s);
	free(below);
}

void
conflict_note(const struct conflict_look *l, const char *path, const char *why,
    struct fault *f)
{
	struct conflict_side sides[3];

	if (json_array_size(f->conflicts) >= CONFLICTS_MAX) {
		f->conflicts_more++;
		return;
	}
	basis_find(l->bases, path, &sides[BASE]);
	conflict_read(l->workspace->fd, path, &sides[NOW]);
	read_staged(l, path, &sides[PATCH]);
	conflict_add(f, path, why, sides);
	for (size_t i = 0; i < 3; i++)
		conflict_side_free(&sides[i]);
}
