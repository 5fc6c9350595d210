/* SPDX-License-Identifier: ISC */
/*
 * A unified diff as canonical mutations, one for each file that it speaks of:
 * renames and modes by mutations of their own, the hunks without the headers
 * that say nothing more.
 */
#include <string.h>

#include "common/buf.h"
#include "common/difftext.h"
#include "common/patch_part.h"

#define MODE_TYPE 0170000
#define MODE_FILE 0100000

static bool
refuse(const struct patch_item *i, const char *why, const char *hint)
{
	(void)patch_refuse(i->f, PATCH_INVALID, i->at, "%s", why);
	return patch_hint(i->f, hint);
}

static bool
is_plain_mode(int mode)
{
	return mode == -1 || (mode & MODE_TYPE) == MODE_FILE;
}

/* Every line of the hunks says what it is, and one changes something. No text
 * of a document holds a NUL, which strchr would find. */
static bool
check_body(const struct patch_item *i, const struct diff_file *f,
    const char *text)
{
	const char *end = f->body + f->body_len, *nl;
	bool changes = f->body_len == 0;
	size_t line = 1;

	for (const char *s = text; s < f->body; s++)
		line += *s == '\n';
	for (const char *s = f->body; s < end; s = nl + 1, line++) {
		nl = memchr(s, '\n', (size_t)(end - s));
		if (nl == NULL)
			nl = end;
		changes |= *s == '+' || *s == '-';
		if (strchr("@ +-\\\r\n", *s) != NULL)
			continue;
		(void)patch_refuse(i->f, PATCH_INVALID, i->at,
		    "line %zu of the diff begins with neither a blank, - nor +",
		    line);
		return patch_hint(i->f,
		    "put a blank before each line that stays as it is");
	}
	return changes ||
	       refuse(i, "a hunk of the diff changes nothing",
		   "a line that goes begins with -, one that comes with +");
}

static bool
check_file(const struct patch_item *i, const struct diff_file *f)
{
	if (f->binary)
		return refuse(i, "a binary diff cannot be applied",
		    "give the file with contents and encoding: base64");
	if (f->combined)
		return refuse(i, "a combined diff of a merge cannot be applied",
		    "make a diff against one version of the file");
	if (f->copies)
		return refuse(i, "a diff that copies a file is not applied",
		    "give the new file with contents");
	if (!is_plain_mode(f->old_mode) || !is_plain_mode(f->new_mode))
		return refuse(i,
		    "a diff of a symbolic link or a submodule is not applied",
		    "use delete and symlink");
	return true;
}

/* Does a header name the file that the mutation names? The mutation may give
 * more of the path: it is absolute, or the diff was made further down. */
static bool
agrees(const char *path, const char *name)
{
	size_t p = strlen(path), n;

	if (name == NULL)
		return false;
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	n = strlen(name);
	if (n == 0 || n > p || strcmp(path + p - n, name) != 0)
		return false;
	return n == p || path[p - n - 1] == '/' || name[0] == '/';
}

static bool
check_path(const struct patch_item *i, const struct diff_file *f)
{
	const char *given = json_string_value(i->path);

	if (f->renames)
		return refuse(i, "the diff renames a file, and path names one",
		    "leave path out, or use a rename before the diff");
	if ((f->old_path == NULL && f->new_path == NULL) ||
	    agrees(given, f->old_path) || agrees(given, f->new_path) ||
	    agrees(given, diff_file_old(f)) || agrees(given, diff_file_new(f)))
		return true;
	(void)patch_refuse(i->f, PATCH_INVALID, i->at,
	    "the diff is for %.100s, but path is %.100s",
	    diff_file_new(f) != NULL ? diff_file_new(f) : diff_file_old(f),
	    given);
	return patch_hint(i->f, "one of them is wrong; path alone is enough");
}

/* The path that the diff itself names, checked; NULL when refused. */
static json_t *
named_path(const struct patch_item *i, const char *name)
{
	json_t *v, *path;

	if (name == NULL) {
		(void)refuse(i, "the diff does not say of which file it is",
		    "give path, or the headers --- a/FILE and +++ b/FILE");
		return NULL;
	}
	v = json_string(name);
	if (v == NULL) {
		(void)refuse(i, "the name of a file is not UTF-8", "give path");
		return NULL;
	}
	path = patch_path(i->f, v, i->at);
	json_decref(v);
	return path;
}

static void
put_name(struct buf *out, const char *word, char prefix, const char *path)
{
	bool quote = path[0] == '"' || strchr(path, '\\') != NULL;

	buf_printf(out, "%s %s%c/", word, quote ? "\"" : "", prefix);
	for (; *path != '\0'; path++) {
		if (quote && (*path == '"' || *path == '\\'))
			buf_putc(out, '\\');
		buf_putc(out, *path);
	}
	buf_puts(out, quote ? "\"\n" : "\n");
}

