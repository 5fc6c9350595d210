/* SPDX-License-Identifier: ISC */
/* Init and worker: what becomes of the process, from its start to its end. */
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/clock.h"
#include "executor/bare.h"
#include "executor/confine.h"
#include "executor/filter.h"
#include "executor/guard.h"
#include "executor/jail_child.h"
#include "executor/report.h"
#include "executor/rootfs.h"

/* Descriptors in the child: what is above these is closed first. */
enum { FD_LIFELINE = 3, FD_REPORT = JAIL_REPORT, FD_ORDER, FD_NET, FD_FREE };

#define EXIT_SETUP 120 /* the jail could not be built; a fault says why */

/* The daemon's signal mask and handlers are not for what runs here. */
static void
reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Keeps only stderr and what is asked for, in its place: above all not the
 * lock. -1 is for none. */
static int
close_rest(const int keep[FD_FREE])
{
	int high[FD_FREE];

	for (int to = FD_LIFELINE; to < FD_FREE; to++) {
		high[to] =
		    keep[to] == -1 ? -1 : fcntl(keep[to], F_DUPFD_CLOEXEC, 64);
		if (keep[to] != -1 && high[to] == -1)
			return -1;
	}
	for (int to = FD_LIFELINE; to < FD_FREE; to++) {
		if (high[to] == -1)
			(void)close(to);
		else if (dup3(high[to], to, O_CLOEXEC) == -1)
			return -1;
	}
	return close_range(FD_FREE, UINT_MAX, 0);
}

/* One byte is the go; end of file says that the executor is gone. */
static bool
wait_go(void)
{
	char byte;
	ssize_t n;

	do
		n = read(FD_LIFELINE, &byte, 1);
	while (n == -1 && errno == EINTR);
	return n == 1;
}

static void
setup_failed(const char *what)
{
	struct fault f = {0};

	(void)fault_errno(&f, OUTCOME_PREPARE, "%s", what);
	report_fault(FD_REPORT, &f);
	_exit(EXIT_SETUP);
}

/* In this order: a ruleset takes paths as the user will see them and must be
 * made with the mounts in place, and after the filter nothing more can be
 * taken away. */
static _Noreturn void
work(const struct jail_spec *spec, int root)
{
	int ruleset;

	if (spec->way != JAIL_PLAIN)
		reset_signals();
	if (confine_prepare(spec, root, &ruleset) == -1)
		setup_failed("Landlock rules");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    jail_drop(spec->user) == -1)
		setup_failed("dropping rights for the commands");
	/* Dropping rights has cleared it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		setup_failed("tying the worker to its parent");
	if (confine_enter(spec, ruleset) == -1)
		setup_failed("confining the worker");
	_exit(spec->run(spec->owner, root, FD_REPORT));
}

/* With a pid namespace the kernel kills whatever is left. That nobody reports
 * any more tells the executor that the last look has been taken: it may change
 * the view then. */
static _Noreturn void
leave(int status, const struct guard *g)
{
	g->usage->ended_ms = clock_mono_ms();
	(void)close(FD_REPORT);
	if (!g->alone)
		guard_kill();
	_exit(status);
}

/* Over a limit everything ends, and the executor reads which one it was. */
static void
guard_once(struct guard *g)
{
	enum limit_kind over = g->limits != NULL ? guard_look(g) : LIMIT_NONE;

	if (over == LIMIT_NONE)
		return;
	g->usage->over = over;
	leave(EXIT_SETUP, g);
}

/* The last look is for what was done between two others. */
static _Noreturn void
end_with(int status, struct guard *g)
{
	g->disk_at = 0;
	guard_once(g);
	leave(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	    g);
}

/* Ends with the worker's status; whatever else still runs ends with us. */
static _Noreturn void
reap_until(pid_t worker, int signals, struct guard *g)
{
	int every =
	    g->limits != NULL && g->limits->grouped ? GUARD_SLOW_MS : GUARD_MS;
	int64_t next = clock_mono_ms() + every;
	struct pollfd fds[] = {{FD_LIFELINE, POLLIN, 0}, {signals, POLLIN, 0}};
	struct signalfd_siginfo si;
	int status;
	pid_t pid;

	for (;;) {
		if (poll(fds, 2, every) == -1 && errno != EINTR)
			leave(EXIT_SETUP, g);
		if (fds[0].revents != 0)
			leave(128 + SIGKILL, g);
		if (fds[1].revents != 0 &&
		    read(signals, &si, sizeof(si)) == -1 && errno != EINTR)
			leave(EXIT_SETUP, g);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid == worker)
				end_with(status, g);
		}
		if (clock_mono_ms() >= next) {
			guard_once(g);
			next = clock_mono_ms() + every;
		}
	}
}

