/* SPDX-License-Identifier: ISC */
/*
 * Chosen once, when the workspace is there: as whom commands run, where
 * transactions live, and whether the machine allows the overlay. Never
 * changed silently: log, alert, status and each outcome say it.
 */
#ifndef EXECUTOR_ISOLATE_H
#define EXECUTOR_ISOLATE_H

#include "executor/executor.h"

#define UNMOUNTED                                                              \
	"is empty and not the directory of before: mount it, or "              \
	"put a file there if it is meant"

/* 0, or -1: the workspace is missing, or nothing can be staged for it; ESRCH
 * with ex->why: whom commands would run as is not known. */
int isolate_open(struct executor *ex);
/* What the machine allows, tried once; behind recovery, because that needs
 * nothing of it and may need the room. 0, or -1: it cannot be told now. */
int isolate_ready(struct executor *ex);
/* The same choices, step by step and without a trace, for check.c: the user,
 * then (with ex->place open) overlay, why and durability. */
int isolate_user(struct executor *ex); /* -1 as above */
/* -1: it cannot be told at present. */
int isolate_choose(struct executor *ex);

/* place.c: opens ex->place (ENODEV: the workspace is empty and another one
 * than before, as an unmounted one is); record keeps the choice for the next
 * start. */
int isolate_place(struct executor *ex);
int isolate_record(struct executor *ex);

#endif
