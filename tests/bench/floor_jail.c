/* SPDX-License-Identifier: ISC */
/* The floor's jail: its init, its worker and the two commands. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/landlock.h"
#include "executor/filter.h"
#include "tests/bench/bench.h"
#include "tests/bench/floor.h"

enum { FD_LIFELINE = 3, FD_REPORT, FD_NET, FD_FREE };

#define LINE 256 /* of a report; the last one is shorter */

#define MAY_CHANGE (LOCK_FS_CHANGES | LOCK_FS_REFER | LOCK_FS_TRUNCATE)
#define MAY_USE                                                                \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LOCK_FS_TRUNCATE | LOCK_FS_IOCTL_DEV)

static _Noreturn void
execute(int out)
{
	static const struct {
		__rlimit_resource_t what;
		rlim_t value;
	} limits[] = {{RLIMIT_DATA, 2u << 30}, {RLIMIT_FSIZE, 10u << 20},
	    {RLIMIT_NOFILE, 1024}, {RLIMIT_CPU, 601}, {RLIMIT_CORE, 0}};
	int null = open("/dev/null", O_RDONLY);

	if (null == -1 || setsid() == -1 || dup2(null, 0) == -1 ||
	    dup2(out, 1) == -1 || dup2(out, 2) == -1 ||
	    close_range(STDERR_FILENO + 1, UINT_MAX, 0) == -1)
		_exit(126);
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		(void)setrlimit(limits[i].what,
		    &(struct rlimit){limits[i].value, limits[i].value});
	(void)execl("/bin/sh", "sh", "-c", "true", (char *)NULL);
	_exit(127);
}

/* Until nobody holds its output, and then what became of it. */
static void
command(void)
{
	static char bytes[4096];
	int out[2], status;
	pid_t pid;

	bench_check(pipe2(out, O_CLOEXEC), "pipe2");
	/* NOLINTNEXTLINE(*.vfork,*.Vfork) */
	pid = vfork();
	if (pid == 0)
		execute(out[1]); /* NOLINT(*.Vfork) */
	bench_check(pid, "vfork");
	(void)close(out[1]);
	while (read(out[0], bytes, sizeof bytes) > 0)
		continue;
	(void)close(out[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		errx(1, "the floor's command failed");
	if (write(FD_REPORT, bytes, LINE) != LINE)
		err(1, "report");
}

/* What the private mounts and the workspace allow. */
static void
allow(int ruleset, const char *path, uint64_t access)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {access, fd};

	if (fd == -1 || syscall(SYS_landlock_add_rule, ruleset,
			    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == -1)
		err(1, "%s", path);
	(void)close(fd);
}

static void
confine(void)
{
	static const char *const places[] = {".", "/tmp", "/var/tmp", "/home",
	    "/root", "/run", "/dev/shm"};
	struct landlock_rules rules = {.fs = MAY_CHANGE | LOCK_FS_IOCTL_DEV,
	    .scope = LOCK_SCOPE_ABSTRACT | LOCK_SCOPE_SIGNAL};
	int ruleset = landlock_open(&rules);

	if (ruleset == -1)
		return; /* too old a kernel: nor has the executor one */
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		allow(ruleset, places[i], MAY_CHANGE & rules.fs);
	allow(ruleset, "/dev", MAY_USE & rules.fs);
	bench_check(landlock_enter(ruleset), "Landlock");
}

/* As root run_as is the workspace's owner, who is root here. The bounding set
 * means nothing where no_new_privs is set. */
static void
drop(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
	gid_t gid = getgid();
	uid_t uid = getuid();

	bench_check(setgroups(1, &gid), "setgroups");
	bench_check(setresgid(gid, gid, gid), "setresgid");
	bench_check(setresuid(uid, uid, uid), "setresuid");
	bench_check((int)syscall(SYS_capset, &head, none), "capset");
	bench_check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	bench_check(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable");
	bench_check(prctl(PR_SET_PDEATHSIG, SIGKILL), "pdeathsig");
}

static _Noreturn void
work(void)
{
	char name[16];
	sigset_t none;
	int dir;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	drop();
	confine();
	bench_check(filter_enter(true), "filter");
	dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < FLOOR_FILES; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		bench_write(dir, name, "after\n");
	}
	for (int i = 0; i < FLOOR_COMMANDS; i++)
		command();
	if (write(FD_REPORT, "", 1) != 1)
		err(1, "report");
	_exit(0);
}

/* Init reaps, and would end with the executor or with the worker. */
static _Noreturn void
reap(pid_t worker, int signals)
{
	struct pollfd fds[] = {{FD_LIFELINE, POLLIN, 0}, {signals, POLLIN, 0}};
	struct signalfd_siginfo si;
	int status = -1;

	while (poll(fds, 2, -1) != -1 && fds[0].revents == 0) {
		if (read(signals, &si, sizeof si) == -1)
			break;
		if (waitpid(-1, &status, WNOHANG) == worker)
			_exit(status == 0 ? 0 : 1);
	}
	_exit(1);
}

static void
keep_only(int lifeline, int report, int net)
{
	int a = fcntl(lifeline, F_DUPFD_CLOEXEC, 64);
	int b = fcntl(report, F_DUPFD_CLOEXEC, 64);
	int c = fcntl(net, F_DUPFD_CLOEXEC, 64);

	if (dup3(a, FD_LIFELINE, O_CLOEXEC) == -1 ||
	    dup3(b, FD_REPORT, O_CLOEXEC) == -1 ||
	    dup3(c, FD_NET, O_CLOEXEC) == -1 ||
	    close_range(FD_FREE, UINT_MAX, 0) == -1)
		err(1, "descriptors");
}

/* All in which no patch has a say; a signalfd of its children. */
static int
prepare(const struct floor *f, struct floor_places *p)
{
	sigset_t all, chld;

	bench_check(prctl(PR_SET_PDEATHSIG, SIGKILL), "pdeathsig");
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)sigemptyset(&chld);
	(void)sigaddset(&chld, SIGCHLD);
	bench_check(sethostname("patchflow", 9), "sethostname");
	bench_check(cgroup_hold(&f->group), "control group");
	bench_check(floor_mounts_make(f, p), "the floor's mounts");
	return signalfd(-1, &chld, SFD_CLOEXEC);
}

/* Until its order comes the last jail may be in the group and the net
 * namespace. */
static _Noreturn void
init(const struct floor *f, int lifeline, int report)
{
	struct floor_places p;
	int signals, transaction;
	pid_t pid;

	keep_only(lifeline, report, f->net);
	signals = prepare(f, &p);
	if (read(FD_LIFELINE, &transaction, sizeof transaction) !=
	    sizeof transaction)
		_exit(1);
	bench_check(cgroup_join(&f->group), "control group");
	bench_check(setns(FD_NET, CLONE_NEWNET), "net namespace");
	bench_check(floor_mounts_enter(f, &p, transaction), "overlay");
	pid = fork();
	if (pid == 0)
		work();
	bench_check(pid, "fork");
	bench_check(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable");
	reap(pid, signals);
}

void
floor_jail_ahead(struct floor *f)
{
	struct floor_jail *j = &f->ahead;
	int life[2], report[2];

	bench_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, life),
	    "socketpair");
	bench_check(pipe2(report, O_CLOEXEC), "pipe2");
	j->pid = (pid_t)syscall(SYS_clone,
	    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
		CLONE_PIDFD | SIGCHLD,
	    NULL, &j->pidfd, NULL, 0);
	if (j->pid == 0)
		init(f, life[0], report[1]);
	(void)close(life[0]);
	(void)close(report[1]);
	j->lifeline = life[1];
	j->report = report[0];
	if (j->pid != -1)
		return;
	(void)close(j->lifeline);
	(void)close(j->report);
}

