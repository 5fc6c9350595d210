/* SPDX-License-Identifier: ISC */
/* ptrace(2) with a seccomp filter, so that only the calls of the table stop. */
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/inject/tracer.h"

#define OPTIONS                                                                \
	(PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |      \
	    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
#define TICK_MS 100 /* between looks at the clock while nothing happens */
#define DEATH_MS 10000

/* Registers of the call that a tracee is stopped at. */
#if defined(__x86_64__)
#define SUPPORTED true
#define registers user_regs_struct
#define CALL_NR(r) ((long)(r).orig_rax)
#define SET_NR(r, n) ((r).orig_rax = (unsigned long long)(n))
#define SET_RESULT(r, v) ((r).rax = (unsigned long long)(v))
#define ARG0(r) ((r).rdi)
#define ARG1(r) ((r).rsi)
#define ARG2(r) ((r).rdx)
#define SET_ARG2(r, v) ((r).rdx = (v))
#define GET PTRACE_GETREGS
#define SET PTRACE_SETREGS
#else
#define SUPPORTED false
struct registers {
	long nr;
};
#define CALL_NR(r) ((r).nr)
#define SET_NR(r, n) ((r).nr = (long)(n))
#define SET_RESULT(r, v) ((r).nr = (long)(v))
#define ARG0(r) ((r).nr)
#define ARG1(r) ((r).nr)
#define ARG2(r) ((r).nr)
#define SET_ARG2(r, v) ((r).nr = (long)(v))
#define GET PTRACE_PEEKUSER
#define SET PTRACE_POKEUSER
#endif

static void
on_tick(int sig)
{
	(void)sig; /* only ends waitpid(2) */
}

static void
tick(bool on)
{
	const struct sigaction act = {.sa_handler = on_tick};
	const struct itimerval every = {{0, on ? TICK_MS * 1000 : 0},
	    {0, on ? TICK_MS * 1000 : 0}};

	(void)sigaction(SIGALRM, &act, NULL);
	(void)setitimer(ITIMER_REAL, &every, NULL);
}

static struct tracee *
find(struct tracer *t, pid_t pid)
{
	for (size_t i = 0; i < TRACEES_MAX; i++) {
		if (t->tracees[i].pid == pid)
			return &t->tracees[i];
	}
	return NULL;
}

static struct tracee *
add(struct tracer *t, pid_t pid)
{
	struct tracee *e = find(t, pid);

	if (e == NULL) {
		e = find(t, 0);
		if (e == NULL)
			return NULL; /* stays untold of, but runs */
		memset(e, 0, sizeof(*e));
		e->pid = pid;
		e->run = -1;
	}
	return e;
}

static void
go(pid_t pid, int sig)
{
	/* Killed meanwhile: its end is reported by wait. */
	(void)ptrace(PTRACE_CONT, pid, NULL, (void *)(uintptr_t)sig);
}

static void
read_comm(struct tracee *e)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)e->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, e->comm, sizeof(e->comm) - 1);
		(void)close(fd);
	}
	e->comm[n > 0 ? n - 1 : 0] = '\0';
}

static bool
same_namespace(pid_t a, pid_t b, const char *which)
{
	struct stat x, y;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/ns/%s", (long)a, which);
	if (stat(path, &x) == -1)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%ld/ns/%s", (long)b, which);
	return stat(path, &y) == 0 && x.st_ino == y.st_ino;
}

static bool
is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 &&
	       (path[len] == '\0' || path[len] == '.');
}

/* What a process is, by its place in the tree; only for reports. */
static void
name_role(const struct tracer *t, struct tracee *e)
{
	static const char *const deep[] = {"executor", "init", "worker"};
	size_t depth = 0;
	const char *role = "command";

	for (const char *p = e->path; *p != '\0'; p++)
		depth += *p == '.';
	if (strncmp(e->comm, "git", 3) == 0)
		role = "git";
	else if (depth < 3)
		role = deep[depth];
	if (depth == 1 && same_namespace(e->pid, t->first[e->run], "pid"))
		role = "stage";
	(void)snprintf(e->role, sizeof(e->role), "%s%.9s",
	    is_below(e->path, "0.1") ? "probe " : "", role);
}

