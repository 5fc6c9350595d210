/* SPDX-License-Identifier: ISC */
/* What can be asked of the supervisor: a table of verbs. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "watchdog/watchdog.h"

#define SAVED_MS 300 /* before an answer */

/* Owned JSON text with its newline. */
static char *
to_line(json_t *answer)
{
	char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
	char *line;

	json_decref(answer);
	if (text == NULL)
		return xstrdup("{\"ok\":false,\"error\":\"out of memory\"}\n");
	line = xasprintf("%s\n", text);
	free(text);
	return line;
}

static json_t *
refuse(const char *why)
{
	/* The reason may quote the configuration file: any bytes. */
	json_t *text = json_string(why);

	if (text == NULL)
		text = json_string("refused");
	return json_pack("{s:b, s:o}", "ok", 0, "error", text);
}

static json_t *
agree(void)
{
	return json_pack("{s:b}", "ok", 1);
}

static json_t *
answer_status(struct watchdog *w, const char *name)
{
	(void)name;
	supervise_listen(w);
	return status_json(w);
}

static json_t *
answer_ping(struct watchdog *w, const char *name)
{
	(void)w;
	(void)name;
	return json_pack("{s:b, s:I}", "ok", 1, "pid", (json_int_t)getpid());
}

static void
start_one(struct service *s, void *arg)
{
	(void)arg;
	s->held = false;
	supervise_feed(s, FSM_EV_START);
}

static void
stop_one(struct service *s, void *arg)
{
	(void)arg;
	s->held = true;
	supervise_feed(s, FSM_EV_STOP);
}

static void
restart_one(struct service *s, void *arg)
{
	(void)arg;
	s->held = false;
	supervise_feed(s, FSM_EV_RESTART);
}

/* False where the disk refused. One that is slow has it in the queue, which
 * outlives us. */
static bool
is_saved(struct watchdog *w)
{
	return writer_hangs(w) || !writer_wait(w, SAVED_MS) ||
	       !atomic_load(&w->writer.box->refusing);
}

static json_t *
act(struct watchdog *w, const char *name,
    void (*visit)(struct service *, void *))
{
	if (w->going_down)
		return refuse("the suite is going down");
	if (name[0] == '\0')
		return refuse("which daemon? a name, or all");
	if (roster_each(w, name, visit, NULL) == 0)
		return refuse("no daemon has that name");
	/* Before the answer: a stopped daemon stays stopped, come what may. */
	if (memory_save(w) == -1 || !is_saved(w))
		return refuse("done, but it will be forgotten with the "
			      "supervisor: its state was not saved");
	return agree();
}

static json_t *
answer_start(struct watchdog *w, const char *name)
{
	return act(w, name, start_one);
}

static json_t *
answer_stop(struct watchdog *w, const char *name)
{
	return act(w, name, stop_one);
}

static json_t *
answer_restart(struct watchdog *w, const char *name)
{
	return act(w, name, restart_one);
}

static json_t *
answer_reload(struct watchdog *w, const char *name)
{
	struct buf errs = {0};
	json_t *answer, *plan;

	if (strcmp(name, "--dry-run") == 0) {
		plan = reload_plan(w, &errs);
		answer = plan != NULL
			     ? json_pack("{s:b, s:o}", "ok", 1, "plan", plan)
			     : refuse(errs.bytes);
		buf_free(&errs);
		return answer;
	}
	if (name[0] != '\0')
		return refuse("reload takes no name");
	answer = reload_run(w, &errs) == 0 ? agree() : refuse(errs.bytes);
	buf_free(&errs);
	return answer;
}

static json_t *
answer_upgrade(struct watchdog *w, const char *name)
{
	(void)name;
	if (w->going_down)
		return refuse("the suite is going down");
	return upgrade_request(w) == 0 ? agree() : refuse(w->upgrade.refused);
}

static json_t *
answer_down(struct watchdog *w, const char *name)
{
	(void)name;
	watchdog_down(w);
	return agree();
}

static const struct verb {
	const char *word;
	bool acts;
	json_t *(*answer)(struct watchdog *, const char *name);
} verbs[] = {
    {"status", false, answer_status},
    {"ping", false, answer_ping},
    {"start", true, answer_start},
    {"stop", true, answer_stop},
    {"restart", true, answer_restart},
    {"reload", true, answer_reload},
    {"upgrade", true, answer_upgrade},
    {"down", true, answer_down},
};

static const struct verb *
find(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].word, word) == 0)
			return &verbs[i];
	return NULL;
}

char *
verb_answer(struct watchdog *w, const struct client *c, char *line)
{
	char *name = strchr(line, ' ');
	const struct verb *v;
	json_t *answer;

	if (name != NULL)
		*name++ = '\0';
	v = find(line);
	if (v == NULL)
		return to_line(refuse("no such request"));
	if (v->acts && c->uid != 0 && c->uid != geteuid())
		return to_line(refuse("only root and the suite's own user may "
				      "do that"));
	if (v->acts)
		log_info("control: %s%s%s, asked by uid %ld, pid %ld", line,
		    name != NULL ? " " : "", name != NULL ? name : "",
		    (long)c->uid, (long)c->pid);
	answer = v->answer(w, name != NULL ? name : "");
	supervise_settle(w);
	return to_line(answer);
}
