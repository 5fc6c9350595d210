/* SPDX-License-Identifier: ISC */
/*
 * Only the prefix that this kind of mount uses is the overlay's: as root a
 * user.overlay.* attribute is something that the patch has written.
 */
#include <sys/stat.h>
#include <sys/xattr.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/sys.h"
#include "executor/xattr.h"

#define NAMES_MAX 65536
#define VALUE_MAX 65536

static const char *
prefix(bool trusted)
{
	return trusted ? "trusted.overlay." : "user.overlay.";
}

static bool
is_overlay(const char *name)
{
	return strncmp(name, "trusted.overlay.", 16) == 0 ||
	       strncmp(name, "user.overlay.", 13) == 0;
}

bool
xattr_opaque(int fd, bool trusted)
{
	char value[4];
	ssize_t n = fgetxattr(fd,
	    trusted ? "trusted.overlay.opaque" : "user.overlay.opaque", value,
	    sizeof(value));

	return n == 1 && value[0] == 'y';
}

/* A user.* attribute takes write permission, which a read-only file (an
 * object of git) gives not even to its owner. */
static int
remove_mark(int fd, const char *name)
{
	struct stat st;
	int answer;

	if (fremovexattr(fd, name) == 0)
		return 0;
	if (errno != EACCES || fstat(fd, &st) == -1 ||
	    sys_fchmod(fd, (st.st_mode & 07777) | 0200) == -1)
		return -1;
	answer = fremovexattr(fd, name);
	return sys_fchmod(fd, st.st_mode & 07777) == -1 ? -1 : answer;
}

int
xattr_strip(int fd, bool trusted)
{
	static char names[NAMES_MAX];
	ssize_t len = flistxattr(fd, names, sizeof(names));

	if (len == -1)
		return errno == EOPNOTSUPP ? 0 : -1;
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(names + i) + 1) {
		if (strncmp(names + i, prefix(trusted),
			strlen(prefix(trusted))) == 0 &&
		    remove_mark(fd, names + i) == -1)
			return -1;
	}
	return 0;
}

static int
copy_one(int in, int out, const char *name)
{
	static char value[VALUE_MAX];
	ssize_t n = fgetxattr(in, name, value, sizeof(value));

	if (n == -1)
		return errno == ENODATA ? 0 : -1; /* taken away meanwhile */
	return fsetxattr(out, name, value, (size_t)n, 0) == 0 ||
		       errno == EOPNOTSUPP
		   ? 0
		   : -1;
}

static bool
is_copied(const char *name)
{
	return strncmp(name, "user.", 5) == 0 ||
	       strncmp(name, "system.posix_acl_", 17) == 0;
}

int
xattr_copy(int in, int out)
{
	static char names[NAMES_MAX];
	ssize_t len = flistxattr(in, names, sizeof(names));

	if (len == -1)
		return errno == EOPNOTSUPP ? 0 : -1;
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(names + i) + 1) {
		if (is_copied(names + i) && copy_one(in, out, names + i) == -1)
			return -1;
	}
	return 0;
}

bool
xattr_capable(int dir, const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name) <
		   (int)sizeof(path) &&
	       lgetxattr(path, "security.capability", NULL, 0) > 0;
}

static bool
is_compared(const char *name)
{
	return !is_overlay(name);
}

static bool
is_compared_copy(const char *name)
{
	return !is_overlay(name) && is_copied(name);
}

/* Every attribute of a that counts is on b with the same value; what cannot be
 * read is taken for another. */
static bool
covered(int a, int b, bool (*counts)(const char *), ssize_t *count)
{
	static char names[NAMES_MAX], x[VALUE_MAX], y[VALUE_MAX];
	ssize_t len = flistxattr(a, names, sizeof(names));

	*count = 0;
	if (len == -1 && errno != EOPNOTSUPP)
		return false;
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(names + i) + 1) {
		ssize_t n, m;

		if (!counts(names + i))
			continue;
		n = fgetxattr(a, names + i, x, sizeof(x));
		m = fgetxattr(b, names + i, y, sizeof(y));
		if (n == -1 || n != m || memcmp(x, y, (size_t)n) != 0)
			return false;
		(*count)++;
	}
	return true;
}

bool
xattr_same(int a, int b)
{
	ssize_t n, m;

	return covered(a, b, is_compared, &n) &&
	       covered(b, a, is_compared, &m) && n == m;
}

bool
xattr_same_copied(int a, int b)
{
	ssize_t n, m;

	return covered(a, b, is_compared_copy, &n) &&
	       covered(b, a, is_compared_copy, &m) && n == m;
}