/* Only what the hunks do not say: that the file comes, or goes. */
static json_t *
canonical_text(const struct diff_file *f, const char *path)
{
	struct buf out = {0};
	json_t *text;

	if (f->deletes)
		put_name(&out, "---", 'a', path);
	else if (f->creates)
		buf_puts(&out, "--- /dev/null\n");
	if (f->deletes)
		buf_puts(&out, "+++ /dev/null\n");
	else if (f->creates)
		put_name(&out, "+++", 'b', path);
	if (f->body_len > 0 && f->body[0] != '@')
		buf_puts(&out, "@@\n");
	buf_add(&out, f->body, f->body_len);
	text = json_stringn(out.bytes, out.len);
	buf_free(&out);
	return text;
}

static json_t *
mode_text(int mode)
{
	char s[8] = {'0', (char)('0' + (mode >> 6 & 7)),
	    (char)('0' + (mode >> 3 & 7)), (char)('0' + (mode & 7)), '\0'};

	return json_string(s);
}

/* 100644 is what a new file has anyway. */
static bool
put_new_mode(const struct patch_item *i, const struct diff_file *f, json_t *m)
{
	const json_t *v = json_object_get(i->v, "mode");
	json_t *mode;

	if (v != NULL && !json_is_null(v)) {
		mode = patch_mode(i->f, v, patch_key(i->at, "mode"));
		if (mode == NULL)
			return false;
		patch_put(m, "mode", mode);
	} else if (f->creates && f->new_mode != -1 && (f->new_mode & 0111)) {
		patch_put(m, "mode", mode_text(f->new_mode));
	}
	return true;
}

static bool
add_hunks(const struct patch_item *i, const struct diff_file *f,
    const json_t *path)
{
	json_t *m;

	if (f->body_len == 0 && f->creates)
		m = json_pack("{s:s, s:O, s:s, s:b}", "op", "write", "path",
		    path, "contents", "", "create", 1);
	else
		m = json_pack("{s:s, s:O, s:o}", "op", "diff", "path", path,
		    "diff", canonical_text(f, json_string_value(path)));
	if (!put_new_mode(i, f, m)) {
		json_decref(m);
		return false;
	}
	patch_add(i->f, m);
	return true;
}

static bool
add_rename(const struct patch_item *i, const struct diff_file *f,
    const json_t *to)
{
	json_t *from = named_path(i, diff_file_old(f));

	if (from == NULL)
		return false;
	patch_add(i->f, json_pack("{s:s, s:o, s:O}", "op", "rename", "path",
			    from, "rename", to));
	return true;
}

static bool
add_file(const struct patch_item *i, const struct diff_file *f,
    const json_t *path)
{
	bool changes_mode = !f->creates && !f->deletes && f->new_mode != -1;
	bool hunks = f->body_len > 0 || f->creates || f->deletes;

	if (!hunks && !changes_mode && !f->renames)
		return refuse(i, "the diff changes nothing",
		    "a hunk is @@ and lines that begin with a blank, - or +");
	if (f->renames && !add_rename(i, f, path))
		return false;
	if (hunks && !add_hunks(i, f, path))
		return false;
	if (changes_mode)
		patch_add(i->f,
		    json_pack("{s:s, s:O, s:o}", "op", "chmod", "path", path,
			"chmod", mode_text(f->new_mode)));
	return true;
}

static bool
take_file(const struct patch_item *i, const struct diff_file *f,
    const char *text, bool more)
{
	json_t *path;
	bool ok;

	if (!check_file(i, f) || !check_body(i, f, text))
		return false;
	if (i->path != NULL && more)
		return refuse(i, "the diff is of several files, path names one",
		    "leave path out, or give one mutation for each file");
	if (i->path != NULL && !check_path(i, f))
		return false;
	path = i->path != NULL ? json_incref(i->path)
			       : named_path(i, f->deletes ? diff_file_old(f)
							  : diff_file_new(f));
	ok = path != NULL && add_file(i, f, path);
	json_decref(path);
	return ok;
}

static bool
refuse_text(const struct patch_item *i, const char *text)
{
	if (strstr(text, "*** Begin Patch") != NULL ||
	    strstr(text, "<<<<<<<") != NULL)
		return refuse(i, "this is an edit format, not a unified diff",
		    "use edits with find and replace");
	return refuse(i, "this is not a unified diff",
	    "a hunk is @@ and lines that begin with a blank, - or +");
}

bool
patch_diff(const struct patch_item *i, const char *text)
{
	struct difftext d = {text, text + strlen(text), false};
	struct diff_file f, next;
	bool more, ok = true;

	if (!difftext_next(&d, &f))
		return refuse_text(i, text);
	do {
		more = difftext_next(&d, &next);
		ok = take_file(i, &f, text, more);
		diff_file_free(&f);
		f = next;
	} while (ok && more);
	diff_file_free(&f);
	return ok;
}
