/* SPDX-License-Identifier: ISC */
/* The preallocated file for a full disk. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/reserve.h"
#include "common/sys.h"

void
reserve_open(struct reserve *r, int dir, const char *name, off_t bytes)
{
	r->dir = dir;
	r->name = name;
	r->bytes = bytes;
	r->held = false;
	(void)reserve_fill(r);
}

/* Where the filesystem cannot preallocate, a file of zeros would often be a
 * hole and hold nothing: then there is no reserve. */
static int
allocate(int fd, off_t bytes)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size == bytes &&
	    st.st_blocks * 512 >= bytes)
		return 0;
	return sys_fallocate(fd, bytes);
}

int
reserve_fill(struct reserve *r)
{
	int saved;
	int fd;

	if (r->held)
		return 0;
	fd = sys_openat(r->dir, r->name,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (allocate(fd, r->bytes) == -1) {
		saved = errno;
		(void)close(fd);
		(void)sys_unlinkat(r->dir, r->name, 0);
		errno = saved;
		return -1;
	}
	(void)close(fd);
	r->held = true;
	return 0;
}

bool
reserve_spend(struct reserve *r, int err)
{
	if (!r->held || (err != ENOSPC && err != EDQUOT))
		return false;
	r->held = false;
	return sys_unlinkat(r->dir, r->name, 0) == 0;
}
