/* SPDX-License-Identifier: ISC */
/*
 * An attempt's outcome: executor and bridge write it, the summarizer and the
 * command read it. The struct holds what decides; everything that is only
 * told to people stays in doc, whose fields patchflow-spool(5) lists:
 *
 *   format envelope... state stage|reason error hint place{line,column,path}
 *   started_at finished_at duration_ms isolation durability unvalidated
 *   limits usage{memory_peak_bytes,processes_peak,cpu_ms,disk_peak_bytes,
 *     oom_kills,refused_forks}
 *   description warnings[] final{summary,summaryFile} transaction
 *   commands[]{phase,command,exit_code,signal,duration_ms,timed_out,
 *     backgrounded,output_head,output_tail,dropped_bytes,max_rss_kb,cpu_ms,reason}
 *   changes[]{path,op,old_sha256,new_sha256,mode,bytes}   op: added modified
 *     deleted mode directory
 *   diff diff_truncated git{commit,tag} edit_error{...}
 */
#ifndef COMMON_OUTCOME_H
#define COMMON_OUTCOME_H

#include <jansson.h>
#include "common/job.h"

#define OUTCOME_FORMAT "patchflow-outcome-1"

enum outcome_state {
	OUTCOME_COMPLETED,
	OUTCOME_UNDONE,
	OUTCOME_FAILED,
	OUTCOME_REJECTED,
	OUTCOME__STATES
};

/* Stage of a failure; OUTCOME_NO_STAGE in the other states. */
enum outcome_stage {
	OUTCOME_NO_STAGE,
	OUTCOME_PREPARE,
	OUTCOME_MUTATION,
	OUTCOME_COMMAND,
	OUTCOME_VALIDATION,
	OUTCOME_TIMEOUT,
	OUTCOME_LIMIT,
	OUTCOME_CONFLICT,
	OUTCOME_CRASHED,
	OUTCOME__STAGES
};

/* Reason of a rejection; OUTCOME_NO_REASON in the other states. */
enum outcome_reason {
	OUTCOME_NO_REASON,
	OUTCOME_MALFORMED,
	OUTCOME_INVALID,
	OUTCOME_NOT_EXECUTABLE,
	OUTCOME_ID_CONFLICT,
	OUTCOME_FORBIDDEN,
	OUTCOME_WRONG_BRANCH,
	OUTCOME_EXPIRED,
	OUTCOME_DEPENDENCY_FAILED,
	OUTCOME_BY_OPERATOR,
	OUTCOME__REASONS
};

extern const char *const outcome_state_name[OUTCOME__STATES];
extern const char *const outcome_stage_name[OUTCOME__STAGES];
extern const char *const outcome_reason_name[OUTCOME__REASONS];

struct outcome {
	struct envelope env;
	enum outcome_state state;
	enum outcome_stage stage;
	enum outcome_reason reason;
	json_t *doc; /* owned; all fields */
};

/* A new document with format, envelope, state and stage or reason set. */
json_t *outcome_new(const struct envelope *e, enum outcome_state state,
    enum outcome_stage stage, enum outcome_reason reason);
/* Takes its own reference to doc. 0, or -1 EINVAL. */
int outcome_decode(json_t *doc, struct outcome *o);
void outcome_free(struct outcome *o);
/* "failed (validation)", "rejected (id-conflict)", "completed". */
const char *outcome_words(const struct outcome *o);

#endif
