/* SPDX-License-Identifier: ISC */
/* Names: ids to keys to file names and back. Pure. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "common/digest.h"
#include "common/key.h"
#include "common/utf8.h"

#define TIME_DIGITS 16 /* microseconds: good until the year 2286 */
#define HASH_DIGITS 8
#define SLUG_AT (TIME_DIGITS + 1)
#define SLUG_CHARS                                                             \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define SUMMARY_PREFIX "summary-"

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

bool
key_queue_valid(const char *queue)
{
	/* The spool's own directories stand beside the queues'. */
	static const char *const taken[] = {"inbox", "bad", "corrupt", "alerts",
	    "ids", "journal", "state", "run"};
	size_t len = strlen(queue);

	if (len == 0 || len > QUEUE_MAX || strspn(queue, SLUG_CHARS) != len ||
	    strchr(queue, '.') != NULL)
		return false;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strcasecmp(queue, taken[i]) == 0)
			return false;
	return true;
}

bool
key_id_valid(const char *id)
{
	size_t len = strnlen(id, ID_MAX + 1);
	json_t *utf8;

	if (len == 0 || len > ID_MAX || utf8_has_tricky(id))
		return false;
	utf8 = json_stringn(id, len); /* NULL unless valid UTF-8 */
	json_decref(utf8);
	return utf8 != NULL;
}

void
key_slug(const char *id, char out[SLUG_MAX + 1])
{
	size_t i;

	for (i = 0; i < SLUG_MAX && id[i] != '\0'; i++) {
		bool keep = strchr(SLUG_CHARS, id[i]) != NULL &&
			    (i > 0 || id[i] != '.');
		out[i] = '_';
		if (keep)
			out[i] = id[i];
	}
	out[i] = '\0';
}

void
key_hash8(const char *id, char out[HASH_DIGITS + 1])
{
	char digest[DIGEST_SIZE];

	digest_bytes(id, strlen(id), digest);
	memcpy(out, digest, HASH_DIGITS);
	out[HASH_DIGITS] = '\0';
}

void
key_make(int64_t time_us, const char *id, char out[KEY_SIZE])
{
	char slug[SLUG_MAX + 1], hash[HASH_DIGITS + 1];

	key_slug(id, slug);
	key_hash8(id, hash);
	(void)snprintf(out, KEY_SIZE, "%016" PRId64 "-%s-%s", time_us, slug,
	    hash);
}

static bool
all_of(const char *s, size_t len, const char *chars)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] == '\0' || strchr(chars, s[i]) == NULL)
			return false;
	return true;
}

/* SLUG-HASH8 in the first len bytes of s. */
static bool
slug_hash_valid(const char *s, size_t len)
{
	size_t slug;

	if (len < 1 + 1 + HASH_DIGITS || len > SLUG_MAX + 1 + HASH_DIGITS)
		return false;
	slug = len - 1 - HASH_DIGITS;
	return s[0] != '.' && all_of(s, slug, SLUG_CHARS) && s[slug] == '-' &&
	       all_of(s + slug + 1, HASH_DIGITS, "0123456789abcdef");
}

static bool
key_span_valid(const char *key, size_t len)
{
	return len > SLUG_AT && all_of(key, TIME_DIGITS, "0123456789") &&
	       key[TIME_DIGITS] == '-' &&
	       slug_hash_valid(key + SLUG_AT, len - SLUG_AT);
}

bool
key_valid(const char *key)
{
	return key_span_valid(key, strnlen(key, KEY_SIZE));
}

int64_t
key_time_us(const char *key)
{
	char digits[TIME_DIGITS + 1];

	if (!key_valid(key))
		return -1;
	memcpy(digits, key, TIME_DIGITS);
	digits[TIME_DIGITS] = '\0';
	return strtoll(digits, NULL, 10);
}

bool
key_is_of(const char *key, const char *id)
{
	char made[KEY_SIZE];

	if (!key_valid(key))
		return false;
	key_make(0, id, made);
	return strcmp(key + SLUG_AT, made + SLUG_AT) == 0;
}

/*
 * "N" of exactly len digits without a leading zero, within least..ATTEMPT_MAX;
 * or 0.
 */
