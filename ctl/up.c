/* SPDX-License-Identifier: ISC */
/*
 * up and down. The supervisor is a process of its own: up -f becomes it, up
 * starts it in a session of its own and waits until all of its daemons are
 * ready.
 */
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/spool.h"
#include "common/text.h"
#include "ctl/control.h"
#include "ctl/follow.h"
#include "ctl/out.h"
#include "ctl/program.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

#define DAEMON "watchdog"
#define OUTPUT "watchdog.out" /* in run: what it says before its log opens */
#define OUTPUT_SHOWN 4096
#define UP_MS 60000
#define DOWN_MS 60000

static int
become(struct ctl *c, bool foreground)
{
	char *path = program_find(DAEMON), *config = xstrdup(c->s.path);
	char name[] = DAEMON, opt_c[] = "-c", opt_f[] = "-f";
	char *argv[] = {name, opt_c, config, foreground ? opt_f : NULL, NULL};

	(void)execv(path, argv);
	ctl_say("%s: %s", path, strerror(errno));
	free(config);
	free(path);
	return CTL_FAILED;
}

/* In the child: a session of its own, nothing of ours but the output file. */
static _Noreturn void
detach(struct ctl *c)
{
	int null = open("/dev/null", O_RDWR);
	int out = openat(c->t.run, OUTPUT,
	    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW, 0640);

	(void)setsid();
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(out != -1 ? out : null, STDOUT_FILENO) == -1 ||
	    dup2(out != -1 ? out : null, STDERR_FILENO) == -1)
		_exit(CTL_FAILED);
	closefrom(STDERR_FILENO + 1);
	_exit(become(c, false));
}

static void
show_output(struct ctl *c)
{
	int fd = openat(c->t.run, OUTPUT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[OUTPUT_SHOWN + 1] = "";
	struct stat st;
	ssize_t n = -1;

	if (fd != -1 && fstat(fd, &st) == 0)
		n = pread(fd, text, OUTPUT_SHOWN,
		    st.st_size > OUTPUT_SHOWN ? st.st_size - OUTPUT_SHOWN : 0);
	text[n > 0 ? n : 0] = '\0';
	out_complain_all(text);
	if (fd != -1)
		(void)close(fd);
	if (c->s.logs.directory[0] != '\0')
		ctl_say("more may stand in %s/" DAEMON ".log",
		    c->s.logs.directory);
}

/* How many daemons are not ready, their names into text; -1 no answer. */
static int
unready(struct ctl *c, struct buf *text, size_t *all)
{
	json_t *answer = NULL;
	const json_t *d;
	size_t i;
	int n = 0;

	buf_clear(text);
	if (control_ask(c, "status", NULL, &answer) == -1)
		return -1;
	json_array_foreach (json_object_get(answer, "daemons"), i, d) {
		if (strcmp(out_string(d, "state"), "ready") == 0)
			continue;
		buf_printf(text, "%s%s is %s", n > 0 ? ", " : "",
		    out_string(d, "name"), out_string(d, "state"));
		n++;
	}
	*all = json_array_size(json_object_get(answer, "daemons"));
	json_decref(answer);
	return *all > 0 ? n : -1;
}

static int
tell_ready(struct ctl *c, size_t all)
{
	if (c->json)
		out_json(json_pack("{s:b, s:I, s:I}", "ok", 1, "daemons",
		    (json_int_t)all, "pid",
		    (json_int_t)control_pid(c, DAEMON)));
	else
		(void)printf("up: %zu daemon%s ready, pid %ld\n", all,
		    text_s(all), control_pid(c, DAEMON));
	return CTL_DONE;
}

static int
tell_ended(struct ctl *c, int how)
{
	show_output(c);
	if (WIFEXITED(how))
		ctl_say("the supervisor ended with status %d",
		    WEXITSTATUS(how));
	else
		ctl_say("the supervisor was killed by signal %d",
		    WTERMSIG(how));
	if (WIFEXITED(how) && WEXITSTATUS(how) == CTL_CONFIG)
		return CTL_CONFIG;
	return CTL_FAILED;
}

static int
await_ready(struct ctl *c, pid_t pid, int64_t deadline)
{
	struct buf text = {0};
	size_t all = 0;
	int how, n, status;

	do {
		if (waitpid(pid, &how, WNOHANG) == pid) {
			buf_free(&text);
			return tell_ended(c, how);
		}
		n = unready(c, &text, &all);
	} while (n != 0 && follow_pause(deadline));
	if (n == 0)
		status = tell_ready(c, all);
	else {
		show_output(c);
		ctl_say("not ready in time%s%s", text.len > 0 ? ": " : "",
		    text.len > 0 ? text.bytes : "");
		status = CTL_TEMPORARY;
	}
	buf_free(&text);
	return status;
}

static int
start(struct ctl *c, bool foreground, int64_t deadline)
{
	pid_t pid;

	if (control_is_running(c, DAEMON)) {
		ctl_say("the suite is running already, pid %ld",
		    control_pid(c, DAEMON));
		if (c->json)
			out_json(json_pack("{s:b, s:I}", "ok", !foreground,
			    "pid", (json_int_t)control_pid(c, DAEMON)));
		return foreground ? CTL_FAILED : CTL_DONE;
	}
	if (foreground)
		return become(c, true);
	(void)fflush(stdout);
	pid = fork();
	if (pid == -1) {
		ctl_say("fork: %s", strerror(errno));
		return CTL_TEMPORARY;
	}
	if (pid == 0)
		detach(c);
	return await_ready(c, pid, deadline);
}

int
run_up(struct ctl *c)
{
	static const struct option words[] = {
	    {"foreground", no_argument, NULL, 'f'},
	    {"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	int64_t deadline = clock_mono_ms() + UP_MS;
	bool foreground = false;
	int opt, status;

	while ((opt = ctl_option(c, "f", words)) != -1) {
		if (opt == 'f')
			foreground = true;
		else if (opt != 't' ||
			 (deadline = follow_deadline(optarg)) == -1)
			return CTL_USAGE;
	}
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	return status == 0 ? start(c, foreground, deadline) : status;
}

static int
stop(struct ctl *c, int64_t deadline)
{
	json_t *answer = NULL;
	int status;

	if (!control_is_running(c, DAEMON)) {
		ctl_say("the suite is not running: nothing to stop");
		return CTL_DOWN;
	}
	status = control_order(c, "down", NULL, &answer);
	json_decref(answer);
	if (status != CTL_DONE)
		return status;
	while (control_is_running(c, DAEMON))
		if (!follow_pause(deadline)) {
			ctl_say("not stopped in time; see patchflow status");
			return CTL_TEMPORARY;
		}
	if (c->json)
		out_json(json_pack("{s:b}", "ok", 1));
	else
		(void)printf("down\n");
	return CTL_DONE;
}

int
run_down(struct ctl *c)
{
	static const struct option words[] = {
	    {"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	int64_t deadline = clock_mono_ms() + DOWN_MS;
	int opt, status;

	while ((opt = ctl_option(c, "", words)) != -1) {
		if (opt != 't' || (deadline = follow_deadline(optarg)) == -1)
			return CTL_USAGE;
	}
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	return status == 0 ? stop(c, deadline) : status;
}
