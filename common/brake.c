/* SPDX-License-Identifier: ISC */
/* run/intake.brake */
#include <sys/file.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/brake.h"
#include "common/sys.h"

#define BRAKE_FILE "intake.brake"
#define SUPERVISOR_LOCK "watchdog.lock"

int
brake_pull(const struct tree *t, const char *why)
{
	int fd = sys_openat(t->run, BRAKE_FILE,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd == -1)
		return -1;
	/* That it is there is what counts; the reason needs a byte of disk. */
	(void)sys_write(fd, why, strlen(why));
	return sys_close(fd);
}

int
brake_release(const struct tree *t)
{
	return sys_unlinkat(t->run, BRAKE_FILE, 0) == 0 || errno == ENOENT ? 0
									   : -1;
}

/* A supervisor that was killed cannot let it go any more. */
static bool
somebody_supervises(const struct tree *t)
{
	int fd = openat(t->run, SUPERVISOR_LOCK,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool held = true;

	if (fd == -1)
		return errno != ENOENT;
	held = flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
	(void)close(fd);
	return held;
}

bool
brake_is_on(const struct tree *t, char *why, size_t size)
{
	int fd = openat(t->run, BRAKE_FILE,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd == -1)
		return false;
	n = read(fd, why, size - 1);
	why[n > 0 ? n : 0] = '\0';
	(void)close(fd);
	return somebody_supervises(t);
}
