/* SPDX-License-Identifier: ISC */
/* Colours by meaning; none unless standard output is a terminal, NO_COLOR is
 * unset or empty, and TERM is not dumb. */
#ifndef CTL_COLOUR_H
#define CTL_COLOUR_H

#include <stdbool.h>

enum colour {
	COLOUR_NONE,
	COLOUR_GOOD,
	COLOUR_BUSY,
	COLOUR_BAD,
	COLOUR_DIM,
	COLOUR_BOLD
};

bool colour_wanted(void);
/* The escape sequence that starts it; "" for COLOUR_NONE. */
const char *colour_start(enum colour colour);
extern const char colour_end[];
/* Of a patch's or daemon's state, or an alert's severity. */
enum colour colour_of(const char *word);

#endif
