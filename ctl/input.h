/* SPDX-License-Identifier: ISC */
/* Documents that people name on the command line: files, or "-". */
#ifndef CTL_INPUT_H
#define CTL_INPUT_H

#include "common/buf.h"
#include "common/patch.h"

/* Longer documents are nobody's patch; the bridge has its own limit. */
#define INPUT_MAX (64u << 20)

struct input {
	const char *name; /* as given, "stdin" for "-" */
	struct buf text;
	struct patch_result patch;
	struct doc_error err;
};

/* 0, or -1 after a complaint. */
int input_load(struct input *in, const char *name);
/* As load, then what the document means. */
int input_read(struct input *in, const char *name);
void input_free(struct input *in);
/* What it means, or the reason with its place. */
json_t *input_describe(const struct input *in);
/* "FILE:LINE:COLUMN: sentence (reason)" and hints to standard error. */
void input_complain(const struct input *in);

#endif
