/* SPDX-License-Identifier: ISC */
/* Checks are made by the daemons themselves, so that what is tried is what
 * they will do, with the rights that they will have. */
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "ctl/program.h"

#define CHECK_MS 20000 /* a dead network filesystem must not hold us */
#define SAID_MAX (1 << 20)
#define TEMPORARY 111
#define NOT_STARTED 127

char *
program_find(const char *name)
{
	char self[PATH_MAX], *path, *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL) {
		path = xasprintf("%.*s/%s", (int)(slash - self), self, name);
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return xasprintf(LIBEXECDIR "/%s", name);
}

struct call {
	char *argv[7];
	const struct passwd *pw; /* NULL: as ourselves */
	int out;                 /* memfds */
	int err;
};

static _Noreturn void
be_program(const struct call *call)
{
	const struct passwd *pw = call->pw;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(call->out, STDOUT_FILENO) == -1 ||
	    dup2(call->err, STDERR_FILENO) == -1)
		_exit(NOT_STARTED);
	closefrom(STDERR_FILENO + 1);
	if (pw != NULL &&
	    (initgroups(pw->pw_name, pw->pw_gid) == -1 ||
		setgid(pw->pw_gid) == -1 || setuid(pw->pw_uid) == -1)) {
		(void)dprintf(STDERR_FILENO, "becoming %s: %s\n", pw->pw_name,
		    strerror(errno));
		_exit(NOT_STARTED);
	}
	(void)execv(call->argv[0], call->argv);
	(void)dprintf(STDERR_FILENO, "%s: %s\n", call->argv[0],
	    strerror(errno));
	_exit(NOT_STARTED);
}

/* The exit status; -1 killed by a signal, ours after CHECK_MS too. */
static int
await_program(pid_t pid)
{
	struct pollfd p = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	int how;

	if (p.fd == -1 || poll(&p, 1, CHECK_MS) != 1)
		(void)kill(pid, SIGKILL);
	if (p.fd != -1)
		(void)close(p.fd);
	return waitpid(pid, &how, 0) == pid && WIFEXITED(how) ? WEXITSTATUS(how)
							      : -1;
}

/* What was written to a memfd, NUL-terminated; the caller frees. */
static char *
read_back(int fd)
{
	struct stat st;
	size_t len = 0;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) == 0)
		len = st.st_size < SAID_MAX ? (size_t)st.st_size : SAID_MAX;
	text = xmalloc(len + 1);
	n = pread(fd, text, len, 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
take_findings(const struct call *call, const char *name, int status,
    struct trials *t)
{
	struct trials found = {0};
	char *out = read_back(call->out), *err = read_back(call->err);
	size_t last = strlen(err);

	while (last > 0 && err[last - 1] == '\n')
		err[--last] = '\0';
	if ((status == 0 || status == CTL_CONFIG || status == TEMPORARY) &&
	    trial_parse(&found, out) > 0) {
		(void)trial_parse(t, out);
	} else {
		trial_note(t, TRIAL_ERROR, name, "start",
		    xasprintf("%s %s: %s", call->argv[0],
			status == -1 ? "did not end by itself"
				     : "checks nothing",
			last > 0 ? err : "it says nothing"));
		trial_fix(t, "install the whole suite, readable for its users");
	}
	trial_free(&found);
	free(out);
	free(err);
}

static void
run_call(const struct call *call, const char *name, struct trials *t)
{
	pid_t pid = fork();

	if (pid == 0)
		be_program(call);
	if (pid == -1)
		trial_note(t, TRIAL_TEMPORARY, name, "start",
		    trial_explain("fork"));
	else
		take_findings(call, name, await_program(pid), t);
}

void
program_check(struct ctl *c, const char *name, const char *queue,
    const char *user, struct trials *t)
{
	char opt_n[] = "-n", opt_c[] = "-c", opt_q[] = "-q";
	char *path = program_find(name), *q = xstrdup(queue);
	struct call call = {.argv = {path, opt_n, opt_c, c->s.path,
				queue[0] != '\0' ? opt_q : NULL, q, NULL},
	    .pw = user[0] != '\0' ? getpwnam(user) : NULL,
	    .out = memfd_create("out", MFD_CLOEXEC),
	    .err = memfd_create("err", MFD_CLOEXEC)};

	if (call.out == -1 || call.err == -1)
		trial_note(t, TRIAL_TEMPORARY, name, "start",
		    trial_explain("memfd"));
	else
		run_call(&call, name, t);
	if (call.out != -1)
		(void)close(call.out);
	if (call.err != -1)
		(void)close(call.err);
	free(path);
	free(q);
}
