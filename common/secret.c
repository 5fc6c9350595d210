/* SPDX-License-Identifier: ISC */
/* Where a secret of patchflow.yaml comes from. It is never logged. */
#include "common/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
refuse(char *why, size_t size, const char *what, const char *reason)
{
	char *text = xasprintf("%s: %s", what, reason);

	(void)strlcpy(why, text, size);
	free(text);
	return NULL;
}

static char *
from_file(const char *file, char *why, size_t why_size)
{
	FILE *in = fopen(file, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	if (in == NULL)
		return refuse(why, why_size, file, strerror(errno));
	len = getline(&line, &cap, in);
	(void)fclose(in);
	if (len > 0)
		line[strcspn(line, " \t\r\n")] = '\0';
	if (len > 0 && line[0] != '\0')
		return line;
	free(line);
	return refuse(why, why_size, file, "its first line is empty");
}

char *
settings_secret(const char *value, const char *file, char *why, size_t why_size)
{
	const char *found;

	if (value[0] == '\0')
		return from_file(file, why, why_size);
	if (strncmp(value, "env:", 4) != 0)
		return xstrdup(value);
	found = getenv(value + 4);
	if (found == NULL || found[0] == '\0')
		return refuse(why, why_size, value + 4,
		    "not set in the environment");
	return xstrdup(found);
}
