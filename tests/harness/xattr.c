/* SPDX-License-Identifier: ISC */
/*
 * xattr FILE NAME [HEX]: sets the attribute to these bytes, or prints it as
 * such; 1 where there is none. Links are not followed.
 */
#include <sys/xattr.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 4096

int
main(int argc, char **argv)
{
	unsigned char value[VALUE_MAX];
	size_t n = 0;
	ssize_t got;

	if (argc != 3 && argc != 4)
		errx(2, "usage: xattr FILE NAME [HEX]");
	if (argc == 3) {
		got = lgetxattr(argv[1], argv[2], value, sizeof(value));
		for (ssize_t i = 0; i < got; i++)
			(void)printf("%02x", value[i]);
		return got == -1 ? 1 : 0;
	}
	for (const char *s = argv[3]; n < VALUE_MAX && s[0] && s[1]; s += 2) {
		const char digits[] = {s[0], s[1], '\0'};
		char *end;

		value[n++] = (unsigned char)strtoul(digits, &end, 16);
		if (*end != '\0')
			errx(2, "%s: not hexadecimal", argv[3]);
	}
	if (lsetxattr(argv[1], argv[2], value, n, 0) == -1)
		err(1, "%s: %s", argv[1], argv[2]);
	return 0;
}