/* The parent tells of a child, before or after that has stopped. */
static void
on_birth(struct tracer *t, struct tracee *parent)
{
	unsigned long pid = 0;
	struct tracee *e;
	bool waits;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid) == -1)
		return;
	e = add(t, (pid_t)pid);
	if (e == NULL)
		return;
	waits = e->run == -2;
	e->run = parent->run;
	e->known = true;
	(void)snprintf(e->path, sizeof(e->path), "%.40s.%u", parent->path,
	    ++parent->children);
	(void)strlcpy(e->comm, parent->comm, sizeof(e->comm));
	name_role(t, e);
	if (waits)
		go(e->pid, 0);
}

/* A lie of write(2) is the length, of others 0. */
static long long
faulty_result(const struct registers *r, unsigned fault)
{
	if (fault != FAULT_LIE)
		return -(long long)fault_kind_errno(fault);
	return CALL_NR(*r) == call_named("write")->nr ? (long long)ARG2(*r) : 0;
}

static void
inject(struct tracee *e, struct registers *r, unsigned fault)
{
	if (fault != FAULT_SHORT) {
		SET_RESULT(*r, faulty_result(r, fault));
		SET_NR(*r, -1); /* and the call is not made */
	} else if (ARG2(*r) > 1) {
		SET_ARG2(*r, ARG2(*r) / 2);
	}
	(void)ptrace(SET, e->pid, NULL, r);
}

/* close(2) lets go of the descriptor whatever it answers. */
static bool
is_made(const struct call *c)
{
	return strcmp(c->name, "close") == 0;
}

static void
tell_late(struct tracee *e)
{
	struct registers r;

	if (ptrace(GET, e->pid, NULL, &r) != -1) {
		SET_RESULT(r, faulty_result(&r, e->late));
		(void)ptrace(SET, e->pid, NULL, &r);
	}
	e->late = 0;
	go(e->pid, 0);
}

static void
on_call(struct tracer *t, struct tracee *e)
{
	struct registers r;
	const struct call *c;
	unsigned fault = 0;
	enum act act = ACT_GO;
	long nr;

	if (!e->known || ptrace(GET, e->pid, NULL, &r) == -1) {
		go(e->pid, 0);
		return;
	}
	nr = CALL_NR(r);
	c = call_find(nr);
	if (c != NULL) {
		e->calls[c - calls]++;
		e->looks = call_only_looks(c,
		    (int)(c->flags_arg == 1 ? ARG1(r) : ARG2(r)));
		act = t->at(t->owner, e, c, &fault);
	}
	if (act == ACT_KILL) {
		(void)kill(e->pid, SIGKILL);
		return;
	}
	if (act == ACT_HOLD)
		return;
	if (act == ACT_FAULT && fault != FAULT_LIE && is_made(c)) {
		e->late = fault;
		(void)ptrace(PTRACE_SYSCALL, e->pid, NULL, NULL);
		return;
	}
	if (act == ACT_FAULT)
		inject(e, &r, fault);
	go(e->pid, 0);
}

static void
on_stop(struct tracer *t, struct tracee *e, int status)
{
	int sig = WSTOPSIG(status);

	switch (status >> 16) {
	case PTRACE_EVENT_SECCOMP:
		on_call(t, e);
		return;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		on_birth(t, e);
		go(e->pid, 0);
		return;
	case PTRACE_EVENT_EXEC:
		read_comm(e);
		if (e->known)
			name_role(t, e);
		go(e->pid, 0);
		return;
	case PTRACE_EVENT_STOP:
		if (sig == SIGTRAP && !e->known)
			e->run = -2; /* waits for its parent's word */
		else if (sig == SIGTRAP)
			go(e->pid, 0);
		else
			(void)ptrace(PTRACE_LISTEN, e->pid, NULL, NULL);
		return;
	default:
		if (e->late != 0 && sig == SIGTRAP)
			tell_late(e);
		else
			go(e->pid, sig);
	}
}

