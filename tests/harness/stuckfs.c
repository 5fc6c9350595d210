/* SPDX-License-Identifier: ISC */
/*
 * stuckfs DIR READY: mounts a file system on DIR that answers nothing but its
 * first request, and makes the file READY. Who asks it for a name sleeps
 * uninterruptibly, as on a dead disk or server, until this program is gone.
 * Run in a mount namespace of its own; ends with its first signal, or after
 * two minutes.
 */
#include <sys/mount.h>
#include <err.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIFE_S 120

static union {
	struct {
		struct fuse_in_header head;
		struct fuse_init_in init;
	} in;
	char room[FUSE_MIN_READ_BUFFER + 4096];
} request;

static void
answer_init(int fd)
{
	struct {
		struct fuse_out_header head;
		struct fuse_init_out init;
	} out;

	if (read(fd, &request, sizeof request) <= 0 ||
	    request.in.head.opcode != FUSE_INIT)
		errx(1, "no first request");
	memset(&out, 0, sizeof out);
	out.head.len = sizeof out;
	out.head.unique = request.in.head.unique;
	out.init.major = FUSE_KERNEL_VERSION;
	out.init.minor = FUSE_KERNEL_MINOR_VERSION;
	out.init.max_write = 4096;
	if (write(fd, &out, sizeof out) != (ssize_t)sizeof out)
		err(1, "the first answer");
}

int
main(int argc, char **argv)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC), ready;

	if (argc != 3)
		errx(2, "usage: stuckfs DIR READY");
	if (fd == -1)
		err(1, "/dev/fuse");
	(void)alarm(LIFE_S);
	(void)snprintf(options, sizeof options,
	    "fd=%d,rootmode=40755,user_id=%u,group_id=%u,allow_other", fd,
	    (unsigned)getuid(), (unsigned)getgid());
	if (mount("stuckfs", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) ==
	    -1)
		err(1, "%s", argv[1]);
	answer_init(fd);
	ready = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (ready == -1)
		err(1, "%s", argv[2]);
	/* A request that was read is one that no signal takes back. */
	while (read(fd, &request, sizeof request) > 0)
		continue;
	return 0;
}
