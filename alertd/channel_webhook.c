/* SPDX-License-Identifier: ISC */
/*
 * The webhook channels: libcurl's multi interface on the daemon's own loop,
 * one transfer a channel. No process and no thread of ours waits for a
 * server; one that hangs costs a socket until its timeout.
 *
 * The URL is a secret: it is read when it is needed, and neither it nor
 * libcurl's text about it is ever logged.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alertd.h"
#include "common/buf.h"
#include "common/log.h"
#include "common/version.h"

#define CONNECT_TIMEOUT_MS 10000
#define ANSWER_BYTES (64 * 1024) /* of a body that nobody reads */

/* A socket that libcurl wants watched. */
struct transfer_watch {
	struct watch watch;
	struct alertd *alertd;
};

struct webhook {
	struct alertd *alertd;
	struct channel *channel;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	char *url;
	size_t answer_bytes;
	bool headers_whole;
};

enum answer
webhook_judge(long code, bool headers_whole, bool uploaded)
{
	if (code == 0 || !headers_whole)
		return uploaded ? ANSWER_UNKNOWN : ANSWER_LATER;
	if (code >= 200 && code <= 299)
		return ANSWER_OK;
	if (code == 408 || code == 429 || code >= 500 || code < 200)
		return ANSWER_LATER;
	return ANSWER_NEVER;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *owner)
{
	struct webhook *w = owner;

	(void)bytes;
	w->answer_bytes += size * n;
	return w->answer_bytes > ANSWER_BYTES ? 0 : size * n;
}

/* A header that was cut off leaves libcurl content with what it has: only
 * the empty line says that the answer is whole. */
static size_t
on_header(char *bytes, size_t size, size_t n, void *owner)
{
	struct webhook *w = owner;
	size_t len = size * n;
	long code = 0;

	if (len == 2 && bytes[0] == '\r' && bytes[1] == '\n') {
		(void)curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &code);
		w->headers_whole = code >= 200;
	}
	return len;
}

/* The host and the last characters: enough to tell hooks apart. */
static void
name_host(const char *url, char *out, size_t size)
{
	CURLU *u = curl_url();
	char *host = NULL;
	size_t len = strlen(url);

	if (u == NULL || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		(void)strlcpy(out, "the webhook", size);
	else
		(void)snprintf(out, size, "%.60s...%s", host,
		    len > 32 ? url + len - 4 : "");
	curl_free(host);
	curl_url_cleanup(u);
}

static void
free_webhook(struct webhook *w)
{
	if (w->easy != NULL) {
		(void)curl_multi_remove_handle(w->alertd->multi, w->easy);
		curl_easy_cleanup(w->easy);
	}
	curl_slist_free_all(w->headers);
	free(w->body);
	free(w->url);
	free(w);
}

static int
add_header(struct webhook *w, const char *name, const char *value)
{
	char *line = xasprintf("%s: %s", name, value);
	struct curl_slist *more = curl_slist_append(w->headers, line);

	free(line);
	if (more == NULL)
		return -1;
	w->headers = more;
	return 0;
}

static int
set_headers(struct webhook *w, const struct delivery *d)
{
	char *key = xasprintf("\"%s\"", d->id);
	char attempt[16];
	int r;

	(void)snprintf(attempt, sizeof attempt, "%d", d->attempts);
	r = add_header(w, "Content-Type", "application/json") == -1 ||
	    add_header(w, "Idempotency-Key", key) == -1 ||
	    add_header(w, "Patchflow-Attempt", attempt) == -1 ||
	    add_header(w, "Expect", "") == -1;
	if (!r && d->repeat)
		r = add_header(w, "Patchflow-Repeat", "possible") == -1;
	free(key);
	return r ? -1 : 0;
}

static int
set_options(struct webhook *w, const struct channel *c)
{
	CURL *e = w->easy;
	CURLcode r = CURLE_OK;

#define OPTION(name, value)                                                    \
	if (r == CURLE_OK)                                                     \
	r = curl_easy_setopt(e, CURLOPT_##name, value)
	OPTION(URL, w->url);
	OPTION(PROTOCOLS_STR, "http,https");
	OPTION(FOLLOWLOCATION, 0L);
	OPTION(SSL_VERIFYPEER, 1L);
	OPTION(SSL_VERIFYHOST, 2L);
	OPTION(NOSIGNAL, 1L);
	OPTION(USERAGENT, "patchflow/" PATCHFLOW_VERSION);
	OPTION(CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	OPTION(TIMEOUT_MS, (long)c->settings->timeout);
	OPTION(POSTFIELDSIZE, (long)strlen(w->body));
	OPTION(POSTFIELDS, w->body);
	OPTION(HTTPHEADER, w->headers);
	OPTION(WRITEFUNCTION, on_body);
	OPTION(WRITEDATA, w);
	OPTION(HEADERFUNCTION, on_header);
	OPTION(HEADERDATA, w);
	OPTION(PRIVATE, w);
#undef OPTION
	return r == CURLE_OK ? 0 : -1;
}

int
webhook_send(struct alertd *a, struct channel *c, struct delivery *d,
    struct result *r)
{
	struct webhook *w = xcalloc(1, sizeof *w);
	bool slack = strcmp(c->settings->type, "slack-webhook") == 0;
	json_t *body = slack ? message_slack(d) : message_json(d);

	w->alertd = a;
	w->channel = c;
	r->answer = ANSWER_LATER;
	w->body = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	w->url = settings_secret(c->settings->url, c->settings->url_file,
	    r->error, sizeof r->error);
	w->easy = curl_easy_init();
	if (w->url == NULL || w->easy == NULL || w->body == NULL ||
	    set_headers(w, d) == -1 || set_options(w, c) == -1 ||
	    curl_multi_add_handle(a->multi, w->easy) != CURLM_OK) {
		if (r->error[0] == '\0')
			(void)strlcpy(r->error, "no request could be made",
			    sizeof r->error);
		free_webhook(w);
		return -1;
	}
	c->webhook = w;
	return 0;
}

static void
read_result(struct webhook *w, CURLcode code, struct result *r)
{
	curl_off_t sent = 0, wait_s = 0;
	char host[80];

	(void)curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &r->code);
	(void)curl_easy_getinfo(w->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void)curl_easy_getinfo(w->easy, CURLINFO_RETRY_AFTER, &wait_s);
	r->answer = webhook_judge(r->code, w->headers_whole,
	    (size_t)sent >= strlen(w->body));
	if (wait_s > 0)
		r->retry_after_ms = wait_s > RETRY_AFTER_MAX_MS / 1000
					? RETRY_AFTER_MAX_MS
					: (int64_t)wait_s * 1000;
	if (r->answer == ANSWER_OK)
		return;
	name_host(w->url, host, sizeof host);
	if (r->code != 0 && w->headers_whole)
		(void)snprintf(r->error, sizeof r->error, "%s answered %ld",
		    host, r->code);
	else
		(void)snprintf(r->error, sizeof r->error, "%s: %s%s", host,
		    curl_easy_strerror(code),
		    r->answer == ANSWER_UNKNOWN ? ", no whole answer came"
						: "");
}

static void
reap(struct alertd *a)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(a->multi, &left)) != NULL) {
		struct webhook *w = NULL;
		struct result r = {.answer = ANSWER_LATER};
		struct channel *c;

		if (m->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &w) !=
			CURLE_OK)
			continue;
		read_result(w, m->data.result, &r);
		c = w->channel;
		c->webhook = NULL;
		free_webhook(w);
		channel_done(a, c, &r);
	}
}

