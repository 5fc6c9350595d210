/* SPDX-License-Identifier: ISC */
/*
 * dry-run: what a patch would do. The executor's own program stages it, as us
 * and beside the executor that may be at work; here its answer is put into
 * words. Exit status: that of the patch, or 75 where another time may tell
 * something else.
 */
#include "ctl/dry_run.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/job.h"
#include "ctl/input.h"
#include "ctl/out.h"
#include "ctl/program.h"
#include "ctl/verbs.h"

static json_t *
make_job(const struct input *in, const struct queue_settings *q)
{
	struct job job = {.patch = json_incref(in->patch.canonical),
	    .warnings = json_incref(in->patch.warnings)};
	struct envelope *e = &job.env;
	json_t *doc;

	(void)strlcpy(e->id, in->patch.id, sizeof(e->id));
	(void)strlcpy(e->queue, q->name, sizeof(e->queue));
	(void)strlcpy(e->digest, in->patch.digest, sizeof(e->digest));
	e->detected_us = e->queued_us = clock_wall_us();
	key_make(e->queued_us, e->id, e->key);
	e->attempt = 1;
	e->source = xstrdup("dry-run");
	e->conversation = xstrdup("");
	e->message_id = xstrdup("");
	e->author = xstrdup("");
	e->uid = getuid();
	doc = job_encode(&job);
	job_free(&job);
	return doc;
}

static _Noreturn void
be_executor(struct ctl *c, const char *queue, int in, int out)
{
	char opt[] = "--dry-run", opt_c[] = "-c", opt_q[] = "-q";
	char *path = program_find("executor");
	char *argv[] = {path, opt, opt_c, c->s.path, opt_q, xstrdup(queue),
	    NULL};

	if (dup2(in, STDIN_FILENO) != -1 && dup2(out, STDOUT_FILENO) != -1) {
		closefrom(STDERR_FILENO + 1);
		(void)execv(path, argv);
	}
	(void)dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(CTL_FAILED);
}

/* A ^C is for it, too: it drops what it staged, and then we end as well. */
static int
await(pid_t pid)
{
	sigset_t keys, before;
	int how = -1;

	(void)sigemptyset(&keys);
	(void)sigaddset(&keys, SIGINT);
	(void)sigaddset(&keys, SIGQUIT);
	(void)sigprocmask(SIG_BLOCK, &keys, &before);
	while (waitpid(pid, &how, 0) == -1 && errno == EINTR)
		continue;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* Runs it with job for its input: its exit status, or -1. */
static int
run_executor(struct ctl *c, const char *queue, const json_t *job, int out)
{
	int in = memfd_create("job", MFD_CLOEXEC);
	pid_t pid = -1;

	if (in != -1 && json_dumpfd(job, in, JSON_COMPACT) == 0 &&
	    lseek(in, 0, SEEK_SET) == 0) {
		(void)fflush(stdout);
		pid = fork();
	}
	if (pid == 0)
		be_executor(c, queue, in, out);
	if (in != -1)
		(void)close(in);
	return pid > 0 ? await(pid) : -1;
}

static json_t *
read_outcome(int out)
{
	FILE *f = lseek(out, 0, SEEK_SET) == 0 ? fdopen(out, "r") : NULL;
	json_t *doc = f != NULL ? json_loadf(f, JSON_ALLOW_NUL, NULL) : NULL;

	if (f != NULL)
		(void)fclose(f);
	else
		(void)close(out);
	return doc;
}

static int
judge(const json_t *outcome)
{
	if (strcmp(out_string(outcome, "state"), "completed") == 0)
		return CTL_DONE;
	return json_is_true(json_object_get(outcome, "temporary"))
		   ? CTL_TEMPORARY
		   : CTL_FAILED;
}

static int
run_in(struct ctl *c, const struct input *in, const struct queue_settings *q,
    json_t *all)
{
	json_t *job = make_job(in, q), *outcome = NULL;
	int out = memfd_create("outcome", MFD_CLOEXEC);
	int status = out != -1 ? run_executor(c, q->name, job, out) : -1;

	json_decref(job);
	if (out != -1)
		outcome = read_outcome(out);
	if (status != 0 || !json_is_object(outcome)) {
		ctl_say("%s@%s: it could not be staged", in->patch.id, q->name);
		json_decref(outcome);
		return status == CTL_CONFIG ? CTL_CONFIG : CTL_TEMPORARY;
	}
	if (all == NULL)
		dry_run_print(outcome);
	status = judge(outcome);
	if (all != NULL)
		json_array_append(all, outcome);
	json_decref(outcome);
	return status;
}

static bool
is_meant(const struct ctl *c, const json_t *targets,
    const struct queue_settings *q)
{
	bool named = false;
	const json_t *target;
	size_t i;

	json_array_foreach (targets, i, target) {
		const char *name = json_string_value(target);
		const struct queue_settings *known =
		    name != NULL ? settings_queue(&c->s, name) : NULL;

		if (known == q || (known == NULL && name != NULL &&
				      patch_target_is_both(name)))
			return true;
		named |= known != NULL;
	}
	/* As the bridge has it: the unknown go to the default queue. */
	return !named && q->is_default;
}

static int
run_all(struct ctl *c, const struct input *in, const struct queue_settings *q)
{
	json_t *all = c->json ? json_array() : NULL;
	int status = CTL_DONE;

	for (size_t i = 0; i < c->s.queue_count; i++) {
		const struct queue_settings *one = &c->s.queues[i];

		if (q != NULL ? q == one : is_meant(c, in->patch.targets, one))
			status = ctl_worse(status, run_in(c, in, one, all));
	}
	if (all != NULL)
		out_list(all, status);
	return status;
}

int
run_dry_run(struct ctl *c)
{
	static const struct option words[] = {
	    {"queue", required_argument, NULL, 'q'}, {NULL, 0, NULL, 0}};
	const struct queue_settings *q = NULL;
	const char *queue = NULL;
	struct input in;
	int opt, status;

	while ((opt = ctl_option(c, "q:", words)) != -1) {
		if (opt != 'q')
			return CTL_USAGE;
		queue = optarg;
	}
	if (c->argc != 1)
		return CTL_USAGE;
	status = ctl_settings(c);
	if (status != 0)
		return status;
	if (queue != NULL && (q = ctl_queue(c, queue)) == NULL)
		return CTL_FAILED;
	if (input_read(&in, c->argv[0]) == -1) {
		status = CTL_FAILED;
	} else if (in.patch.reason != PATCH_OK) {
		input_complain(&in);
		status = CTL_DATA;
	} else {
		status = run_all(c, &in, q);
	}
	input_free(&in);
	return status;
}
