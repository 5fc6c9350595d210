/* SPDX-License-Identifier: ISC */
/* The executor's reserve, by its rules. */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "executor/ballast.h"
#include "executor/kept.h"

/* The roll-forward needs blocks for directories that grow, its own records
 * some kilobytes. */
#define BALLAST_BYTES (2 << 20)

static bool
is_full(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

void
ballast_open(struct executor *ex)
{
	reserve_open(&ex->ballast, ex->place.dir, BALLAST, BALLAST_BYTES);
}

/* What could be undone makes room for what has to be done. */
static int
fill(struct executor *ex)
{
	int answer = reserve_fill(&ex->ballast), error = errno;

	if (answer == -1 && is_full(error)) {
		if (kept_make_room(ex))
			return reserve_fill(&ex->ballast);
		errno = error;
	}
	return answer;
}

int
ballast_fill(struct executor *ex)
{
	if (fill(ex) == 0)
		return 0;
	if (!is_full(errno)) {
		/* Such a filesystem cannot keep room: said, and lived with. */
		log_debug("%s/%s: %s", ex->place.path, BALLAST,
		    strerror(errno));
		return 0;
	}
	executor_hold(ex,
	    "%s: no room for the ballast of %d bytes that a commit may need",
	    ex->place.path, BALLAST_BYTES);
	return -1;
}

bool
ballast_spend(struct executor *ex, int error)
{
	if (is_full(error) && kept_make_room(ex))
		return true;
	if (!is_full(error) || !reserve_spend(&ex->ballast, error)) {
		errno = error;
		return false;
	}
	log_warnx("the disk is full: the ballast is given back");
	return true;
}
