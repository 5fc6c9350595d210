/* SPDX-License-Identifier: ISC */
/* What a patch may name: path_map, the workspace's borders, protection. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/glob.h"
#include "executor/gitpart.h"
#include "executor/plan.h"

bool
plan_reserved(const struct queue_settings *q, const char *path)
{
	/* The last resort for our own staging place. */
	if (glob_covers(".patchflow", path))
		return true;
	for (size_t i = 0; i < q->protected.count; i++) {
		if (glob_covers(q->protected.items[i], path))
			return true;
	}
	return false;
}

bool
plan_protected(const struct queue_settings *q, const char *path)
{
	return gitpart_is_closed(path) || plan_reserved(q, path);
}

/* The rest of path behind prefix, NULL where it does not lie below. */
static const char *
below(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	while (len > 0 && prefix[len - 1] == '/')
		len--;
	if (strncmp(path, prefix, len) != 0)
		return NULL;
	if (path[len] != '/' && path[len] != '\0')
		return NULL;
	return path + len;
}

/* Rewrites an absolute path by path_map, the longest entry that fits, and
 * takes the workspace off. */
static char *
relative(const struct queue_settings *q, const char *path)
{
	const char *rest;
	char *real = NULL;
	char *out = NULL;
	size_t best = 0;

	for (size_t i = 0; i < q->path_map.count; i++) {
		size_t len = strlen(q->path_map.names[i]);

		rest = below(path, q->path_map.names[i]);
		if (rest == NULL || len <= best)
			continue;
		best = len;
		free(real);
		real = xasprintf("%s%s", q->path_map.values[i], rest);
	}
	rest = below(real != NULL ? real : path, q->workspace);
	if (rest != NULL)
		out = xstrdup(rest);
	free(real);
	return out;
}

/* Drops empty parts and "."; NULL where a part is "..". */
static char *
clean(const char *path)
{
	struct buf out = {0};

	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.') {
			buf_free(&out);
			return NULL;
		}
		if (len > 0 && !(len == 1 && path[0] == '.')) {
			if (out.len > 0)
				buf_putc(&out, '/');
			buf_add(&out, path, len);
		}
		path += len;
		path += strspn(path, "/");
	}
	return buf_take(&out);
}

char *
plan_path(const struct queue_settings *q, const char *path, struct fault *f)
{
	char *mapped = NULL;
	char *out;

	if (path[0] == '/') {
		mapped = relative(q, path);
		if (mapped == NULL) {
			(void)fault_reject(f, OUTCOME_FORBIDDEN,
			    "%s lies outside the workspace %s", path,
			    q->workspace);
			fault_hint(f, "name files relative to the workspace; "
				      "path_map in the configuration can map "
				      "absolute paths of other machines");
			return NULL;
		}
	}
	out = clean(mapped != NULL ? mapped : path);
	free(mapped);
	if (out == NULL) {
		(void)fault_reject(f, OUTCOME_FORBIDDEN,
		    "%s: \"..\" is not allowed", path);
		return NULL;
	}
	if (plan_protected(q, out)) {
		(void)fault_reject(f, OUTCOME_FORBIDDEN,
		    "%s is a protected path", out);
		free(out);
		return NULL;
	}
	return out;
}
