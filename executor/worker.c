/* SPDX-License-Identifier: ISC */
/* Pre-validation, mutations, build, validation, gates, git: in that order. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "executor/basis.h"
#include "executor/environ.h"
#include "executor/git.h"
#include "executor/gitsaid.h"
#include "executor/mutate.h"
#include "executor/report.h"
#include "executor/utf8.h"
#include "executor/worker.h"

#define NPROC_SLACK 16
#define PROGRESS_EVERY 100 /* steps */
#define ANSWER_MAX (16 << 20)

static enum outcome_stage
stage_of(enum plan_phase phase)
{
	return phase == PHASE_PRE || phase == PHASE_VALIDATE ||
		       phase == PHASE_GATE
		   ? OUTCOME_VALIDATION
		   : OUTCOME_COMMAND;
}

static int
fail_limit(const struct command *c, enum plan_phase phase, const char *text,
    struct fault *f)
{
	bool cpu = command_limit(c) == SIGXCPU;

	(void)fault_fail(f, OUTCOME_LIMIT,
	    "%s: the command went over its limit of %lld %s: %s",
	    plan_phase_name[phase],
	    (long long)(cpu ? c->limits->cpu_ms : c->limits->file_size),
	    cpu ? "ms of CPU time" : "bytes for a file", text);
	fault_hint(f,
	    "the queue's limit is its key %s; a patch can only lower "
	    "it",
	    cpu ? "cpu_time" : "file_size");
	return -1;
}

/* What git says first tells why; its own command line is always the same. */
static int
fail_git(const struct command *c, const char *text, struct fault *f)
{
	size_t len = c->head.len > 0 ? strcspn(c->head.bytes, "\n") : 0;

	return fault_fail(f, OUTCOME_COMMAND, "git: exit status %d: %s%s%.*s",
	    c->exit_code, text, len > 0 ? ": " : "",
	    (int)(len < 300 ? len : 300), len > 0 ? c->head.bytes : "");
}

static int
fail_command(const struct command *c, enum plan_phase phase, const char *text,
    struct fault *f)
{
	const char *where = plan_phase_name[phase];

	if (c->timed_out) {
		(void)fault_fail(f, OUTCOME_TIMEOUT,
		    "%s: the command did not end within %lld ms: %s", where,
		    (long long)c->timeout_ms, text);
		if (c->backgrounded)
			fault_hint(f, "its shell ended and left processes "
				      "running; they were waited for and "
				      "killed at the deadline");
		return -1;
	}
	if (command_limit(c) != 0)
		return fail_limit(c, phase, text, f);
	if (c->signal != 0)
		return fault_fail(f, stage_of(phase),
		    "%s: the command was ended by signal %d (%s): %s", where,
		    c->signal, strsignal(c->signal), text);
	if (phase == PHASE_GIT && c->exit_code != 127)
		return fail_git(c, text, f);
	(void)fault_fail(f, stage_of(phase), "%s: exit status %d: %s", where,
	    c->exit_code, text);
	if (c->exit_code == 127)
		fault_hint(f, "a command was not found: commands see a "
			      "private /home and /tmp; the queue's key expose "
			      "shows more directories");
	return -1;
}

/* Success is never assumed of what nobody waited for. */
static bool
is_background_failure(const struct command *c, enum plan_phase phase)
{
	return c->backgrounded && phase != PHASE_PRE &&
	       phase != PHASE_MUTATION && phase != PHASE_GIT;
}

static int
judge(const struct command *c, enum plan_phase phase, const char *text,
    struct fault *f)
{
	if (!command_succeeded(c))
		return fail_command(c, phase, text, f);
	if (is_background_failure(c, phase)) {
		(void)fault_fail(f, stage_of(phase),
		    "%s: the command left processes running in the background "
		    "(backgrounded), so its result is not known: %s",
		    plan_phase_name[phase], text);
		fault_hint(f, "run it in the foreground, without & or nohup");
		return -1;
	}
	return 0;
}

static int
prepare_command(struct worker *w, struct command *c, const char *const *argv,
    struct fault *f)
{
	int64_t left = w->deadline - clock_mono_ms();

	if (left <= 0)
		return fault_fail(f, OUTCOME_TIMEOUT,
		    "the patch did not end within %lld ms",
		    (long long)w->plan->timeout_ms);
	c->argv = argv;
	c->envp = w->envp;
	c->limits = &w->limits;
	c->bare = w->way == JAIL_BARE;
	c->timeout_ms = left < w->plan->command_timeout_ms
			    ? left
			    : w->plan->command_timeout_ms;
	return 0;
}

