/* SPDX-License-Identifier: ISC */
/*
 * state/alertd/alerts.json: what is active and how the channels are, for
 * `patchflow alerts` and for ourselves after a restart. Lost, only the
 * counting begins anew: deliveries have their own files.
 */
#include <errno.h>
#include <string.h>

#include "alertd/alertd.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"

#define STATUS_FORMAT "patchflow-alerts-1"
#define STATUS_FILE "alerts.json"

static json_t *
encode_channel(const struct alertd *a, const struct channel *c)
{
	int64_t pause = c->paused_ms - clock_mono_ms();

	return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:i,s:I,s:o}", "name",
	    c->settings->name, "type", c->settings->type, "state",
	    health_failing(a, c) ? "failing" : "ok", "waiting",
	    (json_int_t)c->count + (c->current != NULL), "confirmed",
	    (json_int_t)c->confirmed, "dead", (json_int_t)c->dead, "failures",
	    c->failures, "paused_ms", (json_int_t)(pause > 0 ? pause : 0),
	    "last_error", text_json(c->last_error));
}

static json_t *
encode(struct alertd *a)
{
	json_t *channels = json_array();
	char now[ISO_TIME_SIZE];
	bool failing = false;
	size_t i;

	for (i = 0; i < a->channel_count; i++) {
		const struct channel *c = &a->channels[i];

		failing = failing || health_failing(a, c);
		(void)json_array_append_new(channels, encode_channel(a, c));
	}
	clock_iso(clock_wall_us(), now);
	return json_pack("{s:s,s:s,s:s,s:I,s:o,s:o,s:O}", "format",
	    STATUS_FORMAT, "at", now, "health", failing ? "failing" : "ok",
	    "dead", (json_int_t)a->dead, "alerts", rule_encode(&a->table),
	    "channels", channels, "taken", a->taken);
}

bool
status_save(struct alertd *a)
{
	json_t *doc = encode(a);
	enum spool_answer answer;

	if (doc == NULL)
		return false;
	answer = state_save(&a->state, STATUS_FILE, doc);
	if (answer == SPOOL_REFUSED && reserve_spend(&a->reserve, errno))
		answer = state_save(&a->state, STATUS_FILE, doc);
	json_decref(doc);
	if (answer != SPOOL_DONE)
		log_warn("%s: not written", STATUS_FILE);
	else
		a->dirty = false;
	return answer == SPOOL_DONE;
}

/* Those that earlier runs have given up are still to be seen. */
static void
count_dead(struct alertd *a)
{
	struct spool_names names;

	if (spool_list(a->tree->alerts_dead, 0, &names) == -1)
		return;
	a->dead = (int64_t)names.count;
	spool_names_free(&names);
}

void
status_load(struct alertd *a)
{
	json_t *doc = NULL;
	json_t *taken;
	int lost;

	count_dead(a);
	if (state_load(&a->state, STATUS_FILE, STATUS_FORMAT, &doc) != 1) {
		if (errno == EBADMSG)
			log_warnx("%s: was damaged, counting begins anew",
			    STATUS_FILE);
		return;
	}
	taken = json_object_get(doc, "taken");
	if (json_is_object(taken))
		(void)json_object_update(a->taken, taken);
	lost = rule_decode(&a->table, json_object_get(doc, "alerts"));
	if (lost > 0)
		log_warnx("%s: %d entries not read", STATUS_FILE, lost);
	json_decref(doc);
}