static void
act(struct alertd *a, curl_socket_t fd, int mask)
{
	int running;

	if (curl_multi_socket_action(a->multi, fd, mask, &running) != CURLM_OK)
		log_warnx("libcurl: socket action failed");
	reap(a);
}

static void
on_socket(struct loop *l, struct watch *w, short revents)
{
	struct transfer_watch *t = w->owner;
	int mask = 0;

	(void)l;
	if (revents & (POLLIN | POLLHUP))
		mask |= CURL_CSELECT_IN;
	if (revents & POLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (revents & (POLLERR | POLLNVAL))
		mask |= CURL_CSELECT_ERR;
	act(t->alertd, w->fd, mask);
}

/* libcurl says what it wants to know of a socket. */
static int
on_interest(CURL *easy, curl_socket_t fd, int what, void *owner, void *known)
{
	struct alertd *a = owner;
	struct transfer_watch *t = known;

	(void)easy;
	if (t != NULL)
		loop_unwatch(&a->loop, &t->watch);
	if (what == CURL_POLL_REMOVE) {
		free(t);
		return 0;
	}
	if (t == NULL) {
		t = xcalloc(1, sizeof *t);
		t->alertd = a;
		t->watch.on = on_socket;
		t->watch.owner = t;
		(void)curl_multi_assign(a->multi, fd, t);
	}
	t->watch.fd = fd;
	t->watch.events = 0;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		t->watch.events |= POLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		t->watch.events |= POLLOUT;
	loop_watch(&a->loop, &t->watch);
	return 0;
}

static int
on_timeout(CURLM *multi, long ms, void *owner)
{
	struct alertd *a = owner;

	(void)multi;
	if (ms < 0)
		loop_cancel(&a->loop, &a->curl_timer);
	else
		loop_after(&a->loop, &a->curl_timer, ms);
	return 0;
}

static void
on_curl_timer(struct loop *l, struct timer *t)
{
	(void)l;
	act(t->owner, CURL_SOCKET_TIMEOUT, 0);
}

int
webhook_open(struct alertd *a)
{
	a->curl_timer.on = on_curl_timer;
	a->curl_timer.owner = a;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -1;
	a->multi = curl_multi_init();
	if (a->multi == NULL)
		return -1;
	(void)curl_multi_setopt(a->multi, CURLMOPT_SOCKETFUNCTION, on_interest);
	(void)curl_multi_setopt(a->multi, CURLMOPT_SOCKETDATA, a);
	(void)curl_multi_setopt(a->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	(void)curl_multi_setopt(a->multi, CURLMOPT_TIMERDATA, a);
	return 0;
}

void
webhook_close(struct alertd *a)
{
	size_t i;

	for (i = 0; i < a->channel_count; i++) {
		if (a->channels[i].webhook != NULL)
			free_webhook(a->channels[i].webhook);
		a->channels[i].webhook = NULL;
	}
	(void)curl_multi_cleanup(a->multi);
	curl_global_cleanup();
}
