/* SPDX-License-Identifier: ISC */
/*
 * The table of patchflow.yaml's keys: types, defaults and bounds stand here
 * and nowhere else (patchflow.yaml(5) says them for people, and
 * tests/lint/settings.t compares). settings_check.c holds what one key alone
 * cannot tell.
 */
#include "common/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/settings_check.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define YEAR (366 * DAY)
#define MIB (INT64_C(1) << 20)
#define TIB (INT64_C(1) << 40)

#define TEXT(s, k, f, d)                                                       \
	{                                                                      \
		.name = (k), .type = CONF_STRING,                              \
		.offset = offsetof(struct s, f), .dflt = (d)                   \
	}
#define WORD(s, k, f, d, w)                                                    \
	{                                                                      \
		.name = (k), .type = CONF_STRING,                              \
		.offset = offsetof(struct s, f), .dflt = (d), .words = (w)     \
	}
#define PATH(s, k, f, d)                                                       \
	{                                                                      \
		.name = (k), .type = CONF_PATH,                                \
		.offset = offsetof(struct s, f), .dflt = (d)                   \
	}
#define BOOL(s, k, f, d)                                                       \
	{                                                                      \
		.name = (k), .type = CONF_BOOL,                                \
		.offset = offsetof(struct s, f), .dflt = (d)                   \
	}
#define NUMBER(t, s, k, d, lo, hi)                                             \
	{                                                                      \
		.name = #k, .type = CONF_##t, .offset = offsetof(struct s, k), \
		.dflt = (d), .min = (lo), .max = (hi)                          \
	}
#define MANY(t, s, k, f)                                                       \
	{                                                                      \
		.name = (k), .type = CONF_##t,                                 \
		.offset = offsetof(struct s, f), .dflt = ""                    \
	}
#define SECTION(s, k, t)                                                       \
	{                                                                      \
		.name = #k, .type = CONF_SECTION,                              \
		.offset = offsetof(struct s, k), .keys = (t)                   \
	}
#define LIST(s, k, f, n, e, t)                                                 \
	{                                                                      \
		.name = (k), .type = CONF_LIST,                                \
		.offset = offsetof(struct s, f),                               \
		.count_offset = offsetof(struct s, n),                         \
		.elem_size = sizeof(struct e), .keys = (t)                     \
	}
#define END                                                                    \
	{                                                                      \
		.name = NULL                                                   \
	}

static const struct conf_key rule_keys[] = {
    WORD(rule_settings, "action", action, NULL, "allow|hold|deny"),
    TEXT(rule_settings, "command", command, ""),
    TEXT(rule_settings, "path", path, ""),
    NUMBER(COUNT, rule_settings, files, "0", 0, 10000000),
    NUMBER(BYTES, rule_settings, bytes, "0", 0, TIB), END};

static const struct conf_key queue_keys[] = {
    TEXT(queue_settings, "name", name, NULL),
    MANY(STRINGS, queue_settings, "aliases", aliases),
    PATH(queue_settings, "workspace", workspace, NULL),
    MANY(PAIRS, queue_settings, "path_map", path_map),
    BOOL(queue_settings, "default", is_default, "false"),
    MANY(STRINGS, queue_settings, "gates", gates),
    MANY(STRINGS, queue_settings, "protected", protected),
    MANY(PATHS, queue_settings, "expose", expose),
    MANY(STRINGS, queue_settings, "env", env),
    TEXT(queue_settings, "run_as", run_as, ""),
    PATH(queue_settings, "staging", staging, ""),
    WORD(queue_settings, "hard_links", hard_links, "refuse", "refuse|split"),
    WORD(queue_settings, "stale_reads", stale_reads, "warn",
	"warn|conflict|ignore"),
    WORD(queue_settings, "isolation", isolation, "auto",
	"auto|overlay|copy|mutations"),
    WORD(queue_settings, "require_isolation", require_isolation, "",
	"|overlay"),
    BOOL(queue_settings, "network", network, "false"),
    NUMBER(SPAN, queue_settings, timeout, "300s", SECOND, DAY),
    NUMBER(SPAN, queue_settings, command_timeout, "30s", 100, DAY),
    NUMBER(BYTES, queue_settings, memory, "2G", 16 * MIB, TIB),
    NUMBER(COUNT, queue_settings, processes, "256", 4, 1000000),
    NUMBER(BYTES, queue_settings, file_size, "10M", 1024, TIB),
    NUMBER(SPAN, queue_settings, cpu_time, "600s", 100, YEAR),
    NUMBER(BYTES, queue_settings, disk, "2G", MIB, TIB),
    NUMBER(COUNT, queue_settings, attempts, "3", 1, 100),
    NUMBER(SPAN, queue_settings, ageing, "15m", SECOND, 100 * DAY),
    WORD(queue_settings, "approve", approve, "never", "never|shell|always"),
    MANY(STRINGS, queue_settings, "approvers", approvers),
    LIST(queue_settings, "rules", rules, rule_count, rule_settings, rule_keys),
    TEXT(queue_settings, "git_name", git_name, "patchflow"),
    TEXT(queue_settings, "git_email", git_email, "patchflow@localhost"), END};

