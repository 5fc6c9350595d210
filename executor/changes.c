/* SPDX-License-Identifier: ISC */
/* Hashes and texts of what a patch changes. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/difftext.h"
#include "common/digest.h"
#include "executor/beneath.h"
#include "executor/changes.h"
#include "executor/gitindex.h"
#include "executor/pathjson.h"
#include "executor/udiff.h"
#include "executor/utf8.h"

#define SHOW_MAX (512u << 10) /* larger files are not diffed */

void
changes_open(struct changes *c, size_t diff_max)
{
	memset(c, 0, sizeof(*c));
	c->list = json_array();
	c->hidden = json_array();
	c->diff_max = diff_max;
}

void
changes_close(struct changes *c)
{
	json_decref(c->list);
	json_decref(c->hidden);
	buf_free(&c->diff);
	c->list = c->hidden = NULL;
}

/* Of a file its bytes, of a link what it says, of others nothing. */
static json_t *
hash(const struct changes *c, const struct change_side *s)
{
	char digest[DIGEST_SIZE], target[4096];
	ssize_t n;
	int fd, failed;

	if (s->dir == -1 || S_ISDIR(s->st->st_mode))
		return json_null();
	if (S_ISLNK(s->st->st_mode)) {
		n = readlinkat(s->dir, s->name, target, sizeof(target));
		if (n == -1)
			return NULL;
		digest_bytes(target, (size_t)n, digest);
		return json_string(digest);
	}
	if (!S_ISREG(s->st->st_mode))
		return json_null();
	fd = openat(s->dir, s->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	failed = digest_fd_told(fd, digest, c->beat, c->beat_owner);
	(void)close(fd);
	return failed == -1 ? NULL : json_string(digest);
}

static const char *
op_word(const struct change_side *a, const struct change_side *b)
{
	if (b->dir == -1)
		return "deleted";
	if (S_ISDIR(b->st->st_mode))
		return a->dir != -1 && S_ISDIR(a->st->st_mode) ? "mode"
							       : "directory";
	return a->dir == -1 ? "added" : "modified";
}

static bool
is_text(const char *bytes, size_t len)
{
	return memchr(bytes, '\0', len) == NULL;
}

/* "" for a side without a file; NULL where it is not for showing. */
static char *
show(const struct change_side *s, size_t *len)
{
	struct stat st;
	char *bytes;

	*len = 0;
	if (s->dir == -1)
		return xstrdup("");
	if (!S_ISREG(s->st->st_mode))
		return NULL;
	bytes = beneath_read(s->dir, s->name, SHOW_MAX, len, &st);
	if (bytes != NULL && !is_text(bytes, *len)) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

static void
add_name(struct changes *c, const char *sign, const char *prefix,
    const struct change_side *s, const char *path)
{
	buf_puts(&c->diff, sign);
	if (s->dir != -1)
		difftext_put_path(&c->diff, prefix, path);
	else
		buf_puts(&c->diff, "/dev/null");
	buf_putc(&c->diff, '\n');
}

static void
add_diff(struct changes *c, const char *path, const struct change_side *a,
    const struct change_side *b)
{
	size_t an, bn, mark = c->diff.len;
	char *at, *bt;

	if (c->diff_cut || (b->dir != -1 && S_ISDIR(b->st->st_mode)) ||
	    (b->dir == -1 && S_ISDIR(a->st->st_mode)))
		return;
	at = show(a, &an);
	bt = show(b, &bn);
	add_name(c, "--- ", "a/", a, path);
	add_name(c, "+++ ", "b/", b, path);
	if (at == NULL || bt == NULL)
		buf_puts(&c->diff, "(binary, large or special: not shown)\n");
	else
		udiff_text(at, an, bt, bn, &c->diff);
	free(at);
	free(bt);
	if (c->diff.len <= c->diff_max)
		return;
	/* Whole lines only; what was cut is said. */
	c->diff_cut = true;
	c->diff.len = c->diff_max > mark ? c->diff_max : mark;
	while (c->diff.len > mark && c->diff.bytes[c->diff.len - 1] != '\n')
		c->diff.len--;
	c->diff.bytes[c->diff.len] = '\0';
}

static void
count(struct changes *c, const char *path, const struct change_side *b,
    const struct stat *st)
{
	if (!S_ISDIR(st->st_mode))
		c->count++;
	if (b->dir != -1 && S_ISREG(st->st_mode))
		c->bytes += st->st_size;
	if (c->on != NULL)
		c->on(c->owner, path);
}

/* NULL where one of them cannot be read. */
static json_t *
make_entry(const struct changes *c, const char *path,
    const struct change_side *a, const struct change_side *b)
{
	const struct stat *st = b->dir != -1 ? b->st : a->st;
	json_t *old = hash(c, a), *new = hash(c, b), *entry;
	char mode[16];

	if (old == NULL || new == NULL) {
		json_decref(old);
		json_decref(new);
		return NULL;
	}
	if (snprintf(mode, sizeof(mode), "%04o", st->st_mode & 07777) < 0)
		mode[0] = '\0';
	entry = json_object();
	pathjson_put(entry, path);
	json_object_update_new(entry,
	    json_pack("{s:s,s:o,s:o,s:s,s:I}", "op", op_word(a, b),
		"old_sha256", old, "new_sha256", new, "mode", mode, "bytes",
		(json_int_t)(b->dir != -1 ? st->st_size : 0)));
	return entry;
}

/* Objects are nobody's to undo, and of the index something else tells. */
static void
add_hidden(struct changes *c, const char *path, const struct change_side *a,
    const struct change_side *b)
{
	json_t *entry = NULL;

	if (strncmp(path, ".git/objects/", 13) != 0 &&
	    strcmp(path, GITINDEX_PATH) != 0 &&
	    json_array_size(c->hidden) < CHANGES_MAX)
		entry = make_entry(c, path, a, b);
	if (entry != NULL)
		json_array_append_new(c->hidden, entry);
}

int
changes_add(struct changes *c, const char *path, const struct change_side *a,
    const struct change_side *b)
{
	json_t *entry;

	if (strcmp(path, ".git") == 0 || strncmp(path, ".git/", 5) == 0) {
		add_hidden(c, path, a, b);
		return 0;
	}
	count(c, path, b, b->dir != -1 ? b->st : a->st);
	if (json_array_size(c->list) >= CHANGES_MAX) {
		c->unlisted++;
		return 0;
	}
	entry = make_entry(c, path, a, b);
	if (entry == NULL)
		return -1;
	json_array_append_new(c->list, entry);
	add_diff(c, path, a, b);
	return 0;
}

void
changes_describe(struct changes *c, json_t *outcome)
{
	json_object_set(outcome, "changes", c->list);
	if (c->unlisted > 0)
		json_object_set_new(outcome, "changes_unlisted",
		    json_integer((json_int_t)c->unlisted));
	json_object_set_new(outcome, "diff",
	    utf8_json(c->diff.bytes != NULL ? c->diff.bytes : "", c->diff.len));
	json_object_set_new(outcome, "diff_truncated",
	    json_boolean(c->diff_cut));
}

const json_t *
changes_find(const json_t *list, const char *path)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		if (pathjson_is(entry, path))
			return entry;
	}
	return NULL;
}
