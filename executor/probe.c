/* SPDX-License-Identifier: ISC */
/* A jail that runs one command, to see whether the machine allows it. */
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "executor/probe.h"
#include "executor/report.h"

#define PROBE ".drop-probe" /* recovery sweeps it away */
#define PROBE_MS 10000
#define PROBES 3    /* in a row, where one says nothing of the machine */
#define PAUSE_MS 50 /* between them */

/* Nothing is cloned for it. */
static int
probe_clone(void *owner, int workspace, int upper, int report)
{
	(void)owner;
	(void)workspace;
	(void)upper;
	(void)report;
	return 0;
}

/* One that was slow or was killed says nothing of the machine. */
static void
judge_shell(const struct command *c, struct fault *f)
{
	(void)fault_fail(f, OUTCOME_PREPARE,
	    "/bin/sh does not run in the jail: status %d, %s", c->exit_code,
	    c->head.bytes != NULL ? c->head.bytes : "");
	f->temporary = c->timed_out || c->signal == SIGKILL;
}

/* Proves inside the jail what every patch with commands needs. */
static int
probe_run(void *owner, int root, int report)
{
	static const char *const argv[] = {"/bin/sh", "-c", ":", NULL};
	static char *const envp[] = {NULL};
	const struct command_limits limits = {.output = 1024};
	const struct probe *p = owner;
	struct command c = {.argv = argv,
	    .envp = envp,
	    .limits = &limits,
	    .bare = p->way == JAIL_BARE,
	    .timeout_ms = PROBE_MS / 2};
	struct fault f = {0};

	if (mkdirat(root, ".patchflow-probe", 0700) == -1 && errno != EACCES)
		(void)fault_errno(&f, OUTCOME_PREPARE, "writing to the view");
	else if (command_run(&c) == -1)
		(void)fault_errno(&f, OUTCOME_PREPARE,
		    "starting /bin/sh in the jail");
	else if (!command_succeeded(&c))
		judge_shell(&c, &f);
	if (f.set)
		report_fault(report, &f);
	else
		report_send(report, "end", json_object());
	return f.set ? 1 : 0;
}

static void
on_probe_line(void *owner, const char *kind, json_t *doc)
{
	struct probe *p = owner;

	if (strcmp(kind, "fault") == 0 && !p->fault.set &&
	    fault_decode(doc, &p->fault) == -1)
		p->ended = false;
	else if (strcmp(kind, "end") == 0)
		p->ended = true;
}

static void
listen_probe(struct jail *j, struct probe *p)
{
	struct pollfd fd = {j->report, POLLIN, 0};
	struct buf pending = {0};

	while (poll(&fd, 1, PROBE_MS) == 1 &&
	       report_read(j->report, &pending, on_probe_line, p) == 1)
		continue;
	buf_free(&pending);
}

/* The administrator's zero, in contrast to a number that is used up. */
static bool
are_namespaces_forbidden(void)
{
	static const char *const kinds[] = {"user", "mnt", "pid", "ipc", "uts",
	    "net"};
	char path[64], digit = '\0';

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int fd;

		(void)snprintf(path, sizeof(path),
		    "/proc/sys/user/max_%s_namespaces", kinds[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd != -1 && read(fd, &digit, 1) != 1)
			digit = '\0';
		if (fd != -1)
			(void)close(fd);
		if (digit == '0')
			return true;
	}
	return false;
}

static int
fail_start(struct probe *p)
{
	int saved = errno;

	(void)fault_errno(&p->fault, OUTCOME_PREPARE, "making namespaces");
	if (saved == ENOSPC && are_namespaces_forbidden())
		p->fault.temporary = false;
	return -1;
}

/* A system call that ends who makes it is as much as forbidden; any other end
 * without a word says nothing of the machine. */
static void
judge_silence(struct probe *p, int status)
{
	bool forbidden = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

	(void)fault_fail(&p->fault, OUTCOME_PREPARE, "%s",
	    forbidden ? "a system call of it is forbidden by a filter"
		      : "the probe ended without an answer");
	p->fault.temporary = !forbidden;
}

static int
run_probe(struct executor *ex, struct probe *p, const char *name)
{
	char path[PATH_MAX];
	struct jail_spec spec = {.way = p->way,
	    .workspace = ex->workspace.path,
	    .place = ex->place.path,
	    .txn = path,
	    .user = &ex->user,
	    .queue = ex->queue,
	    .prepare = probe_clone,
	    .run = probe_run,
	    .owner = p};
	struct jail j;
	int status;

	if (snprintf(path, sizeof(path), "%s/%s", ex->place.path, name) >=
		(int)sizeof(path) ||
	    jail_start(&j, &spec) == -1)
		return fail_start(p);
	if (jail_release(&j) == 0)
		listen_probe(&j, p);
	jail_kill(&j);
	/* Not dead: it has no status, and was killed. */
	if (jail_reap(&j, PROBE_MS, &status) != 1)
		status = SIGKILL;
	if (!p->ended && !p->fault.set)
		judge_silence(p, status);
	jail_close(&j);
	return p->ended ? 0 : -1;
}

/* A check may run beside the executor itself: its probe has another name. */
static void
name_probe(const struct executor *ex, char *name, size_t size)
{
	(void)strlcpy(name, PROBE, size);
	if (ex->opts->check)
		(void)snprintf(name, size, ".drop-check-%ld", (long)getpid());
}

static void
try_probe(struct executor *ex, struct probe *p)
{
	char name[64];
	struct txn t;

	name_probe(ex, name, sizeof(name));
	if (txn_drop(&ex->place, name) == -1 ||
	    txn_create(&t, &ex->place, name, &ex->workspace) == -1 ||
	    txn_add_work(&t) == -1) {
		(void)fault_errno(&p->fault, OUTCOME_PREPARE,
		    "making a transaction");
		p->fault.temporary = true;
	} else {
		(void)run_probe(ex, p, name);
		txn_close(&t);
	}
	if (txn_drop(&ex->place, name) == -1)
		log_warn("%s/%s: not removed", ex->place.path, name);
}

bool
probe_way(struct executor *ex, struct probe *p, enum jail_way way)
{
	const struct timespec pause = {0, PAUSE_MS * 1000000};

	for (int i = 0; i < PROBES; i++) {
		if (i > 0)
			(void)nanosleep(&pause, NULL);
		fault_free(&p->fault);
		*p = (struct probe){.way = way};
		try_probe(ex, p);
		if (!p->fault.temporary)
			break;
	}
	return p->ended && !p->fault.set;
}