static int
open_txn(const char *txn, const char *part)
{
	int dir = open(txn, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = dir == -1
		     ? -1
		     : openat(dir, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir != -1)
		(void)close(dir);
	return fd;
}

/* Fills the clone and makes it the working directory. */
static int
enter_bare(const struct jail_spec *spec)
{
	int upper = open_txn(spec->txn, "upper");
	int live = open(spec->workspace,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (upper == -1 || live == -1 || prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		setup_failed("opening the transaction");
	if (spec->prepare(spec->owner, live, upper, FD_REPORT) == -1)
		_exit(EXIT_SETUP);
	(void)close(live);
	if (bare_make(spec) == -1 || fchdir(upper) == -1)
		setup_failed("entering the clone");
	return upper;
}

/* The view of the workspace. */
static int
enter(const struct jail_spec *spec, struct guard *g)
{
	if (spec->way == JAIL_BARE) {
		g->upper = open_txn(spec->txn, "upper");
		return enter_bare(spec);
	}
	if ((spec->accept == NULL && rootfs_begin(spec) == -1) ||
	    rootfs_take(spec) == -1)
		return -1;
	g->upper = rootfs_open("upper");
	return rootfs_enter();
}

static _Noreturn void
init_main(const struct jail_spec *spec, const struct jail *j)
{
	struct guard g = {.limits = spec->limits,
	    .usage = j->usage,
	    .alone = spec->way != JAIL_BARE};
	sigset_t chld;
	int root, signals;
	pid_t worker;

	(void)sigfillset(&chld);
	(void)sigprocmask(SIG_SETMASK, &chld, NULL);
	(void)sigemptyset(&chld);
	(void)sigaddset(&chld, SIGCHLD);
	signals = signalfd(-1, &chld, SFD_CLOEXEC);
	if (signals == -1)
		setup_failed("signalfd");
	root = enter(spec, &g);
	if (root == -1)
		setup_failed(rootfs_step());
	if (spec->way != JAIL_OVERLAY)
		g.disk_base = guard_disk(g.upper);
	worker = fork();
	if (worker == -1)
		setup_failed("fork of the worker");
	if (worker == 0)
		work(spec, root);
	(void)close(root);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		_exit(EXIT_SETUP);
	reap_until(worker, signals, &g);
}

/* What does not depend on the patch is done while the executor makes T. The
 * filter refuses nothing that is still to be taken away. */
static int
ready_plain(const struct jail_spec *spec)
{
	reset_signals();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return filter_enter(confine_inet(spec));
}

static _Noreturn void
plain_main(const struct jail_spec *spec)
{
	int upper = open_txn(spec->txn, "upper");
	int live = open(spec->workspace,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (upper == -1 || live == -1)
		setup_failed("opening the transaction");
	if (spec->prepare(spec->owner, live, upper, FD_REPORT) == -1)
		_exit(EXIT_SETUP);
	work(spec, upper);
}

/* All in which no patch has a say; then its order. Only now is it sure that
 * nobody else is in the net namespace. */
static void
await_order(struct jail_spec *spec, bool shares)
{
	if (spec->cgroup != NULL && cgroup_hold(spec->cgroup) == -1)
		setup_failed("looking for the control group");
	if (rootfs_begin(spec) == -1)
		setup_failed(rootfs_step());
	if (send(FD_LIFELINE, "", 1, MSG_NOSIGNAL) != 1 || !wait_go())
		_exit(EXIT_SETUP);
	if (spec->accept(spec->owner, spec, FD_ORDER) == -1)
		setup_failed("reading the order");
	(void)close(FD_ORDER);
	if (shares && !spec->network && netns_enter(FD_NET) == -1)
		setup_failed("entering the net namespace");
	if (shares)
		(void)close(FD_NET);
}

static void
prepare(const struct jail_spec *spec)
{
	if (spec->cgroup != NULL && cgroup_join(spec->cgroup) == -1)
		setup_failed("joining the control group");
	cgroup_let_go();
	if (spec->way == JAIL_PLAIN && ready_plain(spec) == -1)
		setup_failed("confining the worker");
}

void
jail_child(const struct jail_spec *given, const struct jail *j, int lifeline,
    int report)
{
	struct jail_spec spec = *given;
	bool ahead = spec.accept != NULL;
	bool shares = j->net != NULL && j->net->fd != -1;
	bool entered = ahead || !shares || netns_enter(j->net->fd) == 0;
	const int keep[FD_FREE] = {[FD_LIFELINE] = lifeline,
	    [FD_REPORT] = report,
	    [FD_ORDER] = ahead ? spec.order : -1,
	    [FD_NET] = ahead && shares ? j->net->fd : -1};

	(void)umask(022);
	if (close_rest(keep) == -1)
		_exit(EXIT_SETUP);
	if (!entered)
		setup_failed("entering the net namespace");
	/* A bare init must outlive the executor, to kill the others. */
	if ((spec.way != JAIL_BARE && prctl(PR_SET_PDEATHSIG, SIGKILL) == -1))
		_exit(EXIT_SETUP);
	if (ahead)
		await_order(&spec, shares);
	prepare(&spec);
	if (!ahead && !wait_go())
		_exit(EXIT_SETUP);
	if (spec.way != JAIL_PLAIN)
		init_main(&spec, j);
	plain_main(&spec);
}