static int
attempt_of(const char *s, size_t len, int least)
{
	int n = 0;

	if (len == 0 || len > 4 || s[0] == '0' || !all_of(s, len, "0123456789"))
		return 0;
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (s[i] - '0');
	return n >= least ? n : 0;
}

/* The length of name without suffix, or 0 where it does not end so. */
static size_t
stem(const char *name, const char *suffix)
{
	size_t len = strnlen(name, NAME_SIZE), tail = strlen(suffix);

	if (len >= NAME_SIZE || len <= tail ||
	    strcmp(name + len - tail, suffix) != 0)
		return 0;
	return len - tail;
}

bool
key_txn_valid(const char *name)
{
	size_t len = strnlen(name, NAME_SIZE), span = strcspn(name, ",");

	return span < len && len < NAME_SIZE && key_span_valid(name, span) &&
	       attempt_of(name + span + 1, len - span - 1, 1) > 0;
}

void
key_outcome_file(const char *key, int attempt, char out[NAME_SIZE])
{
	(void)snprintf(out, NAME_SIZE, "%s,%d.json", key, attempt);
}

int
key_parse_outcome_file(const char *name, char key[KEY_SIZE], int *attempt)
{
	size_t len = stem(name, ".json"), span = strcspn(name, ",");
	int n;

	if (len == 0 || span >= len || span >= KEY_SIZE ||
	    !key_span_valid(name, span))
		return invalid();
	n = attempt_of(name + span + 1, len - span - 1, 1);
	if (n == 0)
		return invalid();
	memcpy(key, name, span);
	key[span] = '\0';
	*attempt = n;
	return 0;
}

void
key_queue_file(const struct queue_name *n, char out[NAME_SIZE])
{
	(void)snprintf(out, NAME_SIZE, "%d-%s,%d.json", n->digit, n->key,
	    n->attempt);
}

int
key_parse_queue_file(const char *name, struct queue_name *n)
{
	struct queue_name parsed;

	if (!isdigit((unsigned char)name[0]) || name[1] != '-' ||
	    key_parse_outcome_file(name + 2, parsed.key, &parsed.attempt) == -1)
		return invalid();
	parsed.digit = name[0] - '0';
	*n = parsed;
	return 0;
}

void
key_summary_file(const char *key, int attempt, char out[NAME_SIZE])
{
	const char *slug_hash = key + SLUG_AT;

	if (attempt == 1)
		(void)snprintf(out, NAME_SIZE, SUMMARY_PREFIX "%s.md",
		    slug_hash);
	else
		(void)snprintf(out, NAME_SIZE, SUMMARY_PREFIX "%s.%d.md",
		    slug_hash, attempt);
}

int
key_parse_summary_file(const char *name, char slug_hash[KEY_SIZE], int *attempt)
{
	const size_t prefix = strlen(SUMMARY_PREFIX);
	size_t len = stem(name, ".md"), span;
	const char *dot;
	int n = 1;

	if (len <= prefix || strncmp(name, SUMMARY_PREFIX, prefix) != 0)
		return invalid();
	name += prefix;
	span = len -= prefix;
	/* A slug may hold dots itself, but a hash never does. */
	dot = memrchr(name, '.', len);
	if (dot != NULL && !slug_hash_valid(name, len)) {
		span = (size_t)(dot - name);
		n = attempt_of(dot + 1, len - span - 1, 2);
	}
	if (n == 0 || !slug_hash_valid(name, span))
		return invalid();
	memcpy(slug_hash, name, span);
	slug_hash[span] = '\0';
	*attempt = n;
	return 0;
}

int
key_parse_ref(const char *ref, char id[ID_MAX + 1], char queue[QUEUE_MAX + 1])
{
	const char *at = strrchr(ref, '@');
	size_t len = strlen(ref);

	queue[0] = '\0';
	if (at != NULL && at != ref && key_queue_valid(at + 1)) {
		len = (size_t)(at - ref);
		memcpy(queue, at + 1, strlen(at + 1) + 1);
	}
	if (len > ID_MAX)
		return invalid();
	memcpy(id, ref, len);
	id[len] = '\0';
	return key_id_valid(id) ? 0 : invalid();
}
