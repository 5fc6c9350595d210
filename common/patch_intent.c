/* SPDX-License-Identifier: ISC */
/* Is a block of a chat meant as a patch? DESIGN.md 4. */
#include <ctype.h>
#include <string.h>

#include "common/patch_part.h"

static const char *const id_keys[] = {"id", "blockId", "patchId", "name", NULL};
static const char *const action_keys[] = {"mutations", "phases",
    "postMutationBuild", "preMutationBuild", "shell", "commands", "validate",
    "edits", "changes", "actions", "tasks", NULL};

static bool
says_role(const json_t *v)
{
	const char *role = json_string_value(json_object_get(v, "role"));

	return role != NULL && strcmp(role, "command_patch") == 0;
}

/* {pattern, replacement}, {content} or a text under "patch". */
static bool
has_old_patch(const json_t *doc)
{
	static const char *const keys[] = {"pattern", "content", "contents",
	    "mutations", NULL};
	const json_t *v = json_object_get(doc, "patch");

	return json_object_get(doc, "target_file") != NULL &&
	       (json_is_string(v) || patch_first(v, keys, NULL) != NULL);
}

static bool
looks_like_patch(const json_t *doc)
{
	return patch_first(doc, id_keys, NULL) != NULL &&
	       (patch_first(doc, action_keys, NULL) != NULL ||
		   has_old_patch(doc));
}

enum patch_intent
patch_intent(const json_t *doc)
{
	const json_t *inner = json_object_get(doc, "patch");

	if (!json_is_object(doc))
		return INTENT_NONE;
	if (says_role(doc) || says_role(inner))
		return INTENT_PATCH;
	if (looks_like_patch(doc) || looks_like_patch(inner))
		return INTENT_NEAR_MISS;
	return INTENT_NONE;
}

/* Bytes that may stand around a key or a value: blanks and quotes, the
 * typographic ones too. */
static size_t
skip_quotes(const char *s, size_t len, size_t at)
{
	while (
	    at < len && s[at] != '\0' &&
	    (strchr(" \t\"'\\", s[at]) != NULL || (unsigned char)s[at] >= 0x80))
		at++;
	return at;
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* The key as a token with a ':' behind it: offset behind that, or 0. */
static size_t
after_key(const char *s, size_t len, size_t from, const char *key)
{
	size_t n = strlen(key);

	while (from + n < len) {
		const char *hit = memmem(s + from, len - from, key, n);
		size_t at;

		if (hit == NULL)
			return 0;
		at = (size_t)(hit - s);
		from = skip_quotes(s, len, at + n);
		if ((at == 0 || !is_word(s[at - 1])) && from < len &&
		    s[from] == ':')
			return from + 1;
		from = at + n;
	}
	return 0;
}

static bool
text_says_role(const char *s, size_t len)
{
	static const char value[] = "command_patch";
	const size_t n = sizeof(value) - 1;
	size_t at = 0;

	while ((at = after_key(s, len, at, "role")) != 0) {
		size_t v = skip_quotes(s, len, at);

		if (len - v >= n && memcmp(s + v, value, n) == 0 &&
		    (v + n == len || !is_word(s[v + n])))
			return true;
	}
	return false;
}

static bool
text_has_key(const char *s, size_t len, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (after_key(s, len, 0, *keys) != 0)
			return true;
	return false;
}

/*
 * Does it begin like a document? Program text that talks about patches
 * ("if (b.role === …") does not.
 */
static bool
begins_like_document(const char *s, size_t len)
{
	size_t at = 0, key;

	while (at < len) {
		while (at < len && isspace((unsigned char)s[at]))
			at++;
		/* Comments on top, of either language. */
		if (at + 1 < len &&
		    (s[at] == '#' || (s[at] == '/' && s[at + 1] == '/') ||
			memcmp(s + at, "--", 2) == 0)) {
			const char *nl = memchr(s + at, '\n', len - at);

			if (nl == NULL)
				return false;
			at = (size_t)(nl - s) + 1;
			continue;
		}
		break;
	}
	if (at == len)
		return false;
	if (s[at] == '{' || s[at] == '[')
		return true;
	at = skip_quotes(s, len, at);
	for (key = at; key < len && is_word(s[key]); key++)
		continue;
	key = skip_quotes(s, len, key);
	return key > at && key < len && s[key] == ':';
}

enum patch_intent
patch_intent_text(const char *text, size_t len)
{
	if (!begins_like_document(text, len))
		return INTENT_NONE;
	if (text_says_role(text, len))
		return INTENT_PATCH;
	if (text_has_key(text, len, id_keys) &&
	    text_has_key(text, len, action_keys))
		return INTENT_NEAR_MISS;
	return INTENT_NONE;
}
