/* SPDX-License-Identifier: ISC */
#include "ctl/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/extract.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/out.h"

static int
drain(int fd, struct buf *text)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		buf_add(text, chunk, (size_t)n);
		if (text->len > INPUT_MAX) {
			errno = EFBIG;
			return -1;
		}
	}
	return 0;
}

int
input_load(struct input *in, const char *name)
{
	bool piped = strcmp(name, "-") == 0;
	int fd = piped ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	int answer;

	memset(in, 0, sizeof(*in));
	in->name = piped ? "stdin" : name;
	answer = fd != -1 ? drain(fd, &in->text) : -1;
	if (answer == -1)
		ctl_say("%s: %s", in->name, strerror(errno));
	if (fd != -1 && !piped)
		(void)close(fd);
	buf_add(&in->text, "", 0); /* never NULL */
	return answer;
}

int
input_read(struct input *in, const char *name)
{
	if (input_load(in, name) == -1)
		return -1;
	patch_read(in->text.bytes, in->text.len, &in->patch, &in->err);
	return 0;
}

void
input_free(struct input *in)
{
	patch_result_free(&in->patch);
	buf_free(&in->text);
}

/* Does the text hold fenced code, as chats and Markdown do? */
static bool
looks_like_chat(const struct input *in)
{
	struct extract_state st = {0};
	struct extract_result found = {0};
	bool fenced = false;
	size_t i;

	extract_text(in->text.bytes, in->text.len, true, &st, &found);
	for (i = 0; i < found.count; i++)
		if (found.blocks[i].kind == EXTRACT_FENCED)
			fenced = true;
	extract_free(&found);
	return fenced;
}

json_t *
input_describe(const struct input *in)
{
	const struct patch_result *p = &in->patch;
	json_t *j =
	    json_pack("{s:o, s:b, s:s, s:b, s:s, s:O?, s:O?, s:O?}", "file",
		text_json(in->name), "ok", p->reason == PATCH_OK, "id", p->id,
		"id_declared", p->id_declared, "digest", p->digest, "targets",
		p->targets, "warnings", p->warnings, "canonical", p->canonical);

	if (p->reason == PATCH_OK)
		return j;
	json_object_set_new(j, "reason",
	    json_string(patch_reason_name[p->reason]));
	json_object_set_new(j, "error", json_string(p->error));
	json_object_set_new(j, "hint", json_string(p->hint));
	json_object_set_new(j, "path", json_string(p->path));
	json_object_set_new(j, "line", json_integer(in->err.line));
	json_object_set_new(j, "column", json_integer(in->err.column));
	return j;
}

static void __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	out_complain(text.bytes);
	buf_free(&text);
}

void
input_complain(const struct input *in)
{
	complain("%s:%d:%d: %s (%s)", in->name,
	    in->err.line > 0 ? in->err.line : 1,
	    in->err.column > 0 ? in->err.column : 1, in->patch.error,
	    patch_reason_name[in->patch.reason]);
	if (in->patch.hint[0] != '\0')
		complain("%s: hint: %s", in->name, in->patch.hint);
	if (in->patch.reason == PATCH_MALFORMED && looks_like_chat(in))
		complain("%s: hint: a chat or Markdown; try "
			 "`patchflow extract %s`",
		    in->name, in->name);
}