int
worker_command(struct worker *w, enum plan_phase phase, const char *const *argv,
    const char *text, struct fault *f)
{
	struct command c = {0};
	json_t *doc;
	int answer;

	if (prepare_command(w, &c, argv, f) == -1)
		return -1;
	report_send(w->report, "running",
	    json_pack("{s:s,s:o}", "phase", plan_phase_name[phase], "text",
		utf8_string(text)));
	if (command_run(&c) == -1) {
		answer = fault_errno(f, OUTCOME_LIMIT,
		    "%s: the command could not be started: %s",
		    plan_phase_name[phase], text);
	} else {
		answer = phase == PHASE_GIT ? gitsaid_judge(w, &c, text, f) : 0;
		if (answer == 0)
			answer = judge(&c, phase, text, f);
	}
	doc = command_encode(&c);
	json_object_set_new(doc, "phase", json_string(plan_phase_name[phase]));
	json_object_set_new(doc, "command", json_string(text));
	report_send(w->report, "command", doc);
	command_free(&c);
	return answer;
}

int
worker_ask(struct worker *w, const char *const *argv, int *code,
    struct buf *out, struct fault *f)
{
	struct command_limits whole = w->limits;
	struct command c = {0};
	bool cut;

	if (prepare_command(w, &c, argv, f) == -1)
		return -1;
	whole.output = ANSWER_MAX;
	c.limits = &whole;
	if (command_run(&c) == -1)
		return fault_errno(f, OUTCOME_COMMAND, "%s", argv[0]);
	*code = c.exit_code;
	buf_add(out, c.head.bytes != NULL ? c.head.bytes : "", c.head.len);
	cut = c.tail.len > 0 || c.dropped > 0;
	command_free(&c);
	if (cut)
		return fault_fail(f, OUTCOME_COMMAND,
		    "%s %s said more than %d MiB", argv[0], argv[1],
		    ANSWER_MAX >> 20);
	if (c.exit_code >= 0 && !c.timed_out)
		return 0;
	/* Killed: that is no answer at all. */
	return fault_fail(f, c.timed_out ? OUTCOME_TIMEOUT : OUTCOME_COMMAND,
	    c.timed_out ? "%s %s did not end in time"
			: "%s %s was killed by signal %d",
	    argv[0], argv[1], c.signal);
}

static int
run_shell(struct worker *w, enum plan_phase phase, const char *text,
    struct fault *f)
{
	const char *argv[] = {"/bin/sh", "-c", text, NULL};

	return worker_command(w, phase, argv, text, f);
}

static int
run_phase(struct worker *w, enum plan_phase phase, struct fault *f)
{
	for (size_t i = 0; i < w->plan->command_count; i++) {
		const struct plan_command *c = &w->plan->commands[i];

		if (c->phase == phase && run_shell(w, phase, c->text, f) == -1)
			return -1;
	}
	return 0;
}

static int
run_step(struct worker *w, const struct plan_step *s, struct fault *f)
{
	if (s->kind != PLAN_COMMAND) {
		basis_tell(w, s);
		return mutate_step(w->root, s, w->plan->file_size, f);
	}
	if (run_shell(w, PHASE_MUTATION, s->to, f) == 0)
		return 0;
	fault_place(f, "mutations[%zu]", s->index);
	return -1;
}

static int
run_steps(struct worker *w, struct fault *f)
{
	for (size_t i = 0; i < w->plan->step_count; i++) {
		if (i > 0 && i % PROGRESS_EVERY == 0)
			report_text(w->report, "progress", "mutations");
		if (clock_mono_ms() > w->deadline)
			return fault_fail(f, OUTCOME_TIMEOUT,
			    "the patch did not end within %lld ms",
			    (long long)w->plan->timeout_ms);
		if (run_step(w, &w->plan->steps[i], f) == -1)
			return -1;
	}
	return 0;
}

static int
run_plan(struct worker *w, struct fault *f)
{
	if (git_check(w, f) == -1 || basis_check(w, f) == -1 ||
	    run_phase(w, PHASE_PRE, f) == -1 || run_steps(w, f) == -1 ||
	    run_phase(w, PHASE_BUILD, f) == -1 ||
	    run_phase(w, PHASE_VALIDATE, f) == -1 ||
	    run_phase(w, PHASE_GATE, f) == -1)
		return -1;
	return git_finish(w, f);
}

int
worker_run(void *owner, int root, int report)
{
	struct worker *w = owner;
	struct fault f = {0};
	int answer;

	w->root = root;
	w->report = report;
	w->deadline = clock_mono_ms() + w->plan->timeout_ms;
	w->limits = (struct command_limits){.memory = w->plan->limits.memory,
	    .file_size = w->plan->file_size,
	    .output = w->output_bytes,
	    .cpu_ms = w->plan->limits.cpu_ms};
	/* Of all that the user has in the machine, and above the limit, so
	 * that init's look finds it passed and can say so. */
	if (!w->plan->limits.grouped)
		w->limits.processes =
		    w->plan->limits.processes * 5 / 4 + NPROC_SLACK + w->others;
	w->envp = environ_make(w);
	(void)signal(SIGPIPE, SIG_IGN);
	answer = run_plan(w, &f);
	if (answer == -1)
		report_fault(report, &f);
	else
		report_send(report, "end", json_object());
	fault_free(&f);
	return answer == 0 ? 0 : 1;
}
