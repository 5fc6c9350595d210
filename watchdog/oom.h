/* SPDX-License-Identifier: ISC */
/*
 * Was a process that got SIGKILL a victim of the kernel, for want of memory?
 *
 * The kernel counts its victims for the whole machine (oom_kill in
 * /proc/vmstat) and names each in its log (/dev/kmsg: "Killed process 123
 * (name)", of a memory cgroup too). The count moves for anybody's process, a
 * patch that went over its limit for one, so the log decides where it can be
 * read and counts as we do: by root in the first pid namespace. Elsewhere a
 * count that moved since the last look is taken for ours.
 */
#ifndef WATCHDOG_OOM_H
#define WATCHDOG_OOM_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

/* The kernel's count; 0 where it does not tell. */
uint64_t oom_count(void);
/* 1 its log names pid, since monotonic since_ms; 0 it does not; -1 there is
 * no log that could be asked. */
int oom_logged(pid_t pid, int64_t since_ms);
/* A record as /dev/kmsg gives it: "6,1234,15487457125,-;words". */
bool oom_record_names(const char *record, pid_t pid, int64_t since_ms);

#endif