static void
on_end(struct tracer *t, pid_t pid, int status)
{
	struct tracee *e = find(t, pid);

	for (int run = 0; run < 2; run++) {
		if (t->first[run] == pid && !t->ended[run]) {
			t->ended[run] = true;
			t->status[run] = status;
		}
	}
	if (e != NULL)
		e->pid = 0;
}

/* One thing that happened, or the end of a tick: -1 when nobody is left. */
static int
step(struct tracer *t)
{
	int status;
	pid_t pid = waitpid(-1, &status, __WALL);
	struct tracee *e;

	if (pid == -1)
		return errno == EINTR ? 0 : -1;
	if (!WIFSTOPPED(status)) {
		on_end(t, pid, status);
		return 0;
	}
	e = add(t, pid);
	if (t->off)
		(void)kill(pid, SIGKILL);
	else if (e == NULL)
		go(pid, 0);
	else
		on_stop(t, e, status);
	return 0;
}

static _Noreturn void
child_main(const struct tracer *t, char *const argv[], const char *log,
    int wait)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	char byte;

	if (fd == -1 || dup2(fd, 1) == -1 || dup2(fd, 2) == -1)
		_exit(126);
	if (read(wait, &byte, 1) != 1 || calls_filter(t->stops, t->every) == -1)
		_exit(125);
	(void)execvp(argv[0], argv);
	_exit(127);
}

int
tracer_start(struct tracer *t, int run, char *const argv[], const char *log)
{
	struct tracee *e;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	pid = fork();
	if (pid == 0)
		child_main(t, argv, log, fds[0]);
	(void)close(fds[0]);
	if (pid == -1 || (e = add(t, pid)) == NULL ||
	    ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) == -1 ||
	    write(fds[1], "", 1) != 1) {
		(void)close(fds[1]);
		return -1;
	}
	(void)close(fds[1]);
	t->off = false;
	e->run = run;
	e->known = true;
	(void)strlcpy(e->path, "0", sizeof(e->path));
	t->first[run] = pid;
	t->ended[run] = false;
	t->status[run] = 0;
	name_role(t, e);
	return 0;
}

int
tracer_follow(struct tracer *t, int run, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	tick(true);
	while (!t->ended[run] && clock_mono_ms() < until && step(t) == 0)
		continue;
	tick(false);
	return t->ended[run];
}

static int
alive(const struct tracer *t)
{
	int n = 0;

	for (size_t i = 0; i < TRACEES_MAX; i++)
		n += t->tracees[i].pid != 0;
	return n;
}

int
tracer_drain(struct tracer *t, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	tick(true);
	while (alive(t) > 0 && clock_mono_ms() < until && step(t) == 0)
		continue;
	tick(false);
	return alive(t);
}

int
tracer_end(struct tracer *t)
{
	for (size_t i = 0; i < TRACEES_MAX; i++) {
		if (t->tracees[i].pid != 0)
			(void)kill(t->tracees[i].pid, SIGKILL);
	}
	return tracer_drain(t, DEATH_MS);
}

bool
tracer_arg_file(const struct tracee *e, char *path, size_t size)
{
	struct registers r;

	if (ptrace(GET, e->pid, NULL, &r) == -1)
		return false;
	(void)snprintf(path, size, "/proc/%ld/fd/%d", (long)e->pid,
	    (int)ARG0(r));
	return true;
}

static enum act
just_go(void *owner, const struct tracee *t, const struct call *c,
    unsigned *fault)
{
	(void)owner;
	(void)t;
	(void)c;
	(void)fault;
	return ACT_GO;
}

bool
tracer_works(void)
{
	static struct tracer t = {.at = just_go};
	char *argv[] = {(char[]){"true"}, NULL};

	if (!SUPPORTED || tracer_start(&t, 0, argv, "/dev/null") == -1)
		return false;
	return tracer_follow(&t, 0, DEATH_MS) == 1 && WIFEXITED(t.status[0]) &&
	       WEXITSTATUS(t.status[0]) == 0;
}
