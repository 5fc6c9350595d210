/* SPDX-License-Identifier: ISC */
/*
 * A line at a time, and of git's grammar only what git itself writes: no
 * continued line, no escape, no setting beside its section. So no text can
 * mean one thing here and another to git.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "executor/gitconf.h"
#include "executor/gitpart.h"

#define NAME_MAX_LEN 64

struct reading {
	const char *path;
	char section[NAME_MAX_LEN]; /* "" before the first */
	bool divided;               /* [section "of something"] */
};

static bool
is_any(const struct reading *r, const char *value)
{
	(void)r;
	(void)value;
	return true;
}

/* "name::address" is a program git-remote-name; a dash begins an option. */
static bool
is_url(const struct reading *r, const char *value)
{
	(void)r;
	return value[0] != '-' && strstr(value, "::") == NULL;
}

/* "!command" is one. */
static bool
is_update(const struct reading *r, const char *value)
{
	(void)r;
	return strchr(value, '!') == NULL;
}

/* Of a submodule, whose repository lies elsewhere. */
static bool
is_work_tree(const struct reading *r, const char *value)
{
	const char *slash = strrchr(r->path, '/');
	char *dir = xstrndup(r->path, (size_t)(slash - r->path));
	char *place = strstr(r->path, ".git/modules/") != NULL
			  ? gitpart_place(dir, value)
			  : NULL;
	bool fits = place != NULL && strstr(place, ".git") == NULL;

	free(place);
	free(dir);
	return fits;
}

/* Where * is what a section is of. */
static const struct {
	const char *name;
	bool (*fits)(const struct reading *, const char *value);
} plain[] = {
    {"advice.*", is_any},
    {"branch.*.description", is_any},
    {"branch.*.merge", is_any},
    {"branch.*.pushremote", is_url},
    {"branch.*.rebase", is_any},
    {"branch.*.remote", is_url},
    {"core.autocrlf", is_any},
    {"core.bare", is_any},
    {"core.eol", is_any},
    {"core.filemode", is_any},
    {"core.ignorecase", is_any},
    {"core.logallrefupdates", is_any},
    {"core.longpaths", is_any},
    {"core.precomposeunicode", is_any},
    {"core.repositoryformatversion", is_any},
    {"core.sparsecheckout", is_any},
    {"core.sparsecheckoutcone", is_any},
    {"core.symlinks", is_any},
    {"core.untrackedcache", is_any},
    {"core.worktree", is_work_tree},
    {"extensions.objectformat", is_any},
    {"extensions.partialclone", is_any},
    {"extensions.refstorage", is_any},
    {"extensions.worktreeconfig", is_any}, /* read as strictly */
    {"fetch.prune", is_any},
    {"fetch.recursesubmodules", is_any},
    {"gc.auto", is_any},
    {"gc.autodetach", is_any},
    {"index.sparse", is_any},
    {"lfs.repositoryformatversion", is_any},
    {"maintenance.auto", is_any},
    {"pull.ff", is_any},
    {"pull.rebase", is_any},
    {"remote.*.fetch", is_any},
    {"remote.*.mirror", is_any},
    {"remote.*.partialclonefilter", is_any},
    {"remote.*.promisor", is_any},
    {"remote.*.prune", is_any},
    {"remote.*.pushurl", is_url},
    {"remote.*.tagopt", is_any},
    {"remote.*.url", is_url},
    {"submodule.*.active", is_any},
    {"submodule.*.branch", is_any},
    {"submodule.*.fetchrecursesubmodules", is_any},
    {"submodule.*.ignore", is_any},
    {"submodule.*.shallow", is_any},
    {"submodule.*.update", is_update},
    {"submodule.*.url", is_url},
    {"submodule.active", is_any},
    {"submodule.alternateerrorstrategy", is_any},
    {"submodule.alternatelocation", is_any},
    {"submodule.recurse", is_any},
    {"user.email", is_any},
    {"user.name", is_any},
};

static bool
is_known(const struct reading *r, const char *key, const char *value)
{
	char *name = xasprintf("%s%s.%s", r->section, r->divided ? ".*" : "",
	    strcasecmp(r->section, "advice") == 0 && !r->divided ? "*" : key);
	bool known = false;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]) && !known; i++)
		known = strcasecmp(plain[i].name, name) == 0 &&
			plain[i].fits(r, value);
	free(name);
	return known;
}

static size_t
name_len(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '-')
		n++;
	return n < NAME_MAX_LEN ? n : 0;
}

/* [name] or [name "of something"]. */
static bool
take_section(struct reading *r, const char *line)
{
	size_t n = name_len(line + 1);
	const char *rest = line + 1 + n;

	memcpy(r->section, line + 1, n);
	r->section[n] = '\0';
	r->divided = strncmp(rest, " \"", 2) == 0;
	if (r->divided) {
		rest += 2;
		rest += strcspn(rest, "\"");
		rest += *rest == '"';
	}
	return n > 0 && strcmp(rest, "]") == 0;
}

/* Without the quotes that git writes around what begins or ends oddly. Blanks
 * before anything else go as well, behind a pair of quotes, too. */
static char *
take_value(const char *text)
{
	struct buf out = {0};

	for (; *text != '\0'; text++) {
		bool blank = *text == ' ' || *text == '\t';

		if (*text != '"' && (out.len > 0 || !blank))
			buf_putc(&out, *text);
	}
	return buf_take(&out);
}

/* One without = is true. */
static bool
take_setting(struct reading *r, const char *line, struct buf *why)
{
	size_t n = name_len(line);
	const char *rest = line + n + strspn(line + n, " \t");
	char *key = xstrndup(line, n);
	char *value = take_value(rest + (*rest == '='));
	bool good = n > 0 && r->section[0] != '\0' &&
		    (*rest == '=' || *rest == '\0') && is_known(r, key, value);

	if (!good && n > 0 && r->section[0] != '\0')
		buf_printf(why, "it sets %s.%s%s to \"%.80s\"", r->section,
		    r->divided ? "*." : "", key, value);
	free(value);
	free(key);
	return good;
}

static bool
take_line(struct reading *r, char *line, struct buf *why)
{
	size_t len = strlen(line);

	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		line[--len] = '\0';
	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#' || *line == ';')
		return true;
	return *line == '[' ? take_section(r, line)
			    : take_setting(r, line, why);
}

/* What git reads in ways of its own: escapes, continued lines, CRs, NULs. */
static bool
has_oddities(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\\' || c == 127 ||
		    (c < ' ' && c != '\t' && c != '\n'))
			return true;
	}
	return false;
}

bool
gitconf_is_plain(const char *path, const char *text, size_t len,
    struct buf *why)
{
	struct reading r = {.path = path};
	char *copy = xstrndup(text, len), *rest = copy, *line;
	bool good = len <= GITCONF_MAX && !has_oddities(text, len);
	size_t number = 0;

	while (good && (line = strsep(&rest, "\n")) != NULL) {
		number++;
		good = take_line(&r, line, why);
	}
	if (!good && why->len == 0)
		buf_printf(why, "line %zu is not as git writes it", number);
	free(copy);
	return good;
}
