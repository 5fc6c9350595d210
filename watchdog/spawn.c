/* SPDX-License-Identifier: ISC */
/* fork and exec, with everything a child must not inherit taken away. */
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "watchdog/spawn.h"

#define SPAWN_FAILED 126
#define EXEC_MS 5 /* that a forked child may keep us from our records */

const char *const spawn_stage_name[] = {
    [SPAWN_PARENT] = "parent",
    [SPAWN_FILES] = "descriptors",
    [SPAWN_LIMITS] = "limits",
    [SPAWN_USER] = "user",
    [SPAWN_EXEC] = "exec",
};
_Static_assert(sizeof spawn_stage_name / sizeof spawn_stage_name[0] ==
		   SPAWN__STAGES,
    "a name a stage");

static _Noreturn void
give_up(int error_fd, enum spawn_stage stage)
{
	struct spawn_error e = {.stage = stage, .number = errno};

	/* The pipe holds one such record and its reader outlives us. */
	if (write(error_fd, &e, sizeof e) != (ssize_t)sizeof e)
		_exit(SPAWN_FAILED + 1);
	_exit(SPAWN_FAILED);
}

/* A blocked mask and ignored signals survive exec; ours must not. */
static void
reset_signals(void)
{
	struct sigaction dflt = {.sa_handler = SIG_DFL};
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)sigaction(sig, &dflt, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
arrange_files(const struct spawn *s)
{
	int in =
	    s->has_input ? s->in_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (in == -1 || dup2(in, STDIN_FILENO) == -1 ||
	    dup2(s->out_fd, STDOUT_FILENO) == -1 ||
	    dup2(s->out_fd, STDERR_FILENO) == -1)
		return -1;
	/* Marks instead of closing: the error pipe must live until exec. */
	return close_range(STDERR_FILENO + 1, ~0U, (int)CLOSE_RANGE_CLOEXEC);
}

/* The groups first: they are the real user's to enter. A better priority than
 * ours is not given to everybody, and nothing to fail for. */
static int
limit(const struct spawn *s)
{
	size_t i;

	for (i = 0; i < s->cgroup_count; i++)
		if (write(s->cgroups[i], "0", 1) != 1)
			return -1;
	if (s->nice != 0)
		(void)setpriority(PRIO_PROCESS, 0, s->nice);
	for (i = 0; i < s->rlimit_count; i++) {
		struct rlimit r = {.rlim_cur = s->rlimits[i].value,
		    .rlim_max = s->rlimits[i].value};

		if (setrlimit((__rlimit_resource_t)s->rlimits[i].resource,
			&r) == -1)
			return -1;
	}
	return 0;
}

static int
become(const struct spawn *s)
{
	const struct account *a =
	    s->who != NULL ? &s->who->numbers.account : NULL;

	if (a != NULL && (setgroups(a->group_count, a->groups) == -1 ||
			     setgid(a->gid) == -1 || setuid(a->uid) == -1))
		return -1;
	return s->no_new_privs ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
}

/* Here, where a disk that hangs keeps nobody but us. */
static int
take_over(const struct spawn *s)
{
	return s->give == NULL
		   ? 0
		   : fchownat(s->give_dir, s->give, s->who->numbers.account.uid,
			 (gid_t)-1, AT_SYMLINK_NOFOLLOW);
}

static _Noreturn void
run_child(const struct spawn *s, pid_t parent, int error_fd)
{
	reset_signals();
	(void)setsid();
	if (arrange_files(s) == -1)
		give_up(error_fd, SPAWN_FILES);
	if (limit(s) == -1)
		give_up(error_fd, SPAWN_LIMITS);
	if (take_over(s) == -1 || become(s) == -1)
		give_up(error_fd, SPAWN_USER);
	/* Behind become(): a change of user clears it. A parent that died
	 * before the prctl never sends the signal: look again behind it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
		give_up(error_fd, SPAWN_PARENT);
	(void)execve(s->path, s->argv, s->envp);
	give_up(error_fd, SPAWN_EXEC);
}

void
spawn_abandon(pid_t pid)
{
	int saved = errno;

	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	errno = saved;
}

/*
 * With vfork(2) the child borrows our memory, until its exec, and we sleep. All
 * that it writes to is its own: a frame below ours, descriptors, signals. To
 * enter a control group takes a while, which would be ours; and so would be a
 * disk that hangs.
 */
static bool
may_borrow(const struct spawn *s)
{
	return s->beside_us && s->cgroup_count == 0 && s->give == NULL;
}

int
spawn_start(const struct spawn *s, struct spawned *out)
{
	pid_t parent = getpid();
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	/* NOLINTNEXTLINE(*.vfork,*.Vfork) */
	pid = may_borrow(s) ? vfork() : fork();
	if (pid == 0)
		run_child(s, parent, fds[1]);
	(void)close(fds[1]);
	if (pid == -1)
		goto fail;
	out->pidfd = pidfd_open(pid, 0); /* close-on-exec by itself */
	if (out->pidfd == -1) {
		spawn_abandon(pid);
		goto fail;
	}
	out->pid = pid;
	out->error_fd = fds[0];
	/* The processor is the child's until its exec, which closes the pipe:
	 * what we do next (records on a disk) can wait for that. One whose
	 * program lies on a disk that hangs is not waited for longer. */
	(void)poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1,
	    EXEC_MS);
	return 0;
fail:
	(void)close(fds[0]);
	return -1;
}

int
spawn_error_read(int error_fd, struct spawn_error *e)
{
	return read(error_fd, e, sizeof *e) == (ssize_t)sizeof *e &&
	       e->stage < SPAWN__STAGES;
}
