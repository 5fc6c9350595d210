/* SPDX-License-Identifier: ISC */
/*
 * Files of inbox/new that cannot be taken, and of which people were told. The
 * names are kept in state/ghost-bridge/inbox.json, so that the end of it is
 * told too when it comes after a restart, or when somebody took the file away.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/intake.h"
#include "common/buf.h"

#define KEY_SIZE_MAX (3 * NAME_MAX + 1)

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789._-";

/* A name may be any bytes, a key of JSON may not. */
static void
encode(const char *name, char out[KEY_SIZE_MAX])
{
	for (; *name != '\0'; name++) {
		if (strchr(plain, *name) != NULL)
			*out++ = *name;
		else
			out += snprintf(out, 4, "%%%02X", (unsigned char)*name);
	}
	*out = '\0';
}

/* The byte that "%hh" stands for; 0 where it stands for none. */
static char
escaped(const char *s)
{
	char digits[3] = {s[1], s[1] != '\0' ? s[2] : '\0', '\0'};

	if (!isxdigit((unsigned char)digits[0]) ||
	    !isxdigit((unsigned char)digits[1]))
		return '\0';
	return (char)strtoul(digits, NULL, 16);
}

/* False where the state file has something else. */
static bool
decode(const char *key, char out[NAME_MAX + 1])
{
	size_t n = 0;

	for (; *key != '\0' && n < NAME_MAX; n++) {
		if (*key != '%') {
			out[n] = *key++;
			continue;
		}
		out[n] = escaped(key);
		if (out[n] == '\0')
			return false;
		key += 3;
	}
	out[n] = '\0';
	return *key == '\0' && n > 0 && strchr(out, '/') == NULL;
}

void
stuck_load(struct intake *in, const json_t *list)
{
	const json_t *key;
	size_t i;

	in->stuck_told = json_object();
	json_array_foreach (list, i, key)
		if (json_is_string(key))
			(void)json_object_set_new(in->stuck_told,
			    json_string_value(key), json_true());
}

json_t *
stuck_list(const struct intake *in)
{
	json_t *list = json_array();
	const char *key;
	json_t *value;

	json_object_foreach (in->stuck_told, key, value)
		(void)json_array_append_new(list, json_string(key));
	return list;
}

static bool
stuck_known(const struct intake *in, const char *name)
{
	char key[KEY_SIZE_MAX];

	if (json_object_size(in->stuck_told) == 0)
		return false;
	encode(name, key);
	return json_object_get(in->stuck_told, key) != NULL;
}

static bool
tell(struct intake *in, const char *name, const char *what, int error)
{
	char *why = xasprintf("%s: %s", what, strerror(error));
	int answer =
	    intake_tell_file(in, "source-unreadable", name, why, false);

	free(why);
	return answer == 0;
}

/* Once told, it is written down at once: told again after a crash is better
 * than an end that nobody tells. */
bool
stuck_tell(struct intake *in, const char *name, const char *what, int error)
{
	char key[KEY_SIZE_MAX];

	if (stuck_known(in, name))
		return true;
	if (!tell(in, name, what, error))
		return false;
	encode(name, key);
	(void)json_object_set_new(in->stuck_told, key, json_true());
	intake_save(in, true);
	return true;
}

void
stuck_over(struct intake *in, const char *name, const char *how)
{
	char key[KEY_SIZE_MAX];

	if (!stuck_known(in, name) ||
	    intake_tell_file(in, "source-unreadable", name, how, true) == -1)
		return;
	encode(name, key);
	(void)json_object_del(in->stuck_told, key);
	intake_save(in, true);
}

void
stuck_sweep(struct intake *in)
{
	char name[NAME_MAX + 1];
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe (in->stuck_told, next, key, value) {
		if (!decode(key, name))
			(void)json_object_del(in->stuck_told, key);
		else if (!spool_exists(in->desk->tree->inbox.dir[BOX_NEW],
			     name))
			stuck_over(in, name, "no longer there");
	}
}
