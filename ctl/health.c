/* SPDX-License-Identifier: ISC */
/* health: one line for people and monitors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/out.h"
#include "ctl/status.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static void complain(json_t *problems, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
complain(json_t *problems, const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	json_array_append_new(problems, text_json(text.bytes));
	buf_free(&text);
}

static void
judge_daemon(const json_t *d, json_t *problems)
{
	const char *why = out_string(d, "why_not_running");

	if (strcmp(out_string(d, "state"), "ready") != 0)
		complain(problems, "%s is %s%s%s", out_string(d, "name"),
		    out_string(d, "state"), why[0] != '\0' ? ": " : "", why);
}

static void
judge_queue(const struct watchdog_settings *w, const json_t *q,
    json_t *problems)
{
	int64_t depth = json_integer_value(json_object_get(q, "depth"));
	int64_t oldest = json_integer_value(json_object_get(q, "oldest_ms"));
	const char *name = out_string(q, "name");
	char age[64];

	if (json_is_true(json_object_get(q, "paused")))
		complain(problems, "queue %s is paused", name);
	if (out_string(q, "hold")[0] != '\0')
		complain(problems, "queue %s is held: %s", name,
		    out_string(q, "hold"));
	if (depth >= w->queue_depth)
		complain(problems, "queue %s holds %lld patches", name,
		    (long long)depth);
	clock_human_span(oldest, age, sizeof(age));
	if (oldest >= w->stale_patch)
		complain(problems, "queue %s has waited for %s", name, age);
}

static void
judge_channel(const json_t *ch, json_t *problems)
{
	if (strcmp(out_string(ch, "state"), "ok") != 0)
		complain(problems, "channel %s is %s: %s",
		    out_string(ch, "name"), out_string(ch, "state"),
		    out_string(ch, "last_error"));
}

static json_t *
judge(struct ctl *c, const json_t *all)
{
	json_t *problems = json_array();
	const json_t *item;
	size_t i;

	if (!json_is_true(json_object_get(all, "supervised")))
		complain(problems, "the suite is not running");
	json_array_foreach (json_object_get(all, "daemons"), i, item) {
		if (json_is_true(json_object_get(all, "supervised")))
			judge_daemon(item, problems);
	}
	json_array_foreach (json_object_get(all, "queues"), i, item) {
		judge_queue(&c->s.watchdog, item, problems);
	}
	json_array_foreach (json_object_get(all, "channels"), i, item) {
		judge_channel(item, problems);
	}
	return problems;
}

static void
print(const json_t *problems, const json_t *all)
{
	size_t daemons = json_array_size(json_object_get(all, "daemons"));
	size_t queues = json_array_size(json_object_get(all, "queues"));
	const json_t *item;
	char *clean;
	size_t i;

	if (json_array_size(problems) == 0) {
		(void)printf("ok: %zu daemon%s ready, %zu queue%s open\n",
		    daemons, text_s(daemons), queues, text_s(queues));
		return;
	}
	json_array_foreach (problems, i, item) {
		clean = table_clean(json_string_value(item));
		(void)printf("%s%s", i == 0 ? "not ok: " : "; ", clean);
		free(clean);
	}
	(void)putchar('\n');
}

int
run_health(struct ctl *c)
{
	json_t *all, *problems;
	bool ok, down;
	int status;

	while (ctl_option(c, "", NULL) != -1)
		return CTL_USAGE;
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	if (status != 0)
		return status;
	all = status_collect(c);
	problems = judge(c, all);
	ok = json_array_size(problems) == 0;
	down = !json_is_true(json_object_get(all, "supervised"));
	if (c->json)
		out_json(
		    json_pack("{s:b, s:O}", "ok", ok, "problems", problems));
	else
		print(problems, all);
	json_decref(problems);
	json_decref(all);
	return ok ? CTL_DONE : down ? CTL_DOWN : CTL_FAILED;
}
