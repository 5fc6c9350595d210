/* SPDX-License-Identifier: ISC */
/* Proof of death by pid, start time and boot id. */
#include <sys/syscall.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "executor/death.h"
#include "executor/settle.h"

#define DEATH_MS 5000 /* twice */

static int
await_exit(struct pollfd *fd)
{
	int ready;

	do
		ready = poll(fd, 1, DEATH_MS);
	while (ready == -1 && errno == EINTR);
	return ready;
}

/* Gone, or another process by now: the start time tells. */
static int
prove_dead(pid_t pid, unsigned long long start_time)
{
	struct pollfd fd = {.events = POLLIN};
	int64_t since = clock_mono_ms();
	int ready;

	if (pid <= 0)
		return 0;
	fd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd.fd == -1)
		return errno == ESRCH ? 0 : -1;
	/* Read after the pidfd: it belongs to that very process. */
	if (jail_start_time(pid) != start_time) {
		(void)close(fd.fd);
		return 0;
	}
	/* It ends by itself when it misses its executor, and without a
	 * namespace it is the one who kills the others. */
	ready = await_exit(&fd);
	if (ready == 0 &&
	    syscall(SYS_pidfd_send_signal, fd.fd, SIGKILL, NULL, 0) == -1)
		log_warn("process %ld: not killed", (long)pid);
	if (ready == 0)
		ready = await_exit(&fd);
	(void)close(fd.fd);
	if (ready == 1)
		log_info("process %ld: dead, waited for %lld ms", (long)pid,
		    (long long)(clock_mono_ms() - since));
	errno = ETIMEDOUT;
	return ready == 1 ? 0 : -1;
}

static int
prove_stage_dead(struct executor *ex, const json_t *begin, const char *name)
{
	const char *boot = json_string_value(json_object_get(begin, "boot_id"));
	pid_t pid = (pid_t)json_integer_value(json_object_get(begin, "pid"));
	unsigned long long start = (unsigned long long)json_integer_value(
	    json_object_get(begin, "start_time"));

	if (boot == NULL || strcmp(boot, clock_boot_id()) != 0)
		return 0;
	if (prove_dead(pid, start) == 0)
		return 0;
	executor_hold(ex, "%s: its staging process %ld is still alive", name,
	    (long)pid);
	return -1;
}

int
death_discard(struct executor *ex, const char *name, int dir)
{
	json_t *begin = NULL;
	int found = spool_read_json(dir, "BEGIN", &begin);
	bool torn = found == -1 && (errno == ENOMSG || errno == EBADMSG);
	int answer = 0;

	if (found == -1 && !torn) {
		executor_hold(ex, "%s: its BEGIN is not read: %s", name,
		    strerror(errno));
		return -1;
	}
	/* Without a BEGIN, or with half of one, nobody was let go; or the power
	 * went, and all processes with it. */
	if (found == 1)
		answer = prove_stage_dead(ex, begin, name);
	json_decref(begin);
	if (answer == 0) {
		log_info("%s: transaction discarded", name);
		settle_drop(ex, name);
	}
	return answer;
}
