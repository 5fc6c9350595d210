/* SPDX-License-Identifier: ISC */
/* What /proc says of a process. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watchdog/proc.h"

ssize_t
proc_read(const char *path, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	while (len < size - 1 && n > 0) {
		n = read(fd, out + len, size - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	(void)close(fd);
	out[len] = '\0';
	return n < 0 ? -1 : (ssize_t)len;
}

int
proc_stat(pid_t pid, struct proc_stat *out)
{
	char path[48], text[1024];
	char *end, *field;
	int i;

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	if (proc_read(path, text, sizeof text) <= 0)
		return -1;
	/* The name may hold anything; the last ')' ends it. Behind it stand
	 * state, parent, process group, session. */
	end = strrchr(text, ')');
	if (end == NULL || strlen(end) < 4)
		return -1;
	out->state = end[2];
	field = end + 4;
	for (i = 0; i < 3; i++) {
		long n = strtol(field, &field, 10);

		if (i == 0)
			out->parent = (pid_t)n;
		else if (i == 1)
			out->group = (pid_t)n;
		else if (i == 2)
			out->session = (pid_t)n;
	}
	return 0;
}

void
proc_each(int (*visit)(pid_t, void *), void *arg)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	const char *error;
	pid_t pid;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		pid = (pid_t)strtonum(e->d_name, 1, INT32_MAX, &error);
		if (error == NULL && visit(pid, arg) != 0)
			break;
	}
	(void)closedir(d);
}