int
floor_jail_take(struct floor *f, struct floor_jail *j)
{
	if (f->ahead.pid == -1)
		floor_jail_ahead(f);
	*j = f->ahead;
	f->ahead.pid = -1;
	return j->pid == -1 ? -1 : 0;
}

void
floor_jail_release(const struct floor *f, const struct floor_jail *j)
{
	(void)send(j->lifeline, &f->next, sizeof f->next, MSG_NOSIGNAL);
}

int
floor_jail_hear(const struct floor_jail *j)
{
	char line[LINE];
	ssize_t n;

	do
		n = read(j->report, line, sizeof line);
	while (n == sizeof line);
	return n == 1 ? 0 : -1;
}

int
floor_jail_end(const struct floor_jail *j)
{
	struct pollfd fd = {j->pidfd, POLLIN, 0};
	int status;

	if (poll(&fd, 1, -1) != 1 || waitpid(j->pid, &status, 0) != j->pid)
		return -1;
	(void)close(j->report);
	(void)close(j->lifeline);
	(void)close(j->pidfd);
	return status == 0 ? 0 : -1;
}

/* Made once, like the filter's program. */
static int
open_net(struct floor *f)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int answer = -1;

	if (own != -1 && unshare(CLONE_NEWNET) == 0) {
		f->net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		answer = setns(own, CLONE_NEWNET);
	}
	(void)close(own);
	return f->net == -1 ? -1 : answer;
}

int
floor_jail_open(struct floor *f)
{
	f->net = -1;
	f->ahead.pid = -1;
	if (open_net(f) == -1 || filter_make(true) == -1)
		return -1;
	cgroup_open(&f->group, "bench-floor", f->txn_path);
	return 0;
}

void
floor_jail_close(struct floor *f)
{
	if (f->ahead.pid != -1) {
		(void)kill(f->ahead.pid, SIGKILL);
		(void)floor_jail_end(&f->ahead);
	}
	if (f->net != -1)
		(void)close(f->net);
	cgroup_close(&f->group);
}
