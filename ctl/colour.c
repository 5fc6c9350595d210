/* SPDX-License-Identifier: ISC */
#include "ctl/colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char colour_end[] = "\033[0m";

bool
colour_wanted(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) == 1 && (no == NULL || no[0] == '\0') &&
	       term != NULL && strcmp(term, "dumb") != 0;
}

const char *
colour_start(enum colour colour)
{
	static const char *const code[] = {
	    [COLOUR_NONE] = "",
	    [COLOUR_GOOD] = "\033[32m",
	    [COLOUR_BUSY] = "\033[33m",
	    [COLOUR_BAD] = "\033[31m",
	    [COLOUR_DIM] = "\033[2m",
	    [COLOUR_BOLD] = "\033[1m",
	};

	return code[colour];
}

enum colour
colour_of(const char *word)
{
	static const struct {
		const char *word;
		enum colour colour;
	} table[] = {
	    {"completed", COLOUR_GOOD},
	    {"ready", COLOUR_GOOD},
	    {"ok", COLOUR_GOOD},
	    {"queued", COLOUR_BUSY},
	    {"running", COLOUR_BUSY},
	    {"held", COLOUR_BUSY},
	    {"paused", COLOUR_BUSY},
	    {"starting", COLOUR_BUSY},
	    {"stopping", COLOUR_BUSY},
	    {"warning", COLOUR_BUSY},
	    {"backoff", COLOUR_BAD},
	    {"degraded", COLOUR_BAD},
	    {"needs-operator", COLOUR_BAD},
	    {"failed", COLOUR_BAD},
	    {"rejected", COLOUR_BAD},
	    {"error", COLOUR_BAD},
	    {"temporary", COLOUR_BAD},
	    {"critical", COLOUR_BAD},
	    {"stopped", COLOUR_DIM},
	    {"undone", COLOUR_DIM},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(word, table[i].word) == 0)
			return table[i].colour;
	return COLOUR_NONE;
}
