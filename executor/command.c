/* SPDX-License-Identifier: ISC */
/* Running one command and outliving all that it starts. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "executor/command.h"
#include "executor/guard.h"
#include "executor/kin.h"
#include "executor/subtree.h"
#include "executor/utf8.h"

#define TERM_GRACE_MS 1000 /* from SIGTERM to SIGKILL at the deadline */
#define LOOK_MS 20         /* between looks for processes left behind */
#define FILES_MAX 1024
#define LOOK_ROUNDS 100
#define KILL_ROUNDS 50
#define SHELL_SIGNALS 128 /* a shell's status for a signal, less its number */

struct run {
	struct command *c;
	pid_t pid;
	int pidfd;
	int out;
	int64_t started;
	int64_t deadline;
	bool exited;
	bool termed;
	int64_t killed_ms; /* monotonic */
};

static void
limit(int resource, int64_t value)
{
	struct rlimit l = {(rlim_t)value, (rlim_t)value};
	struct rlimit now;

	if (value <= 0)
		return;
	/* Never above what we have: only root may raise it. */
	if (getrlimit((__rlimit_resource_t)resource, &now) == 0 &&
	    now.rlim_max < l.rlim_cur)
		l.rlim_cur = l.rlim_max = now.rlim_max;
	if (setrlimit((__rlimit_resource_t)resource, &l) == -1)
		_exit(126);
}

