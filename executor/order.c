/* SPDX-License-Identifier: ISC */
/* The order of a jail made ahead, written and read. */
#include <sys/stat.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/spool.h"
#include "executor/order.h"
#include "executor/pathjson.h"
#include "executor/start.h"

static json_t *
encode_masks(char *const *masks)
{
	json_t *list = json_array();

	for (size_t i = 0; masks != NULL && masks[i] != NULL; i++) {
		json_t *mask = json_object();

		pathjson_put(mask, masks[i]);
		json_array_append_new(list, mask);
	}
	return list;
}

/* The job's own fields beside ours: no deeper than the queue's file, which has
 * been read. */
static json_t *
encode(const struct executor *ex, char *const *masks)
{
	const struct run *r = &ex->run;
	json_t *doc = job_encode(&r->job);
	json_t *jail = json_object();

	pathjson_put(jail, r->path);
	json_object_set_new(jail, "masks", encode_masks(masks));
	json_object_set_new(jail, "others", json_integer(r->worker.others));
	json_object_set_new(jail, "grouped",
	    json_boolean(r->plan.limits.grouped));
	json_object_set_new(doc, "jail", jail);
	return doc;
}

int
order_write(int fd, const struct executor *ex, char *const *masks)
{
	json_t *doc = encode(ex, masks);
	char *text = json_dumps(doc, JSON_COMPACT);
	int answer = -1;

	json_decref(doc);
	if (text == NULL)
		errno = EINVAL;
	else
		answer = spool_write(fd, text, strlen(text));
	free(text);
	return answer;
}

static json_t *
read_all(int fd)
{
	struct stat st;
	json_t *doc = NULL;
	char *text;

	if (fstat(fd, &st) == -1)
		return NULL;
	text = xmalloc((size_t)st.st_size + 1);
	if (pread(fd, text, (size_t)st.st_size, 0) == st.st_size)
		doc =
		    json_loadb(text, (size_t)st.st_size, JSON_ALLOW_NUL, NULL);
	free(text);
	return doc;
}

static char **
take_masks(const json_t *list)
{
	char **masks = xcalloc(json_array_size(list) + 1, sizeof(*masks));
	const json_t *mask;
	size_t i;

	json_array_foreach (list, i, mask) {
		masks[i] = pathjson_take(mask);
		if (masks[i] == NULL)
			return NULL;
	}
	return masks;
}

/* What the executor has decided already, from the same document. */
static int
take_job(struct run *r, const struct queue_settings *q, const json_t *doc,
    const json_t *jail)
{
	char *path = pathjson_take(jail);

	if (path == NULL || job_decode(doc, &r->job) == -1)
		return -1;
	(void)strlcpy(r->path, path, sizeof(r->path));
	free(path);
	return plan_make(r->job.patch, q, &r->plan, &r->fault);
}

/* Nothing of it is freed: the process that it is for ends with it. */
int
order_accept(void *owner, struct jail_spec *spec, int fd)
{
	struct executor *ex = owner;
	struct run *r = &ex->run;
	json_t *doc = read_all(fd);
	const json_t *jail = json_incref(json_object_get(doc, "jail"));

	memset(r, 0, sizeof(*r));
	r->way = spec->way;
	errno = EINVAL;
	spec->masks = take_masks(json_object_get(jail, "masks"));
	if (spec->masks == NULL || json_object_del(doc, "jail") == -1 ||
	    take_job(r, ex->queue, doc, jail) == -1)
		return -1;
	r->plan.limits.grouped = json_is_true(json_object_get(jail, "grouped"));
	if (!r->plan.limits.grouped)
		spec->cgroup = NULL;
	start_worker(ex);
	r->worker.others = json_integer_value(json_object_get(jail, "others"));
	spec->network = r->plan.network;
	spec->limits = &r->plan.limits;
	spec->txn = r->path;
	spec->owner = &r->worker;
	return 0;
}