static const struct conf_key source_keys[] = {
    WORD(source_settings, "type", type, NULL, "transcript"),
    TEXT(source_settings, "name", name, ""),
    PATH(source_settings, "path", path, NULL),
    TEXT(source_settings, "conversation", conversation, ""),
    TEXT(source_settings, "queue", queue, ""),
    MANY(STRINGS, source_settings, "authors", authors), END};

static const struct conf_key bridge_keys[] = {
    NUMBER(SPAN, bridge_settings, poll, "5s", 100, HOUR),
    NUMBER(SPAN, bridge_settings, settle, "2s", 0, HOUR),
    NUMBER(SPAN, bridge_settings, stale_block, "10m", SECOND, YEAR),
    NUMBER(BYTES, bridge_settings, document_max, "10M", 1024, 16 * MIB),
    LIST(bridge_settings, "sources", sources, source_count, source_settings,
	source_keys),
    END};

static const struct conf_key destination_keys[] = {
    TEXT(destination_settings, "name", name, ""),
    WORD(destination_settings, "type", type, NULL, "directory|append"),
    PATH(destination_settings, "path", path, NULL), END};

static const struct conf_key summary_keys[] = {
    NUMBER(BYTES, summary_settings, diff_bytes, "64K", 0, 4 * MIB),
    NUMBER(BYTES, summary_settings, output_bytes, "16K", 0, 4 * MIB),
    NUMBER(SPAN, summary_settings, retry, "5s", 100, HOUR),
    NUMBER(SPAN, summary_settings, give_up, "1d", SECOND, YEAR),
    LIST(summary_settings, "destinations", destinations, destination_count,
	destination_settings, destination_keys),
    END};

static const struct conf_key channel_keys[] = {
    TEXT(channel_settings, "name", name, NULL),
    WORD(channel_settings, "type", type, NULL, "file|webhook|slack-webhook"),
    PATH(channel_settings, "path", path, ""),
    TEXT(channel_settings, "url", url, ""),
    PATH(channel_settings, "url_file", url_file, ""),
    WORD(channel_settings, "severity", severity, "info",
	"info|warning|error|critical"),
    NUMBER(SPAN, channel_settings, timeout, "10s", 100, 10 * MINUTE), END};

static const struct conf_key alert_keys[] = {
    NUMBER(SPAN, alert_settings, dedupe, "5m", 0, DAY),
    NUMBER(SPAN, alert_settings, retry, "1s", 100, HOUR),
    NUMBER(SPAN, alert_settings, retry_max, "5m", 100, DAY),
    NUMBER(SPAN, alert_settings, lifetime, "3d", SECOND, YEAR),
    LIST(alert_settings, "channels", channels, channel_count, channel_settings,
	channel_keys),
    END};

