/* SPDX-License-Identifier: ISC */
/*
 * The least that any supervisor can look after, for tests/bench/supervisors.pl:
 * "service [-q NAME]" appends "NAME PID NANOSECONDS" (monotonic) to $BENCH_LOG
 * first of all, writes its pid to $BENCH_PIDS/NAME, says that it is ready in
 * the way that it is asked to (sd_notify, or a newline to descriptor 3 with
 * $BENCH_READY_FD), and beats every 5 s where somebody wants to know.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BEAT_SECONDS 5

static void
write_line(const char *path, int flags, const char *line)
{
	int fd =
	    path != NULL ? open(path, O_WRONLY | O_CREAT | flags, 0644) : -1;

	if (fd == -1)
		return;
	if (write(fd, line, strlen(line)) == -1)
		_exit(1);
	(void)close(fd);
}

/* argv[0]'s last part, and behind "@" what -q names; as the "run" of a service
 * directory, that directory's. */
static void
name_self(int argc, char **argv, char *out, size_t size)
{
	const char *slash = strrchr(argv[0], '/');
	const char *last = slash != NULL ? slash + 1 : argv[0];
	const char *queue = NULL;
	char here[4096];
	int i;

	if (strcmp(last, "run") == 0 && getcwd(here, sizeof here) != NULL) {
		(void)snprintf(out, size, "%s", strrchr(here, '/') + 1);
		return;
	}

	for (i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "-q") == 0)
			queue = argv[i + 1];
	(void)snprintf(out, size, "%s%s%s", last, queue != NULL ? "@" : "",
	    queue != NULL ? queue : "");
}

static int
dial(struct sockaddr_un *to)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (path == NULL || path[0] != '/')
		return -1;
	to->sun_family = AF_UNIX;
	(void)snprintf(to->sun_path, sizeof to->sun_path, "%s", path);
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static void
say(int fd, const struct sockaddr_un *to, const char *text)
{
	(void)sendto(fd, text, strlen(text), MSG_DONTWAIT,
	    (const struct sockaddr *)to, sizeof *to);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un to = {0};
	struct timespec now;
	char name[64], line[160], path[4096];
	int fd;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	name_self(argc, argv, name, sizeof name);
	(void)snprintf(line, sizeof line, "%s %ld %" PRId64 "\n", name,
	    (long)getpid(),
	    (int64_t)now.tv_sec * 1000000000 + (int64_t)now.tv_nsec);
	write_line(getenv("BENCH_LOG"), O_APPEND, line);
	if (getenv("BENCH_PIDS") != NULL) {
		(void)snprintf(path, sizeof path, "%s/%s", getenv("BENCH_PIDS"),
		    name);
		(void)snprintf(line, sizeof line, "%ld\n", (long)getpid());
		write_line(path, O_TRUNC, line);
	}
	if (getenv("BENCH_READY_FD") != NULL && write(3, "\n", 1) == 1)
		(void)close(3);
	fd = dial(&to);
	say(fd, &to, "READY=1\nX_WORK=1\n");
	for (;;) {
		if (fd == -1)
			(void)pause();
		(void)sleep(BEAT_SECONDS);
		say(fd, &to, "WATCHDOG=1\nX_WORK=1\n");
	}
}
