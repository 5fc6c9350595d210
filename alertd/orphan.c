/* SPDX-License-Identifier: ISC */
/*
 * Deliveries for channels that are no longer in the configuration. Nobody
 * will ever send them, so they end as dead: their alert goes to alerts/dead
 * with the others that were not told everywhere, and one alert a channel says
 * so. What is found dead here again after a crash is counted again, so that
 * its alert cannot slip into done/ in between.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alertd.h"
#include "common/buf.h"
#include "common/log.h"
#include "common/text.h"

/* The alert's file name of the delivery file NAME, and its channel's slug;
 * false where it is none. */
static bool
take_apart(const char *name, char alert[NAME_SIZE], char slug[NAME_SIZE])
{
	const char *at = strrchr(name, '@');
	size_t len = at == NULL ? 0 : strlen(at);
	size_t stem = at == NULL ? 0 : (size_t)(at - name);

	if (len < sizeof "@x.json" - 1 || stem == 0 || stem + 6 > NAME_SIZE ||
	    len > NAME_SIZE || strcmp(at + len - 5, ".json") != 0)
		return false;
	memcpy(alert, name, stem);
	memcpy(alert + stem, ".json", sizeof ".json");
	memcpy(slug, at + 1, len - 6);
	slug[len - 6] = '\0';
	return true;
}

static bool
is_configured(const struct alertd *a, const char *slug)
{
	for (size_t i = 0; i < a->channel_count; i++)
		if (strcmp(a->channels[i].name, slug) == 0)
			return true;
	return false;
}

/* Closed for good: durable, so that the alert may leave cur. */
static bool
bury(struct alertd *a, const char *name, json_t *doc)
{
	enum spool_answer answer;

	(void)json_object_set_new(doc, "state",
	    json_string(delivery_state_name[DELIVERY_DEAD]));
	(void)json_object_set_new(doc, "error",
	    json_string("its channel is no longer in the configuration"));
	answer = spool_replace_json(a->state.tmp, a->deliveries, name, doc);
	if (answer == SPOOL_REFUSED && reserve_spend(&a->reserve, errno))
		answer =
		    spool_replace_json(a->state.tmp, a->deliveries, name, doc);
	if (answer != SPOOL_DONE)
		log_warn("%s: delivery state not written", name);
	return answer == SPOOL_DONE;
}

static void
show_dead(struct alertd *a, const json_t *doc, const char *channel)
{
	const json_t *m = json_object_get(doc, "message");
	struct rule_entry *e =
	    rule_find(&a->table, json_string_value(json_object_get(m, "type")),
		json_string_value(json_object_get(m, "component")),
		json_string_value(json_object_get(m, "subject")));

	if (e != NULL)
		(void)json_object_set_new(e->channels, channel,
		    json_string(delivery_state_name[DELIVERY_DEAD]));
}

static void
note_orphan(struct alertd *a, const char *name, const char *alert, json_t *doc,
    json_t *channels)
{
	const char *channel =
	    json_string_value(json_object_get(doc, "channel"));
	json_int_t n;

	if (channel == NULL || !bury(a, name, doc))
		return;
	log_warnx("%s: alert is dead, channel %s is no longer in the "
		  "configuration",
	    alert, channel);
	journal_write(&a->journal, delivery_state_name[DELIVERY_DEAD],
	    json_pack("{s:s,s:s}", "channel", channel, "alert", alert));
	show_dead(a, doc, channel);
	n = json_integer_value(json_object_get(channels, channel));
	(void)json_object_set_new(channels, channel, json_integer(n + 1));
	(void)json_object_set_new(a->orphans, alert, json_true());
}

/* A version that did not look for orphans left such alerts in done/. */
static void
dig_out(struct alertd *a, const char *alert)
{
	if (spool_move(a->tree->alerts.dir[BOX_DONE], alert,
		a->tree->alerts_dead, NULL) == SPOOL_DONE)
		a->dead++;
}

static void
consider(struct alertd *a, const char *name, json_t *channels)
{
	char alert[NAME_SIZE], slug[NAME_SIZE];
	const char *state;
	json_t *doc = NULL;

	if (!take_apart(name, alert, slug) || is_configured(a, slug))
		return;
	if (!spool_exists(a->tree->alerts.dir[BOX_CUR], alert) &&
	    !spool_exists(a->tree->alerts.dir[BOX_DONE], alert) &&
	    !spool_exists(a->tree->alerts_dead, alert)) {
		if (spool_remove(a->deliveries, name) != SPOOL_DONE)
			log_warn("%s: not removed", name);
		return;
	}
	if (spool_read_json(a->deliveries, name, &doc) != 1)
		return;
	state = json_string_value(json_object_get(doc, "state"));
	if (state != NULL &&
	    strcmp(state, delivery_state_name[DELIVERY_DEAD]) == 0)
		(void)json_object_set_new(a->orphans, alert, json_true());
	else if (state != NULL &&
		 strcmp(state, delivery_state_name[DELIVERY_CONFIRMED]) != 0)
		note_orphan(a, name, alert, doc, channels);
	if (json_object_get(a->orphans, alert) != NULL)
		dig_out(a, alert);
	json_decref(doc);
}

static void
tell(struct alertd *a, const char *channel, json_int_t count)
{
	char *text = xasprintf("channel %s was taken out of the configuration "
			       "before it was told of %lld alert%s, now in "
			       "alerts/dead",
	    channel, (long long)count, text_s((uint64_t)count));

	alertd_raise(a, &(struct alert){.type = "channel-failed",
			    .component = "alertd",
			    .subject = channel,
			    .severity = ALERT_ERROR,
			    .text = text});
	free(text);
}

void
orphan_find(struct alertd *a)
{
	json_t *channels = json_object();
	struct spool_names names;
	const char *channel;
	json_t *count;

	(void)json_object_clear(a->orphans);
	if (spool_list(a->deliveries, 0, &names) == -1) {
		log_warn("state/alertd/deliveries: not listed");
		json_decref(channels);
		return;
	}
	for (size_t i = 0; i < names.count; i++)
		consider(a, names.names[i], channels);
	spool_names_free(&names);
	json_object_foreach (channels, channel, count) {
		tell(a, channel, json_integer_value(count));
	}
	if (json_object_size(channels) > 0)
		alertd_changed(a);
	json_decref(channels);
}
