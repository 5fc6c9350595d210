/* SPDX-License-Identifier: ISC */
/*
 * patchflow.yaml as structs. settings.c holds the one table of its keys with
 * types, defaults and bounds (conf.h binds them); patchflow.yaml(5) documents
 * each, and a lint test holds the two together. A daemon reads the sections
 * that concern it and never another file.
 *
 * Relative paths are made absolute against the file's directory. Spans are
 * milliseconds, sizes bytes.
 */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include <limits.h>
#include <stdbool.h>

#include "common/conf.h"
#include "common/key.h"
#include "common/settings_daemon.h"
#include "common/settings_rule.h"

struct queue_settings {
	char *name;
	struct conf_strings aliases;
	char *workspace;
	struct conf_pairs path_map; /* absolute path in patches -> real one */
	bool is_default;
	struct conf_strings gates;     /* commands every patch must pass */
	struct conf_strings protected; /* globs below the workspace */
	struct conf_strings expose;    /* read-only paths shown to commands */
	struct conf_strings env;       /* names of variables passed through */
	char *run_as;                  /* "" : owner of the workspace */
	char *staging;                 /* "" : chosen, see executor(8) */
	char *isolation;         /* "auto", "overlay", "copy", "mutations" */
	char *require_isolation; /* "" or "overlay" */
	char *hard_links;        /* "refuse" or "split" */
	char *stale_reads;       /* "warn", "conflict" or "ignore" */
	bool network;
	int64_t timeout, command_timeout;
	int64_t memory, processes;
	int64_t file_size, cpu_time, disk;
	int64_t attempts, ageing;      /* see executor(8) */
	char *approve;                 /* "never", "shell", "always" */
	struct conf_strings approvers; /* users and @groups */
	size_t rule_count;
	struct rule_settings *rules;
	char *git_name, *git_email;
};

struct source_settings {
	char *type; /* "transcript" */
	char *name; /* by default the path's last part; never "" here */
	char *path;
	char *conversation;
	char *queue;                 /* "" : the default queue */
	struct conf_strings authors; /* empty: everybody */
};

struct bridge_settings {
	int64_t poll;
	int64_t settle;       /* a dropped file must be stable for this long */
	int64_t stale_block;  /* an open block older than this is an alert */
	int64_t document_max; /* bytes of one document */
	size_t source_count;
	struct source_settings *sources;
};

struct destination_settings {
	char *name; /* as a source's */
	char *type; /* "directory", "append" */
	char *path;
};

struct summary_settings {
	int64_t diff_bytes;
	int64_t output_bytes;
	int64_t retry;   /* between delivery attempts, doubling */
	int64_t give_up; /* after this a delivery is failed */
	size_t destination_count;
	struct destination_settings *destinations;
};

struct channel_settings {
	char *name;
	char *type; /* "file", "webhook", "slack-webhook" */
	char *path;
	char *url;      /* or "env:NAME" */
	char *url_file; /* first line holds the URL */
	char *severity; /* least severity that is sent: "info" ... */
	int64_t timeout;
};

struct alert_settings {
	int64_t dedupe;
	int64_t retry; /* first backoff, doubling */
	int64_t retry_max;
	int64_t lifetime; /* then dead/ */
	size_t channel_count;
	struct channel_settings *channels;
};

struct watchdog_settings {
	int64_t heartbeat;
	int64_t hang; /* no progress for this long: replaced */
	int64_t start_timeout, stop_grace;
	int64_t check; /* between looks at the queues */
	int64_t queue_depth;
	int64_t stale_patch;
	int64_t summary_delay;
	int64_t disk_free, inode_free; /* percent */
	int64_t disk_pause;            /* percent; 0: never */
	int64_t memory_warning;        /* bytes; 0: never */
	int64_t cpu_warning;           /* percent; 0: never */
	char *cgroup;                  /* "auto" or "off" */
	char *fallback;                /* a command, "" : none */
	int64_t fallback_after;
	size_t daemon_count;
	struct daemon_settings *daemons;
};

struct retention_settings {
	int64_t completed_age, completed_bytes;
	int64_t failed_age, failed_bytes;
	int64_t archive_age, archive_bytes;
	int64_t transactions_age, transactions_bytes;
	int64_t summaries_age, summaries_bytes;
	int64_t outcomes_age, outcomes_bytes;
	int64_t bad_age, bad_bytes;
	int64_t alerts_age, alerts_bytes;
	int64_t inbox_age, inbox_bytes;
};

struct log_settings {
	char *to, *socket; /* files, syslog, journald; "" : the usual one */
	char *directory;   /* "" : the daemons' stderr is the watchdog's */
	int64_t size, count;
};

struct settings {
	char *spool;
	char *user; /* of the daemons that need no rights; "" : none */
	struct conf_strings approvers; /* of queues that name none */
	size_t queue_count;
	struct queue_settings *queues;
	struct bridge_settings bridge;
	struct summary_settings summaries;
	struct alert_settings alerts;
	struct watchdog_settings watchdog;
	struct retention_settings retention;
	struct log_settings logs;
	char path[PATH_MAX]; /* of the file, absolute */
};

/* Every key, for the lint test and check-config. */
extern const struct conf_key settings_keys[];

/*
 * 0, or -1 with every error in errs ("FILE:LINE: reason" lines). Checks
 * across keys too: exactly one default queue (the only one is it), names and
 * aliases unique, equal or nested workspaces, destinations that are sources.
 */
int settings_load(struct settings *s, const char *path, struct buf *errs);
void settings_free(struct settings *s);
/* By name or alias, case-insensitively; NULL. */
const struct queue_settings *settings_queue(const struct settings *s,
    const char *name);
const struct queue_settings *settings_default_queue(const struct settings *s);
/* The queues' names, NULL-terminated; the caller frees the array. */
const char **settings_queue_names(const struct settings *s);
/*
 * A secret that is given as text, as "env:NAME", or (value "") as the first
 * line of file. The caller frees; NULL with the reason in why. Read late, so
 * that a process that does not use it need not have it.
 */
char *settings_secret(const char *value, const char *file, char *why,
    size_t why_size);
/* -c, else $PATCHFLOW_CONFIG, else ./patchflow.yaml, else SYSCONFDIR's. */
int settings_find(const char *given, char out[PATH_MAX]);

#endif
