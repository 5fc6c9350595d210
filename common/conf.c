/* SPDX-License-Identifier: ISC */
/*
 * A YAML mapping into a struct, by a table. Reading and binding; the values
 * themselves are conf_value.c's. Every error is collected, none ends the
 * walk, so that one run shows all that is wrong with a file.
 */
#include "common/conf.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conf_value.h"
#include "common/nearest.h"

#define CONF_MAX (1 << 20) /* bytes; a configuration is not longer */

static int bind_table(struct conf_file *f, const struct conf_key *keys,
    const json_t *map, const char *path, void *out);

int
conf_line(const struct conf_file *f, const char *path)
{
	struct doc_error at = {0};

	if (f->text != NULL)
		doc_locate(f->text, f->len, f->format, path, &at);
	return at.line > 0 ? at.line : 1;
}

void
conf_error(struct conf_file *f, const char *path, const char *fmt, ...)
{
	va_list ap;

	buf_printf(f->errs, "%s:%d: ", f->path, conf_line(f, path));
	if (path[0] != '\0')
		buf_printf(f->errs, "%s: ", path);
	va_start(ap, fmt);
	buf_vprintf(f->errs, fmt, ap);
	va_end(ap);
	buf_putc(f->errs, '\n');
}

/* 0 with errno where the file cannot be read. */
static int
slurp(struct conf_file *f)
{
	struct buf text = {0};
	struct stat st;
	char chunk[16384];
	ssize_t n = -1;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while ((n = read(fd, chunk, sizeof(chunk))) > 0 &&
		       text.len <= CONF_MAX)
			buf_add(&text, chunk, (size_t)n);
	else
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	(void)close(fd);
	if (n > 0)
		errno = EFBIG;
	f->len = text.len;
	f->text = n == 0 ? buf_take(&text) : NULL;
	buf_free(&text);
	return n == 0 ? 0 : -1;
}

static int
find_dir(struct conf_file *f)
{
	char *copy = xstrdup(f->path);
	char *real = realpath(dirname(copy), NULL);
	size_t len = real != NULL ? strlcpy(f->dir, real, sizeof(f->dir)) : 0;

	free(copy);
	free(real);
	if (len >= sizeof(f->dir))
		errno = ENAMETOOLONG;
	return len > 0 && len < sizeof(f->dir) ? 0 : -1;
}