static void
set_limits(const struct command *c)
{
	/* Not RLIMIT_AS: many runtimes reserve far more than they use. */
	limit(RLIMIT_DATA, c->limits->memory);
	limit(RLIMIT_NPROC, c->limits->processes);
	limit(RLIMIT_FSIZE, c->limits->file_size);
	limit(RLIMIT_NOFILE, FILES_MAX);
	/* Of each process; the jail's init adds them up. */
	limit(RLIMIT_CPU, c->limits->cpu_ms / 1000 + 1);
	/* Zero is meant: no core files in the view. */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* Borrowed from the worker until its exec: what it writes to is its own but
 * for *error. */
static _Noreturn void
child(const struct command *c, int out, volatile int *error)
{
	int null = open("/dev/null", O_RDONLY);

	if (null == -1 || setsid() == -1 || dup2(null, 0) == -1 ||
	    dup2(out, 1) == -1 || dup2(out, 2) == -1 ||
	    close_range(STDERR_FILENO + 1, UINT_MAX, 0) == -1) {
		*error = errno;
		_exit(127);
	}
	set_limits(c);
	/* Ours is ignored; `yes | head` relies on it. */
	(void)signal(SIGPIPE, SIG_DFL);
	/* argv is not written to by execve(2). */
	execve(c->argv[0], (char *const *)(uintptr_t)c->argv, c->envp);
	*error = errno;
	_exit(127);
}

/* What was lacking, room for its arguments too, and not what the command is. */
static bool
is_lack(int err)
{
	return err == EAGAIN || err == ENOMEM || err == EMFILE ||
	       err == ENFILE || err == E2BIG;
}

/* With vfork(2) nothing of us is copied, and we sleep until the command is
 * executed. */
static int
start(struct run *r)
{
	volatile int error = 0;
	int out[2];

	if (pipe2(out, O_CLOEXEC) == -1)
		return -1;
	r->out = out[0];
	/* NOLINTNEXTLINE(*.vfork,*.Vfork) */
	r->pid = vfork();
	if (r->pid == 0)
		child(r->c, out[1], &error);
	if (r->pid == -1)
		error = errno;
	(void)close(out[1]);
	if (r->pid != -1 && is_lack(error))
		(void)waitpid(r->pid, NULL, 0);
	if (r->pid == -1 || is_lack(error)) {
		errno = error;
		return -1;
	}
	r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	return r->pidfd == -1 || fcntl(r->out, F_SETFL, O_NONBLOCK) == -1 ? -1
									  : 0;
}

static void
keep(struct command *c, const char *bytes, size_t len)
{
	size_t room = (size_t)c->limits->output - c->head.len;
	size_t n = len < room ? len : room;

	buf_add(&c->head, bytes, n);
	buf_add(&c->tail, bytes + n, len - n);
	/* Shifted rarely, so that a flood costs a copy and not a square. */
	if (c->tail.len > (size_t)c->limits->output * 3) {
		size_t cut = c->tail.len - (size_t)c->limits->output;

		buf_shift(&c->tail, cut);
		c->dropped += cut;
	}
}

/* False at the end of the output. */
static bool
drain(struct run *r)
{
	char chunk[65536];
	ssize_t n;

	for (int i = 0; i < 64; i++) {
		n = read(r->out, chunk, sizeof(chunk));
		if (n <= 0)
			return n == -1 && (errno == EAGAIN || errno == EINTR);
		keep(r->c, chunk, (size_t)n);
	}
	return true;
}

static void
take_exit(struct run *r)
{
	struct command *c = r->c;
	struct rusage u;
	int status;

	if (wait4(r->pid, &status, 0, &u) != r->pid)
		return;
	r->exited = true;
	c->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	c->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	c->max_rss_kb = u.ru_maxrss;
	c->cpu_ms = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
		    (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* Gone, or only waiting for init to reap it. */
static bool
is_dead(const char *pid)
{
	char path[300], text[512];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "/proc/%s/stat", pid) < 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0) {
		(void)close(fd);
		return n == 0 || errno == ESRCH;
	}
	(void)close(fd);
	text[n] = '\0';
	return kin_has_ended(text);
}

static int
is_left(void *owner, int proc, const char *name)
{
	long pid = strtol(name, NULL, 10);

	(void)owner;
	(void)proc;
	return isdigit((unsigned char)name[0]) && pid != 1 &&
	       pid != (long)getpid() && !is_dead(name);
}

/* The number that was given last in the namespace, the end of loadavg; 0 where
 * it cannot be read. */
static long
last_pid(void)
{
	char text[128];
	const char *at;
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd != -1)
		(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strrchr(text, ' ');
	return at != NULL ? strtol(at, NULL, 10) : 0;
}

/* Is anything left in the namespace beside init and us? What cannot be looked
 * at is not assumed to be well. Who forks and goes is found dead, and what he
 * made stands in no list that was read before: only a look during which nobody
 * was made counts. */
static bool
someone_left(bool bare)
{
	if (bare)
		return guard_signal(getppid(), 0) > 0;
	for (int i = 0; i < LOOK_ROUNDS; i++) {
		long before = last_pid();

		if (subtree_each(
			open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			is_left, NULL) != 0)
			return true;
		if (before != 0 && last_pid() == before)
			return false;
	}
	return true;
}

/* Without a namespace -1 would be the user's whole session; and a round may
 * miss who makes his successor meanwhile. */
static void
kill_all(bool bare)
{
	if (!bare)
		(void)kill(-1, SIGKILL);
	for (int i = 0; bare && i < KILL_ROUNDS; i++) {
		if (guard_signal(getppid(), SIGKILL) == 0)
			break;
	}
}

/* TERM to the command's own group first; then everything of this user in the
 * namespace, whatever session it fled to. Init and we are spared by kill(2). */
static void
enforce(struct run *r, int64_t now)
{
	if (now < r->deadline)
		return;
	if (!r->termed) {
		r->c->timed_out = true;
		(void)kill(-r->pid, SIGTERM);
		r->termed = true;
		return;
	}
	if (now < r->deadline + TERM_GRACE_MS)
		return;
	if (r->killed_ms == 0)
		r->killed_ms = now;
	kill_all(r->c->bare);
}

static int
wait_ms(const struct run *r, bool open, int64_t now)
{
	int64_t until = r->termed ? r->deadline + TERM_GRACE_MS : r->deadline;
	int64_t ms = until > now ? until - now : LOOK_MS;

	if (r->exited && (!open || ms > LOOK_MS))
		ms = LOOK_MS;
	return (int)(ms < INT_MAX ? ms : INT_MAX);
}

static void
follow(struct run *r)
{
	bool open = true;

	for (;;) {
		struct pollfd fds[] = {{open ? r->out : -1, POLLIN, 0},
		    {r->exited ? -1 : r->pidfd, POLLIN, 0}};
		int64_t now = clock_mono_ms();

		(void)poll(fds, 2, wait_ms(r, open, now));
		if (fds[0].revents != 0)
			open = drain(r);
		if (fds[1].revents != 0)
			take_exit(r);
		if (r->exited) {
			bool left = someone_left(r->c->bare);

			if (!left)
				break;
			r->c->backgrounded = true;
		}
		enforce(r, clock_mono_ms());
	}
	if (r->killed_ms != 0)
		r->c->death_ms = clock_mono_ms() - r->killed_ms;
	/* Nobody can write any more: what is in the pipe is all. */
	while (open && drain(r)) {
		struct pollfd fd = {r->out, POLLIN, 0};

		if (poll(&fd, 1, 0) != 1)
			break;
	}
}

int
command_run(struct command *c)
{
	struct run r = {.c = c, .pid = -1, .pidfd = -1, .out = -1};
	int answer, saved;
	size_t most;

	c->exit_code = -1;
	r.started = clock_mono_ms();
	r.deadline = r.started + c->timeout_ms;
	answer = start(&r);
	saved = errno;
	if (answer == 0)
		follow(&r);
	c->duration_ms = clock_mono_ms() - r.started;
	most = (size_t)c->limits->output;
	if (c->tail.len > most) {
		c->dropped += c->tail.len - most;
		buf_shift(&c->tail, c->tail.len - most);
	}
	if (r.out != -1)
		(void)close(r.out);
	if (r.pidfd != -1)
		(void)close(r.pidfd);
	errno = saved;
	return answer;
}

void
command_free(struct command *c)
{
	buf_free(&c->head);
	buf_free(&c->tail);
}

bool
command_succeeded(const struct command *c)
{
	return c->exit_code == 0 && !c->timed_out;
}

int
command_limit(const struct command *c)
{
	int sig = c->signal != 0 ? c->signal : c->exit_code - SHELL_SIGNALS;

	return sig == SIGXCPU || sig == SIGXFSZ ? sig : 0;
}

const char *
command_reason(const struct command *c)
{
	int over = command_limit(c);

	if (c->timed_out)
		return "timeout";
	if (over != 0)
		return over == SIGXCPU ? "limit:cpu_time" : "limit:file_size";
	if (c->signal != 0)
		return "signal";
	return c->exit_code == -1 ? "not-started" : "exit";
}

json_t *
command_encode(const struct command *c)
{
	json_t *doc = json_pack("{s:b,s:I,s:b,s:I,s:I,s:I,s:I}", "timed_out",
	    c->timed_out, "death_ms", (json_int_t)c->death_ms, "backgrounded",
	    c->backgrounded, "duration_ms", (json_int_t)c->duration_ms,
	    "dropped_bytes", (json_int_t)c->dropped, "max_rss_kb",
	    (json_int_t)c->max_rss_kb, "cpu_ms", (json_int_t)c->cpu_ms);

	json_object_set_new(doc, "exit_code",
	    c->exit_code >= 0 ? json_integer(c->exit_code) : json_null());
	json_object_set_new(doc, "reason", json_string(command_reason(c)));
	json_object_set_new(doc, "signal",
	    c->signal > 0 ? json_integer(c->signal) : json_null());
	json_object_set_new(doc, "output_head",
	    utf8_json(c->head.bytes != NULL ? c->head.bytes : "", c->head.len));
	json_object_set_new(doc, "output_tail",
	    utf8_json(c->tail.bytes != NULL ? c->tail.bytes : "", c->tail.len));
	return doc;
}
