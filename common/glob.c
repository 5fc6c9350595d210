/* SPDX-License-Identifier: ISC */
#include "common/glob.h"

#include <fnmatch.h>
#include <string.h>

bool
glob_covers(const char *glob, const char *path)
{
	size_t len = strlen(glob);

	/* Our own places are names, which may look like patterns. */
	return fnmatch(glob, path, FNM_LEADING_DIR) == 0 ||
	       (strncmp(path, glob, len) == 0 &&
		   (path[len] == '/' || path[len] == '\0'));
}

bool
glob_is_useful(const char *glob)
{
	do {
		size_t len = strcspn(glob, "/");

		if (len == 0 || (len <= 2 && strspn(glob, ".") == len))
			return false;
		glob += len;
	} while (*glob++ == '/');
	return true;
}
