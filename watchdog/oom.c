/* SPDX-License-Identifier: ISC */
/* Out-of-memory kills, by the kernel's count and its log. */
#include "watchdog/oom.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD_SIZE 8192   /* bytes; the kernel gives no longer one */
#define RECORDS_MAX 200000 /* more than any log buffer holds */
#define FIRST_PID_NS                                                           \
	0xeffffffcUL /* inode number, fixed in the kernel's ABI                \
		      */
/* The log's clock is not quite CLOCK_MONOTONIC; no pid returns that soon. */
#define CLOCK_SLACK_MS 5000

uint64_t
oom_count(void)
{
	char line[128];
	uint64_t count = 0;
	FILE *f = fopen("/proc/vmstat", "re");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "oom_kill ", 9) == 0) {
			count = strtoull(line + 9, NULL, 10);
			break;
		}
	(void)fclose(f);
	return count;
}

/* "6,1234,15487457125,-": priority, number, microseconds since boot. */
static int64_t
record_ms(const char *record)
{
	const char *comma = strchr(record, ',');

	comma = comma != NULL ? strchr(comma + 1, ',') : NULL;
	return comma == NULL ? -1
			     : (int64_t)(strtoull(comma + 1, NULL, 10) / 1000);
}

bool
oom_record_names(const char *record, pid_t pid, int64_t since_ms)
{
	static const char words[] = "Killed process ";
	const char *text = strchr(record, ';');
	char *end;

	if (text == NULL || record_ms(record) < since_ms - CLOCK_SLACK_MS)
		return false;
	text = strstr(text, words);
	if (text == NULL)
		return false;
	text += sizeof words - 1;
	return strtol(text, &end, 10) == (long)pid && end != text &&
	       *end == ' ';
}

/* Elsewhere the log's pids are others than those that we know. */
static bool
in_first_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == FIRST_PID_NS;
}

int
oom_logged(pid_t pid, int64_t since_ms)
{
	char record[RECORD_SIZE + 1];
	int found = 0;
	int fd = in_first_pid_namespace()
		     ? open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
		     : -1;

	if (fd == -1)
		return -1;
	for (int i = 0; found == 0 && i < RECORDS_MAX; i++) {
		ssize_t n = read(fd, record, RECORD_SIZE);

		/* EPIPE: some were overwritten meanwhile; the next is whole. */
		if (n == -1 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			break;
		record[n] = '\0';
		found = oom_record_names(record, pid, since_ms);
	}
	(void)close(fd);
	return found;
}
