/* SPDX-License-Identifier: ISC */
/*
 * wild MARK KIND: the processes of zoo.pl that need more than perl has.
 * MARK stands in the arguments of each as "zoo MARK". Bounded: a dozen
 * processes at most, each for a minute.
 *
 *   vfork   parents that wait for a child which does not execute anything
 *   storm   generations that are spawned (vfork and execute), each by the last
 *   traced  stopped under a tracer that looks elsewhere
 *   passed  the output's pipe in flight between two who hold only sockets
 *   ghost   a thread whose process looks like one that waits to be reaped
 *   hops    for a second who forks and goes, as fast as it can be done
 */
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LIFE_S 60
#define LINES 3          /* of a storm */
#define GENERATION_MS 5  /* so that a storm is a storm and no load */
#define GENERATIONS 4000 /* one line's, at most */
#define DEPTH 6          /* parents that wait */
#define HOPS_MS 1000

static const char *self, *mark;

static _Noreturn void
linger(void)
{
	for (int s = 0; s < LIFE_S; s++)
		(void)sleep(1);
	_exit(0);
}

static void
be_deaf(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE,
	    SIGUSR1, SIGUSR2, SIGALRM};

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)signal(signals[i], SIG_IGN);
	(void)setsid();
}

/* As vfork(2) waits, but with memory of its own, so that it may go on. */
static pid_t
fork_and_wait(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

static void
keep_vfork(void)
{
	for (int i = 0; i < DEPTH; i++)
		if (fork_and_wait() != 0)
			break;
}

static void
spawn(const char *left)
{
	char zoo[] = "zoo", kind[] = "storm";
	char text[128], count[32];
	char *argv[] = {zoo, text, kind, count, NULL};
	char *envp[] = {NULL};

	(void)snprintf(text, sizeof text, "%s", mark);
	(void)snprintf(count, sizeof count, "%s", left);
	(void)posix_spawn(&(pid_t){0}, self, NULL, NULL, argv, envp);
}

/* One generation: the next one, and gone. */
static _Noreturn void
storm_on(const char *left)
{
	const struct timespec pause = {0, GENERATION_MS * 1000000};
	char next[32];

	(void)nanosleep(&pause, NULL);
	(void)snprintf(next, sizeof next, "%ld", strtol(left, NULL, 10) - 1);
	if (strtol(next, NULL, 10) > 0)
		spawn(next);
	_exit(0);
}

static void
keep_storm(void)
{
	char count[32];

	(void)snprintf(count, sizeof count, "%d", GENERATIONS);
	for (int i = 0; i < LINES; i++)
		spawn(count);
}

static void
keep_traced(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return;
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) == -1)
		(void)fprintf(stderr, "tracing is refused\n");
	(void)raise(SIGSTOP);
}

static void
pass_output(int to)
{
	char byte = 'x';
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	int out = 1;

	memset(&control, 0, sizeof control);
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof out);
	memcpy(CMSG_DATA(&control.head), &out, sizeof out);
	if (sendmsg(to, &m, 0) != 1)
		err(1, "sendmsg");
}

/* Nobody takes it out: each holds the other's only way to it. */
static void
keep_passed(void)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) == -1)
		err(1, "socketpair");
	pass_output(s[0]);
	pass_output(s[1]);
	(void)close(fork() == 0 ? s[0] : s[1]);
	(void)close(1);
	(void)close(2);
}

static void *
haunt(void *none)
{
	(void)none;
	linger();
}

static void
keep_ghost(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, haunt, NULL) != 0)
		errx(1, "no thread");
	(void)syscall(SYS_exit, 0);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Where nobody can be made at present it is tried again. */
static void
keep_hops(void)
{
	int64_t until = now_ms() + HOPS_MS;

	while (now_ms() < until) {
		if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) > 0)
			_exit(0);
	}
	_exit(0);
}

int
main(int argc, char **argv)
{
	const struct {
		const char *kind;
		void (*keep)(void);
	} kinds[] = {{"vfork", keep_vfork}, {"storm", keep_storm},
	    {"traced", keep_traced}, {"passed", keep_passed},
	    {"ghost", keep_ghost}, {"hops", keep_hops}};

	if (argc < 3)
		errx(2, "usage: wild MARK KIND");
	self = "/proc/self/exe";
	mark = argv[1];
	be_deaf();
	if (argc > 3)
		storm_on(argv[3]);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].kind, argv[2]) == 0) {
			kinds[i].keep();
			linger();
		}
	}
	errx(2, "%s: no such kind", argv[2]);
}
