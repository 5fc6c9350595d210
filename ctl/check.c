/* SPDX-License-Identifier: ISC */
/* check: what a document means, or where and why it is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/input.h"
#include "ctl/out.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static void
warn_all(const struct input *in)
{
	const json_t *w;
	char *name = table_clean(in->name), *said;
	size_t i;

	json_array_foreach (in->patch.warnings, i, w) {
		said = table_clean(json_string_value(w));
		(void)fflush(stdout);
		(void)fprintf(stderr, "%s: warning: %s\n", name, said);
		free(said);
	}
	free(name);
}

static void
print(const struct input *in, bool yaml)
{
	warn_all(in);
	if (yaml)
		out_yaml(in->patch.canonical);
	else
		out_json(json_incref(in->patch.canonical));
}

/* Which queue that is the bridge says, by its configuration. */
static void
warn_of_target(struct input *in)
{
	if (in->patch.reason == PATCH_OK &&
	    json_array_size(in->patch.targets) == 0)
		json_array_append_new(in->patch.warnings,
		    json_string("no target: the default queue"));
}

/* all NULL: print what it finds as it goes. */
static int
check_one(const char *name, bool yaml, json_t *all)
{
	struct input in;
	int status = CTL_DONE;

	if (input_read(&in, name) == -1)
		status = CTL_FAILED;
	else if (in.patch.reason != PATCH_OK)
		status = CTL_DATA;
	warn_of_target(&in);
	if (all != NULL && status != CTL_FAILED)
		json_array_append_new(all, input_describe(&in));
	else if (status == CTL_DATA)
		input_complain(&in);
	else if (status == CTL_DONE)
		print(&in, yaml);
	input_free(&in);
	return status;
}

int
run_check(struct ctl *c)
{
	static const struct option words[] = {{"yaml", no_argument, NULL, 'y'},
	    {NULL, 0, NULL, 0}};
	json_t *all;
	bool yaml = false;
	int i, opt, status = CTL_DONE;

	while ((opt = ctl_option(c, "", words)) != -1) {
		if (opt != 'y')
			return CTL_USAGE;
		yaml = true;
	}
	if (c->argc == 0)
		return CTL_USAGE;
	all = c->json ? json_array() : NULL;
	for (i = 0; i < c->argc; i++)
		status = ctl_worse(status, check_one(c->argv[i], yaml, all));
	if (c->json)
		out_list(all, status);
	return status;
}
