/* SPDX-License-Identifier: ISC */
/* Proof of death by pid, start time and boot id, and the count of crashes. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
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

/* KEY,ATTEMPT of a transaction's name. */
static int
parse_txn(const char *name, char key[KEY_SIZE], int *attempt)
{
	char file[NAME_SIZE + 8];

	if (snprintf(file, sizeof(file), "%s.json", name) < 0)
		return -1;
	return key_parse_outcome_file(file, key, attempt);
}

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

/* An interrupted run counts against its patch, each run once. */
static int
count_crash(struct executor *ex, int64_t began_us, const char *name)
{
	char key[KEY_SIZE], run[64];
	struct tries t;
	int attempt;

	if (parse_txn(name, key, &attempt) == -1 ||
	    tree_find_outcome(ex->q, key, attempt) != BOX__MAX)
		return 0;
	if (tries_load(&ex->state, key, &t) == -1 ||
	    snprintf(run, sizeof(run), "%lld", (long long)began_us) < 0)
		return 0;
	if (t.attempt != attempt)
		t = (struct tries){.attempt = attempt};
	if (strcmp(t.last_txn, run) == 0)
		return 0;
	strlcpy(t.last_txn, run, sizeof(t.last_txn));
	t.crashes++;
	if (tries_save(&ex->state, key, &t) == SPOOL_DONE)
		return 0;
	executor_hold(ex, "%s: state not written", key);
	return -1;
}

static int
bury(struct executor *ex, const json_t *begin, const char *name)
{
	if (prove_stage_dead(ex, begin, name) == -1)
		return -1;
	return count_crash(ex,
	    json_integer_value(json_object_get(begin, "wall_us")), name);
}

/* The power went before it was on the disk, and all processes with it; or we
 * were killed while it was written, and nobody was let go. */
static int
bury_torn(struct executor *ex, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, "BEGIN", &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	return count_crash(ex,
	    st.st_mtim.tv_sec * INT64_C(1000000) + st.st_mtim.tv_nsec / 1000,
	    name);
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
	/* Without a BEGIN nobody was let go: it ends by itself. */
	if (found == 1)
		answer = bury(ex, begin, name);
	else if (torn)
		answer = bury_torn(ex, dir, name);
	json_decref(begin);
	if (answer == 0) {
		log_info("%s: transaction discarded", name);
		settle_drop(ex, name);
	}
	return answer;
}
