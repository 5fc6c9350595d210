/* SPDX-License-Identifier: ISC */
/* Paths, modes, base64 and hashes: checked and in one spelling. */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "common/buf.h"
#include "common/patch_part.h"
#include "common/utf8.h"

/* Appends one component; false where it cannot be one. */
static bool
add_component(struct front *f, struct where at, const char *s, size_t len,
    struct buf *out)
{
	if (len == 0 || (len == 1 && *s == '.'))
		return true;
	if (len == 2 && s[0] == '.' && s[1] == '.') {
		(void)patch_refuse(f, PATCH_FORBIDDEN, at,
		    "a path with \"..\" could leave the workspace");
		return patch_hint(f, "write the path from the workspace's top");
	}
	if (len > NAME_MAX)
		return patch_refuse(f, PATCH_INVALID, at,
		    "a file name longer than %d bytes", NAME_MAX);
	if (out->len > 0 && out->bytes[out->len - 1] != '/')
		buf_putc(out, '/');
	buf_add(out, s, len);
	return true;
}

static bool
check_path(struct front *f, const json_t *v, struct where at)
{
	const char *s = json_string_value(v);

	if (s == NULL)
		return patch_refuse(f, PATCH_INVALID, at,
		    "a path must be text");
	if (*s == '\0')
		return patch_refuse(f, PATCH_INVALID, at, "the path is empty");
	if (json_string_length(v) >= PATH_MAX)
		return patch_refuse(f, PATCH_INVALID, at,
		    "a path longer than %d bytes", PATH_MAX - 1);
	/* A newline or an escape sequence in a path is no path that a person
	 * wrote, and it would reach terminals and logs. */
	if (utf8_has_control(s))
		return patch_refuse(f, PATCH_INVALID, at,
		    "the path holds a control character");
	if (s[0] == '~' && (s[1] == '/' || s[1] == '\0')) {
		(void)patch_refuse(f, PATCH_INVALID, at,
		    "\"~\" stands for nobody's home here");
		return patch_hint(f, "give the path from the workspace's top");
	}
	return true;
}

json_t *
patch_path(struct front *f, const json_t *v, struct where at)
{
	struct buf out = {0};
	const char *s, *slash;
	json_t *path;

	if (!check_path(f, v, at))
		return NULL;
	s = json_string_value(v);
	if (*s == '/')
		buf_putc(&out, '/');
	for (;; s = slash + 1) {
		slash = strchrnul(s, '/');
		if (!add_component(f, at, s, (size_t)(slash - s), &out)) {
			buf_free(&out);
			return NULL;
		}
		if (*slash == '\0')
			break;
	}
	if (out.len == 0 || strcmp(out.bytes, "/") == 0) {
		(void)patch_refuse(f, PATCH_INVALID, at,
		    "the path names no file");
		buf_free(&out);
		return NULL;
	}
	path = json_string(out.bytes);
	buf_free(&out);
	return path;
}

json_t *
patch_mode(struct front *f, const json_t *v, struct where at)
{
	const char *s = json_string_value(v);
	char mode[] = "0000";
	size_t len;

	if (s == NULL) {
		(void)patch_refuse(f, PATCH_INVALID, at,
		    "a mode that is a number is ambiguous");
		(void)patch_hint(f, "write the octal digits in quotes: "
				    "\"0755\"");
		return NULL;
	}
	if (strncmp(s, "0o", 2) == 0)
		s += 2;
	else if (strncmp(s, "100", 3) == 0 && strlen(s) == 6)
		s += 3; /* git's way: 100755 */
	len = strspn(s, "01234567");
	while (len > 4 && *s == '0') {
		s++;
		len--;
	}
	if (s[len] != '\0' || len < 3 || len > 4) {
		(void)patch_refuse(f, PATCH_INVALID, at,
		    "a mode must be three or four octal digits, as "
		    "\"0755\"");
		return NULL;
	}
	if (len == 4 && *s != '0') {
		(void)patch_refuse(f, PATCH_FORBIDDEN, at,
		    "set-user-id, set-group-id and sticky bits are refused");
		return NULL;
	}
	memcpy(mode + 1, s + len - 3, 3);
	return json_string(mode);
}

/* Strict, where decoders are lenient: base64 that was cut off in the middle
 * would else be written as a shorter file. */
static bool
is_base64(const char *s, size_t len)
{
	size_t pad = 0;

	while (pad < 2 && pad < len && s[len - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i + pad < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '+' && s[i] != '/')
			return false;
	return len % 4 == 0;
}

json_t *
patch_base64(struct front *f, const char *s, struct where at)
{
	struct buf out = {0};
	json_t *v = NULL;

	for (; *s != '\0'; s += strspn(s, " \t\r\n")) {
		size_t n = strcspn(s, " \t\r\n");

		buf_add(&out, s, n);
		s += n;
	}
	if (is_base64(out.bytes != NULL ? out.bytes : "", out.len))
		v = json_stringn(out.bytes != NULL ? out.bytes : "", out.len);
	else
		(void)patch_refuse(f, PATCH_INVALID, at,
		    "the contents are not base64 (A-Z a-z 0-9 + / and = at "
		    "the end, a multiple of four)");
	buf_free(&out);
	return v;
}

json_t *
patch_hash(struct front *f, const json_t *v, struct where at)
{
	static const char prefix[] = "sha256:";
	const char *s = json_string_value(v);
	char out[sizeof(prefix) + 64];

	if (json_is_null(v) || (s != NULL && strcmp(s, "absent") == 0))
		return json_string("absent");
	if (s != NULL && strncmp(s, prefix, strlen(prefix)) == 0)
		s += strlen(prefix);
	if (s == NULL || strlen(s) != 64 ||
	    strspn(s, "0123456789abcdefABCDEF") != 64) {
		(void)patch_refuse(f, PATCH_INVALID, at,
		    "a base must be sha256: and 64 hex digits, or absent");
		return NULL;
	}
	memcpy(out, prefix, sizeof(prefix));
	for (size_t i = 0; i < 64; i++)
		out[sizeof(prefix) - 1 + i] =
		    (char)tolower((unsigned char)s[i]);
	out[sizeof(prefix) - 1 + 64] = '\0';
	return json_string(out);
}
