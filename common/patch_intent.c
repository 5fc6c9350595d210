/* SPDX-License-Identifier: ISC */
/* Is a block of a chat meant as a patch? DESIGN.md 4. */
#include <ctype.h>
#include <string.h>

#include "common/patch_part.h"

#define ROLE "command_patch"

static const char *const id_keys[] = {"id", "blockId", "patchId", "name", NULL};
static const char *const action_keys[] = {"mutations", "commands", "phases",
    NULL};

static bool
says_role(const json_t *v)
{
	const char *role = json_string_value(json_object_get(v, "role"));

	return role != NULL && strcmp(role, ROLE) == 0;
}

/* Of the document or of its envelope, whichever has which. */
static bool
has_key(const json_t *doc, const char *const *keys)
{
	return patch_first(doc, keys, NULL) != NULL ||
	       patch_first(json_object_get(doc, "patch"), keys, NULL) != NULL;
}

enum patch_intent
patch_intent(const json_t *doc)
{
	if (!json_is_object(doc))
		return INTENT_NONE;
	if (says_role(doc) || says_role(json_object_get(doc, "patch")))
		return INTENT_PATCH;
	return has_key(doc, id_keys) && has_key(doc, action_keys)
		   ? INTENT_NEAR_MISS
		   : INTENT_NONE;
}

/* A broken text, from its first byte that is neither blank nor comment. */
struct broken {
	const char *s;
	size_t len;
};

/* Bytes that may stand around a key or a value: blanks and quotes, the
 * typographic ones too. */
static size_t
skip_quotes(const struct broken *b, size_t at)
{
	while (at < b->len && b->s[at] != '\0' &&
	       (strchr(" \t\"'\\", b->s[at]) != NULL ||
		   (unsigned char)b->s[at] >= 0x80))
		at++;
	return at;
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* The next key as a token with a ':' behind it: offset behind that, 0 where
 * there is none; *where is the key's own. */
static size_t
after_key(const struct broken *b, size_t from, const char *key, size_t *where)
{
	size_t n = strlen(key);

	while (from + n < b->len) {
		const char *hit = memmem(b->s + from, b->len - from, key, n);
		size_t at;

		if (hit == NULL)
			return 0;
		*where = at = (size_t)(hit - b->s);
		from = skip_quotes(b, at + n);
		if ((at == 0 || !is_word(b->s[at - 1])) && from < b->len &&
		    b->s[from] == ':')
			return from + 1;
		from = at + n;
	}
	return 0;
}

/* How many brackets are open, as far as broken text lets one know; counted
 * on from one role to the next. */
struct depth {
	size_t at;
	int open;
	bool quoted;
};

static void
count_depth(const struct broken *b, struct depth *d, size_t to)
{
	for (; d->at < to; d->at++) {
		char c = b->s[d->at];

		if (c == '\n')
			d->quoted = false;
		else if (c == '"')
			d->quoted = !d->quoted;
		else if (d->quoted)
			d->at += c == '\\';
		else if (c == '{' || c == '[')
			d->open++;
		else if ((c == '}' || c == ']') && d->open > 0)
			d->open--;
	}
}

/* Blanks in front of the key at at; -1 where it begins no line. */
static int
indent_of(const struct broken *b, size_t at)
{
	int columns = 0;

	while (at > 0 && (b->s[at - 1] == '"' || b->s[at - 1] == '\''))
		at--;
	for (; at > 0 && b->s[at - 1] != '\n'; at--, columns++)
		if (b->s[at - 1] != ' ')
			return -1;
	return columns;
}

/*
 * Is the key at at the document's own? In JSON by the brackets around it (an
 * envelope is one more), in YAML by its column: one that is deeper, or in the
 * middle of a line, is something that the document quotes.
 */
static bool
is_own_key(const struct broken *b, size_t at, struct depth *d)
{
	if (b->s[0] != '{' && b->s[0] != '[')
		return indent_of(b, at) == 0;
	count_depth(b, d, at);
	return d->open <= 2;
}

static bool
is_role(const struct broken *b, size_t at)
{
	const size_t n = strlen(ROLE);

	at = skip_quotes(b, at);
	return b->len - at >= n && memcmp(b->s + at, ROLE, n) == 0 &&
	       (at + n == b->len || !is_word(b->s[at + n]));
}

static bool
text_says_role(const struct broken *b)
{
	struct depth depth = {0};
	size_t at = 0, key = 0;

	while ((at = after_key(b, at, "role", &key)) != 0)
		if (is_role(b, at) && is_own_key(b, key, &depth))
			return true;
	return false;
}

/* One of keys: in YAML as a key of the document itself, in JSON anywhere, as
 * a lost bracket leaves no telling how deep the rest stands. */
static bool
text_has_key(const struct broken *b, const char *const *keys)
{
	bool json = b->s[0] == '{' || b->s[0] == '[';

	for (; *keys != NULL; keys++) {
		size_t at = 0, key = 0;

		while ((at = after_key(b, at, *keys, &key)) != 0)
			if (json || indent_of(b, key) == 0)
				return true;
	}
	return false;
}

/* Behind blanks and comments of either language on top. */
static size_t
skip_comments(const char *s, size_t len)
{
	size_t at = 0;

	for (;;) {
		const char *nl;

		while (at < len && isspace((unsigned char)s[at]))
			at++;
		if (len - at < 3 ||
		    (s[at] != '#' && memcmp(s + at, "//", 2) != 0 &&
			memcmp(s + at, "---", 3) != 0))
			return at;
		nl = memchr(s + at, '\n', len - at);
		if (nl == NULL)
			return len;
		at = (size_t)(nl - s) + 1;
	}
}

/* Does it begin like a document? Program text that talks about patches
 * does not. */
static bool
begins_document(const struct broken *b)
{
	size_t at, key;

	if (b->len == 0)
		return false;
	if (b->s[0] == '{' || b->s[0] == '[')
		return true;
	at = skip_quotes(b, 0);
	for (key = at; key < b->len && is_word(b->s[key]); key++)
		continue;
	if (key == at)
		return false;
	at = skip_quotes(b, key);
	return at < b->len && b->s[at] == ':';
}

enum patch_intent
patch_intent_text(const char *text, size_t len)
{
	size_t start = skip_comments(text, len);
	struct broken b = {text + start, len - start};

	if (!begins_document(&b))
		return INTENT_NONE;
	if (text_says_role(&b))
		return INTENT_PATCH;
	return text_has_key(&b, id_keys) && text_has_key(&b, action_keys)
		   ? INTENT_NEAR_MISS
		   : INTENT_NONE;
}
