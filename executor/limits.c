/* SPDX-License-Identifier: ISC */
/* Limits as words of an outcome. */
#include <stdio.h>

#include "executor/limits.h"

#define MIB 1048576.0

const char *const limit_name[LIMIT__MAX] = {
    [LIMIT_NONE] = "",
    [LIMIT_MEMORY] = "memory",
    [LIMIT_PROCESSES] = "processes",
    [LIMIT_CPU] = "cpu_time",
    [LIMIT_DISK] = "disk",
};

static void
fail_memory(const struct limits *l, const struct limits_usage *u,
    struct fault *f)
{
	if (u->oom_kills > 0)
		(void)fault_fail(f, OUTCOME_LIMIT,
		    "the patch needed more than its memory of %.1f MiB: %lld "
		    "processes were killed",
		    (double)l->memory / MIB, (long long)u->oom_kills);
	else
		(void)fault_fail(f, OUTCOME_LIMIT,
		    "the patch needed more than its memory of %.1f MiB, it "
		    "had %.1f MiB",
		    (double)l->memory / MIB, (double)u->memory / MIB);
}

static void
fail_over(const struct limits *l, const struct limits_usage *u,
    enum limit_kind kind, struct fault *f)
{
	switch (kind) {
	case LIMIT_MEMORY:
		fail_memory(l, u, f);
		break;
	case LIMIT_PROCESSES:
		(void)fault_fail(f, OUTCOME_LIMIT,
		    "the patch needed more than its %lld processes",
		    (long long)l->processes);
		break;
	case LIMIT_CPU:
		(void)fault_fail(f, OUTCOME_LIMIT,
		    "the patch needed more than its %.1f s of processor "
		    "time, it had %.1f s",
		    (double)l->cpu_ms / 1000, (double)u->cpu_ms / 1000);
		break;
	case LIMIT_DISK:
		(void)fault_fail(f, OUTCOME_LIMIT,
		    "the patch wrote more than its %.1f MiB of disk, it had "
		    "%.1f MiB",
		    (double)l->disk / MIB, (double)u->disk / MIB);
		break;
	case LIMIT_NONE:
	case LIMIT__MAX:
		return;
	}
	fault_hint(f, "the queue's limits are its keys memory, processes, "
		      "cpu_time and disk; a patch can only lower them");
}

enum limit_kind
limits_judge(const struct limits *l, const struct limits_usage *u,
    bool succeeded, struct fault *f)
{
	enum limit_kind kind = u->over;

	/* What was killed has no result, whatever its parent made of it. */
	if (kind == LIMIT_NONE && u->oom_kills > 0)
		kind = LIMIT_MEMORY;
	else if (kind == LIMIT_NONE && !succeeded && u->refused_forks > 0)
		kind = LIMIT_PROCESSES;
	if (kind == LIMIT_NONE)
		return kind;
	fault_free(f);
	fail_over(l, u, kind, f);
	return kind;
}

void
limits_describe(const struct limits_usage *u, const char *by, const char *why,
    json_t *outcome)
{
	json_object_set_new(outcome, "limits", json_string(by));
	if (why[0] != '\0')
		json_object_set_new(outcome, "limits_why", json_string(why));
	json_object_set_new(outcome, "usage",
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "memory_peak_bytes",
		(json_int_t)u->memory, "processes_peak",
		(json_int_t)u->processes, "cpu_ms", (json_int_t)u->cpu_ms,
		"disk_peak_bytes", (json_int_t)u->disk, "oom_kills",
		(json_int_t)u->oom_kills, "refused_forks",
		(json_int_t)u->refused_forks, "death_ms",
		(json_int_t)u->death_ms));
}
