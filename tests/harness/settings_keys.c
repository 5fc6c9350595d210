/* SPDX-License-Identifier: ISC */
/*
 * Prints each key of patchflow.yaml, a tab and its default ("-": none), for
 * tests/lint/settings.t; loads each file named and fails on a wrong one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/settings.h"

static void
print_table(const struct conf_key *keys, const char *top)
{
	const struct conf_key *k;
	char *name;

	for (k = keys; k->name != NULL; k++) {
		name = xasprintf("%s%s%s%s", top, top[0] != '\0' ? "." : "",
		    k->name, k->type == CONF_LIST ? "[]" : "");
		printf("%s\t%s\n", name,
		    k->dflt != NULL && k->dflt[0] != '\0' ? k->dflt : "-");
		if (k->keys != NULL)
			print_table(k->keys, name);
		free(name);
	}
}

int
main(int argc, char **argv)
{
	struct settings s;
	struct buf errs = {0};
	int i, status = 0;

	print_table(settings_keys, "");
	for (i = 1; i < argc; i++) {
		if (settings_load(&s, argv[i], &errs) == -1) {
			fputs(errs.bytes, stderr);
			buf_clear(&errs);
			status = 1;
			continue;
		}
		settings_free(&s);
	}
	buf_free(&errs);
	return status;
}
