/* SPDX-License-Identifier: ISC */
/* Base hashes, and the versions that mutations begin with. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/basis.h"
#include "executor/beneath.h"
#include "executor/mutate.h"
#include "executor/pathjson.h"
#include "executor/report.h"
#include "executor/utf8.h"

#define TEXT_MAX (64u << 10)  /* of one file that is told with its text */
#define TEXTS_MAX (1u << 20)  /* of all */
#define HASH_MAX (16LL << 20) /* larger files are not read once more */

static int
refuse(const struct plan_base *b, const struct conflict_side *now,
    struct fault *f)
{
	if (strcmp(b->sha256, "absent") == 0)
		return fault_fail(f, OUTCOME_CONFLICT,
		    "%s exists, base says that it does not", b->path);
	if (strcmp(now->hash, "absent") == 0)
		return fault_fail(f, OUTCOME_CONFLICT,
		    "%s of base does not exist", b->path);
	if (now->hash[0] == '\0')
		return fault_fail(f, OUTCOME_CONFLICT,
		    "%s of base cannot be read", b->path);
	(void)fault_fail(f, OUTCOME_CONFLICT,
	    "%s is not the file that base names: its sha256 is %s", b->path,
	    now->hash);
	fault_hint(f, "read the file again and make the patch for what is "
		      "there now");
	return -1;
}

/* In the view, which is dropped anyway: what the patch would write. */
static void
stage_path(struct worker *w, const char *path)
{
	for (size_t i = 0; i < w->plan->step_count; i++) {
		const struct plan_step *s = &w->plan->steps[i];
		struct fault none = {0};
		int answer = 0;

		if (s->kind != PLAN_COMMAND && strcmp(s->path, path) == 0)
			answer =
			    mutate_step(w->root, s, w->plan->file_size, &none);
		fault_free(&none);
		if (answer == -1)
			return;
	}
}

static bool
is_staged(const struct worker *w, const char *path)
{
	for (size_t i = 0; i < w->plan->step_count; i++) {
		if (w->plan->steps[i].kind != PLAN_COMMAND &&
		    strcmp(w->plan->steps[i].path, path) == 0)
			return true;
	}
	return false;
}

static void
note(struct worker *w, const struct plan_base *b,
    const struct conflict_side *now, struct fault *f)
{
	struct conflict_side sides[3] = {{.why = "not known"}, *now,
	    {.why = "not known"}};

	(void)strlcpy(sides[0].hash, b->sha256, sizeof(sides[0].hash));
	if (strcmp(b->sha256, "absent") == 0)
		sides[0].text = xstrdup("");
	if (is_staged(w, b->path)) {
		stage_path(w, b->path);
		conflict_read(w->root, b->path, &sides[2]);
	}
	conflict_add(f, b->path, "is not what base names", sides);
	conflict_side_free(&sides[0]);
	conflict_side_free(&sides[2]);
}

static int
check_one(struct worker *w, const struct plan_base *b, struct fault *f)
{
	struct conflict_side now;
	int answer = 0;

	conflict_read(w->root, b->path, &now);
	if (strcmp(now.hash, b->sha256) != 0) {
		answer = refuse(b, &now, f);
		note(w, b, &now, f);
	}
	conflict_side_free(&now);
	return answer;
}

int
basis_check(struct worker *w, struct fault *f)
{
	int answer = 0;

	for (size_t i = 0; i < w->plan->base_count; i++) {
		if (check_one(w, &w->plan->bases[i], f) == -1)
			answer = -1;
	}
	return answer;
}

static bool
may_tell_text(const struct worker *w, const struct conflict_side *s)
{
	size_t bad;

	return s->text != NULL && s->len <= TEXT_MAX &&
	       w->basis_bytes + s->len <= TEXTS_MAX &&
	       utf8_valid(s->text, s->len, &bad);
}

static bool
is_huge(const struct worker *w, const char *path)
{
	struct stat st;

	return beneath_stat(w->root, path, &st) == 1 && S_ISREG(st.st_mode) &&
	       st.st_size > HASH_MAX;
}

static void
tell(struct worker *w, const char *path)
{
	struct conflict_side s;
	json_t *doc;

	if (w->basis == NULL)
		w->basis = json_object();
	if (json_object_get(w->basis, path) != NULL || is_huge(w, path))
		return;
	json_object_set_new(w->basis, path, json_true());
	conflict_read(w->root, path, &s);
	doc = json_pack("{s:s,s:s}", "path", path, "sha256", s.hash);
	if (may_tell_text(w, &s)) {
		w->basis_bytes += s.len;
		json_object_set_new(doc, "text", json_stringn(s.text, s.len));
	} else if (s.why != NULL) {
		json_object_set_new(doc, "why", json_string(s.why));
	}
	conflict_side_free(&s);
	report_later(w->report, "basis", doc);
}

void
basis_tell(struct worker *w, const struct plan_step *s)
{
	tell(w, s->path);
	if (s->kind == PLAN_RENAME)
		tell(w, s->to);
}

void
basis_take(json_t **bases, json_t *doc)
{
	const char *path = json_string_value(json_object_get(doc, "path"));

	if (*bases == NULL)
		*bases = json_object();
	if (path != NULL)
		json_object_set(*bases, path, doc);
}

void
basis_put(json_t *bases, const char *path, const json_t *sha256)
{
	const char *hash = json_string_value(sha256);
	char *key = pathjson_key(path);

	json_object_set_new(bases, key,
	    json_pack("{s:s}", "sha256", hash != NULL ? hash : "absent"));
	free(key);
}

void
basis_find(const json_t *bases, const char *path, struct conflict_side *s)
{
	char *key = pathjson_key(path);
	const json_t *doc = json_object_get(bases, key);
	const json_t *text = json_object_get(doc, "text");
	const char *hash = json_string_value(json_object_get(doc, "sha256"));

	*s = (struct conflict_side){.why = "not known"};
	if (hash != NULL)
		(void)strlcpy(s->hash, hash, sizeof(s->hash));
	if (json_is_string(text)) {
		s->len = json_string_length(text);
		s->text = xstrndup(json_string_value(text), s->len);
	}
	free(key);
}
