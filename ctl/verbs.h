/* SPDX-License-Identifier: ISC */
/* The verbs' functions, one file a group, and their table's texts. */
#ifndef CTL_VERBS_H
#define CTL_VERBS_H

#include "ctl/ctl.h"

/* verb NULL: of the whole command. */
void verbs_usage(const struct verb *verb);
void verbs_help(const struct verb *verb);

int run_alerts(struct ctl *c);
int run_check(struct ctl *c);
int run_check_config(struct ctl *c);
int run_control(struct ctl *c); /* start, stop, restart */
int run_deaths(struct ctl *c);
int run_down(struct ctl *c);
int run_dry_run(struct ctl *c);
int run_extract(struct ctl *c);
int run_fsck(struct ctl *c);
int run_health(struct ctl *c);
int run_help(struct ctl *c);
int run_init(struct ctl *c);
int run_log(struct ctl *c);
int run_queue(struct ctl *c);
int run_reload(struct ctl *c);
int run_request(struct ctl *c); /* retry, hold, approve, ... */
int run_show(struct ctl *c);
int run_status(struct ctl *c);
int run_submit(struct ctl *c);
int run_up(struct ctl *c);
int run_upgrade(struct ctl *c);
int run_wait(struct ctl *c);

#endif