static const struct conf_key limit_keys[] = {
    NUMBER(BYTES, daemon_limits, memory, "0", 0, TIB),
    NUMBER(COUNT, daemon_limits, files, "0", 0, 1000000),
    NUMBER(COUNT, daemon_limits, processes, "0", 0, 1000000),
    NUMBER(COUNT, daemon_limits, cpu, "0", 0, 100000),
    BOOL(daemon_limits, "core", core, "false"), END};

static const struct conf_key daemon_keys[] = {
    TEXT(daemon_settings, "name", name, NULL),
    TEXT(daemon_settings, "user", user, ""),
    TEXT(daemon_settings, "group", group, ""),
    TEXT(daemon_settings, "umask", umask, "027"),
    NUMBER(COUNT, daemon_settings, nice, "0", -20, 19),
    MANY(PAIRS, daemon_settings, "environment", environment),
    SECTION(daemon_settings, limits, limit_keys), END};

static const struct conf_key watchdog_keys[] = {
    NUMBER(SPAN, watchdog_settings, heartbeat, "5s", 100, HOUR),
    NUMBER(SPAN, watchdog_settings, hang, "20s", 200, DAY),
    NUMBER(SPAN, watchdog_settings, start_timeout, "30s", 100, HOUR),
    NUMBER(SPAN, watchdog_settings, stop_grace, "10s", 100, HOUR),
    NUMBER(SPAN, watchdog_settings, check, "30s", 100, HOUR),
    NUMBER(COUNT, watchdog_settings, queue_depth, "10", 1, 10000000),
    NUMBER(SPAN, watchdog_settings, stale_patch, "15m", 100, YEAR),
    NUMBER(SPAN, watchdog_settings, summary_delay, "10m", 100, YEAR),
    NUMBER(COUNT, watchdog_settings, disk_free, "5", 0, 100),
    NUMBER(COUNT, watchdog_settings, inode_free, "5", 0, 100),
    NUMBER(COUNT, watchdog_settings, disk_pause, "1", 0, 100),
    NUMBER(BYTES, watchdog_settings, memory_warning, "512M", 0, TIB),
    NUMBER(COUNT, watchdog_settings, cpu_warning, "90", 0, 100),
    TEXT(watchdog_settings, "fallback", fallback, ""),
    NUMBER(SPAN, watchdog_settings, fallback_after, "1m", 100, HOUR),
    WORD(watchdog_settings, "cgroup", cgroup, "auto", "auto|off"),
    LIST(watchdog_settings, "daemons", daemons, daemon_count, daemon_settings,
	daemon_keys),
    END};

static const struct conf_key retention_keys[] = {
    NUMBER(SPAN, retention_settings, completed_age, "30d", MINUTE, 100 * YEAR),
    NUMBER(BYTES, retention_settings, completed_bytes, "1G", MIB, 100 * TIB),
    NUMBER(SPAN, retention_settings, failed_age, "90d", MINUTE, 100 * YEAR),
    NUMBER(BYTES, retention_settings, failed_bytes, "1G", MIB, 100 * TIB),
    NUMBER(SPAN, retention_settings, archive_age, "365d", MINUTE, 100 * YEAR),
    NUMBER(BYTES, retention_settings, archive_bytes, "4G", MIB, 100 * TIB),
    NUMBER(SPAN, retention_settings, transactions_age, "7d", 0, 100 * YEAR),
    NUMBER(BYTES, retention_settings, transactions_bytes, "1G", MIB, 100 * TIB),
    NUMBER(SPAN, retention_settings, summaries_age, "90d", MINUTE, 100 * YEAR),
    NUMBER(BYTES, retention_settings, summaries_bytes, "1G", MIB, 100 * TIB),
    NUMBER(SPAN, retention_settings, outcomes_age, "90d", MINUTE, 100 * YEAR),
    NUMBER(BYTES, retention_settings, outcomes_bytes, "1G", MIB, 100 * TIB),
    NUMBER(SPAN, retention_settings, bad_age, "90d", MINUTE, 100 * YEAR),
    NUMBER(BYTES, retention_settings, bad_bytes, "256M", MIB, 100 * TIB),
    NUMBER(SPAN, retention_settings, alerts_age, "30d", MINUTE, 100 * YEAR),
    NUMBER(BYTES, retention_settings, alerts_bytes, "256M", MIB, 100 * TIB),
    NUMBER(SPAN, retention_settings, inbox_age, "7d", MINUTE, 100 * YEAR),
    NUMBER(BYTES, retention_settings, inbox_bytes, "1G", MIB, 100 * TIB), END};