int
conf_open(struct conf_file *f, const char *path, struct buf *errs)
{
	struct doc_error err = {0};

	memset(f, 0, sizeof(*f));
	f->path = path;
	f->errs = errs;
	if (find_dir(f) == -1 || slurp(f) == -1) {
		buf_printf(errs, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	f->root = doc_parse_any(f->text, f->len, &f->format, &err);
	if (f->root == NULL) {
		buf_printf(errs, "%s:%d: %s\n", path,
		    err.line > 0 ? err.line : 1, err.reason);
		conf_close(f);
		return -1;
	}
	return 0;
}

void
conf_close(struct conf_file *f)
{
	json_decref(f->root);
	free(f->text);
	f->root = NULL;
	f->text = NULL;
}

static char *
sub_path(const char *path, const char *name)
{
	return xasprintf("%s%s%s", path, path[0] != '\0' ? "." : "", name);
}

static int
unknown_key(struct conf_file *f, const struct conf_key *keys, const char *path,
    const char *name)
{
	const struct conf_key *k;
	const char *hint = NULL;
	int best = nearest_limit(name);
	char *where = sub_path(path, name);

	for (k = keys; k->name != NULL; k++)
		if (nearest_offer(name, k->name, &best))
			hint = k->name;
	if (hint != NULL)
		conf_error(f, where, "unknown key; did you mean %s?", hint);
	else
		conf_error(f, where, "unknown key; see patchflow.yaml(5)");
	free(where);
	return 1;
}

static int
find_unknown(struct conf_file *f, const struct conf_key *keys,
    const json_t *map, const char *path)
{
	const struct conf_key *k;
	const char *name;
	const json_t *v;
	json_t *m = json_deep_copy(map); /* the iterator wants it writable */
	int errors = 0;

	json_object_foreach (m, name, v) {
		for (k = keys; k->name != NULL; k++)
			if (strcmp(k->name, name) == 0)
				break;
		if (k->name == NULL)
			errors += unknown_key(f, keys, path, name);
	}
	json_decref(m);
	return errors;
}

static int
bind_list(struct conf_file *f, const struct conf_key *k, const json_t *v,
    const char *path, char *out)
{
	size_t i, count = json_array_size(v);
	char *items, *where;
	int errors = 0;

	if (v != NULL && !json_is_array(v)) {
		conf_error(f, path, "must be a list");
		return 1;
	}
	if (count == 0)
		return 0;
	items = xcalloc(count, k->elem_size);
	memcpy(out + k->offset, &items, sizeof(items));
	memcpy(out + k->count_offset, &count, sizeof(count));
	for (i = 0; i < count; i++) {
		where = xasprintf("%s[%zu]", path, i);
		errors += bind_table(f, k->keys, json_array_get(v, i), where,
		    items + i * k->elem_size);
		free(where);
	}
	return errors;
}

static int
bind_key(struct conf_file *f, const struct conf_key *k, const json_t *v,
    const char *path, char *out)
{
	if (k->type == CONF_SECTION)
		return bind_table(f, k->keys, v, path, out + k->offset);
	if (k->type == CONF_LIST)
		return bind_list(f, k, v, path, out);
	return conf_value_bind(f, k, v, path, out + k->offset);
}

/* map may be NULL: everything by default. */
static int
bind_table(struct conf_file *f, const struct conf_key *keys, const json_t *map,
    const char *path, void *out)
{
	const struct conf_key *k;
	const json_t *v;
	char *where;
	int errors = 0;

	if (map != NULL && !json_is_object(map)) {
		conf_error(f, path, "must be a mapping (key: value)");
		return 1;
	}
	if (map != NULL)
		errors += find_unknown(f, keys, map, path);
	for (k = keys; k->name != NULL; k++) {
		v = json_object_get(map, k->name);
		where = sub_path(path, k->name);
		/* "key:" with nothing behind it is a key not given */
		errors +=
		    bind_key(f, k, json_is_null(v) ? NULL : v, where, out);
		free(where);
	}
	return errors;
}

int
conf_bind(struct conf_file *f, const struct conf_key *keys, void *out)
{
	return bind_table(f, keys, json_is_null(f->root) ? NULL : f->root, "",
	    out);
}

char *
conf_absolute(const struct conf_file *f, const char *path)
{
	struct buf out = {0};
	const char *p = path;
	size_t len;

	if (path[0] == '\0')
		return xstrdup("");
	if (path[0] != '/' && strcmp(f->dir, "/") != 0)
		buf_puts(&out, f->dir);
	while (*p != '\0') {
		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len > 0 && !(len == 1 && p[0] == '.')) {
			buf_putc(&out, '/');
			buf_add(&out, p, len);
		}
		p += len;
	}
	if (out.len == 0)
		buf_putc(&out, '/');
	return buf_take(&out);
}

static void
free_list(const struct conf_key *k, char *out)
{
	char *items;
	size_t i, count, none = 0;

	memcpy(&items, out + k->offset, sizeof(items));
	memcpy(&count, out + k->count_offset, sizeof(count));
	for (i = 0; i < count; i++)
		conf_free(k->keys, items + i * k->elem_size);
	free(items);
	items = NULL;
	memcpy(out + k->offset, &items, sizeof(items));
	memcpy(out + k->count_offset, &none, sizeof(none));
}

void
conf_free(const struct conf_key *keys, void *out)
{
	const struct conf_key *k;

	for (k = keys; k->name != NULL; k++)
		if (k->type == CONF_SECTION)
			conf_free(k->keys, (char *)out + k->offset);
		else if (k->type == CONF_LIST)
			free_list(k, out);
		else
			conf_value_free(k, (char *)out + k->offset);
}