static const struct conf_key log_keys[] = {
    WORD(log_settings, "to", to, "files", "files|syslog|journald"),
    PATH(log_settings, "socket", socket, ""),
    PATH(log_settings, "directory", directory, "/var/log/patchflow"),
    NUMBER(BYTES, log_settings, size, "5M", 4096, TIB),
    NUMBER(COUNT, log_settings, count, "10", 1, 1000), END};

const struct conf_key settings_keys[] = {PATH(settings, "spool", spool, NULL),
    TEXT(settings, "user", user, ""),
    MANY(STRINGS, settings, "approvers", approvers),
    LIST(settings, "queues", queues, queue_count, queue_settings, queue_keys),
    SECTION(settings, bridge, bridge_keys),
    SECTION(settings, summaries, summary_keys),
    SECTION(settings, alerts, alert_keys),
    SECTION(settings, watchdog, watchdog_keys),
    SECTION(settings, retention, retention_keys),
    SECTION(settings, logs, log_keys), END};

/* The file's own absolute name, for those who hand it on. */
static int
keep_path(struct settings *s, const struct conf_file *f)
{
	const char *slash = strrchr(f->path, '/');
	char *path = xasprintf("%s/%s", strcmp(f->dir, "/") == 0 ? "" : f->dir,
	    slash != NULL ? slash + 1 : f->path);
	size_t len = strlcpy(s->path, path, sizeof(s->path));

	free(path);
	return len < sizeof(s->path) ? 0 : -1;
}

int
settings_load(struct settings *s, const char *path, struct buf *errs)
{
	struct conf_file f;
	int errors;

	memset(s, 0, sizeof(*s));
	if (conf_open(&f, path, errs) == -1)
		return -1;
	errors = conf_bind(&f, settings_keys, s);
	if (keep_path(s, &f) == -1) {
		conf_error(&f, "", "the file's path is too long");
		errors++;
	}
	/* what is missing after errors would only repeat them */
	errors += settings_check(&f, s);
	conf_close(&f);
	if (errors > 0)
		settings_free(s);
	return errors > 0 ? -1 : 0;
}

void
settings_free(struct settings *s)
{
	conf_free(settings_keys, s);
}

static bool
is_called(const struct queue_settings *q, const char *name)
{
	size_t i;

	if (q->name != NULL && strcasecmp(q->name, name) == 0)
		return true;
	for (i = 0; i < q->aliases.count; i++)
		if (strcasecmp(q->aliases.items[i], name) == 0)
			return true;
	return false;
}

const struct queue_settings *
settings_queue(const struct settings *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->queue_count; i++)
		if (is_called(&s->queues[i], name))
			return &s->queues[i];
	return NULL;
}

const struct queue_settings *
settings_default_queue(const struct settings *s)
{
	size_t i;

	for (i = 0; i < s->queue_count; i++)
		if (s->queues[i].is_default)
			return &s->queues[i];
	return NULL;
}

const char **
settings_queue_names(const struct settings *s)
{
	const char **names = xcalloc(s->queue_count + 1, sizeof(*names));
	size_t i;

	for (i = 0; i < s->queue_count; i++)
		names[i] = s->queues[i].name;
	return names;
}

int
settings_find(const char *given, char out[PATH_MAX])
{
	const char *path = given != NULL && given[0] != '\0'
			       ? given
			       : getenv("PATCHFLOW_CONFIG");

	if (path == NULL || path[0] == '\0')
		path = access("patchflow.yaml", F_OK) == 0 ? "patchflow.yaml"
							   : SYSCONFDIR
			   "/patchflow/patchflow.yaml";
	if (strlcpy(out, path, PATH_MAX) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}
