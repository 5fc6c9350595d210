/* SPDX-License-Identifier: ISC */
/* Spool files: what is put is read back, and nothing else is believed. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/digest.h"
#include "common/spool.h"
#include "tests/unit/scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define MANY 1000

struct box_of_test {
	struct scratch scratch;
	int tmp, dst, other;
	json_t *doc;
};

static int
open_boxes(void **state)
{
	struct box_of_test *b = calloc(1, sizeof(*b));

	if (b == NULL || scratch_open(&b->scratch) == -1)
		return -1;
	b->tmp = scratch_dir(&b->scratch, "tmp");
	b->dst = scratch_dir(&b->scratch, "new");
	b->other = scratch_dir(&b->scratch, "cur");
	b->doc =
	    json_pack("{s:s,s:[i,f]}", "a", "b\nc\xe2\x82\xac", "n", 1, 0.1);
	*state = b;
	return 0;
}

static int
close_boxes(void **state)
{
	struct box_of_test *b = *state;

	(void)close(b->tmp);
	(void)close(b->dst);
	(void)close(b->other);
	json_decref(b->doc);
	scratch_close(&b->scratch);
	free(b);
	return 0;
}

static void
reads_back_what_it_put(void **state)
{
	struct box_of_test *b = *state;
	struct stat st;
	json_t *doc;
	mode_t old = umask(077);

	assert_int_equal(spool_put_json(b->tmp, b->dst, "x.json", b->doc),
	    SPOOL_DONE);
	(void)umask(old);
	assert_int_equal(spool_read_json(b->dst, "x.json", &doc), 1);
	assert_true(json_equal(doc, b->doc));
	json_decref(doc);
	assert_int_equal(fstatat(b->dst, "x.json", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(scratch_count(b->tmp), 0);
}

static void
puts_over_nothing(void **state)
{
	struct box_of_test *b = *state;
	json_t *doc, *other = json_pack("{s:i}", "other", 1);

	assert_int_equal(spool_put_json(b->tmp, b->dst, "x", b->doc),
	    SPOOL_DONE);
	assert_int_equal(spool_put_json(b->tmp, b->dst, "x", other),
	    SPOOL_EXISTS);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(spool_read_json(b->dst, "x", &doc), 1);
	assert_true(json_equal(doc, b->doc));
	json_decref(doc);
	assert_int_equal(scratch_count(b->tmp), 0);
	assert_int_equal(spool_replace_json(b->tmp, b->dst, "x", other),
	    SPOOL_DONE);
	assert_int_equal(spool_read_json(b->dst, "x", &doc), 1);
	assert_true(json_equal(doc, other));
	json_decref(doc);
	json_decref(other);
}

static void
refuses_names_that_leave_the_directory(void **state)
{
	static const char *const names[] = {"", ".", "..", ".x", "a/b", "../x",
	    "/tmp/x"};
	struct box_of_test *b = *state;

	for (size_t i = 0; i < LENGTH(names); i++) {
		errno = 0;
		assert_int_equal(spool_put(b->tmp, b->dst, names[i], "", 0),
		    SPOOL_REFUSED);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(spool_move(b->dst, "x", b->other, names[i]),
		    SPOOL_REFUSED);
		assert_int_equal(spool_stage_json(b->tmp, names[i], b->doc),
		    SPOOL_REFUSED);
	}
	assert_int_equal(scratch_count(b->tmp), 0);
}

static void
moves_over_nothing(void **state)
{
	struct box_of_test *b = *state;

	assert_int_equal(spool_put(b->tmp, b->dst, "a", "1", 1), SPOOL_DONE);
	assert_int_equal(spool_put(b->tmp, b->dst, "b", "2", 1), SPOOL_DONE);
	assert_int_equal(spool_move(b->dst, "a", b->other, NULL), SPOOL_DONE);
	assert_int_equal(spool_move(b->dst, "a", b->other, NULL),
	    SPOOL_REFUSED);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(spool_move(b->dst, "b", b->other, "a"), SPOOL_EXISTS);
	assert_true(spool_exists(b->dst, "b"));
	assert_int_equal(spool_move(b->dst, "b", b->dst, "c"), SPOOL_DONE);
	assert_int_equal(spool_remove(b->dst, "c"), SPOOL_DONE);
	assert_int_equal(spool_remove(b->dst, "c"), SPOOL_DONE);
}

static void
replaces_what_was_staged_before(void **state)
{
	struct box_of_test *b = *state;
	json_t *doc;

	assert_int_equal(scratch_file(b->tmp, "x", "half a doc"), 0);
	assert_int_equal(spool_stage_json(b->tmp, "x", b->doc), SPOOL_DONE);
	assert_int_equal(spool_publish(b->tmp, b->dst, "x"), SPOOL_DONE);
	assert_int_equal(spool_publish(b->tmp, b->dst, "x"), SPOOL_REFUSED);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(spool_read_json(b->dst, "x", &doc), 1);
	json_decref(doc);
}

/* What somebody may have planted under the name "x". */
static void
plant(const struct box_of_test *b, int kind)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd;

	assert_int_equal(scratch_file(b->other, "secret", "root:x:0"), 0);
	switch (kind) {
	case 0:
		assert_int_equal(symlinkat("../cur/secret", b->dst, "x"), 0);
		break;
	case 1:
		assert_int_equal(linkat(b->other, "secret", b->dst, "x", 0), 0);
		break;
	case 2:
		assert_int_equal(mkfifoat(b->dst, "x", 0666), 0);
		break;
	case 3:
		assert_int_equal(mkdirat(b->dst, "x", 0777), 0);
		break;
	case 4:
		assert_int_equal(symlinkat("/dev/zero", b->dst, "x"), 0);
		break;
	default:
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		(void)snprintf(un.sun_path, sizeof(un.sun_path),
		    "/proc/self/fd/%d/x", b->dst);
		assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)),
		    0);
		(void)close(fd);
	}
}

static void
does_not_read_what_was_planted(void **state)
{
	struct box_of_test *b = *state;
	struct spool_file f;

	for (int kind = 0; kind <= 5; kind++) {
		plant(b, kind);
		errno = 0;
		assert_int_equal(
		    spool_read(b->dst, "x", SPOOL_FILE_MAX, true, &f), -1);
		assert_int_equal(errno, EPERM);
		assert_int_equal(
		    unlinkat(b->dst, "x", kind == 3 ? AT_REMOVEDIR : 0), 0);
	}
}

static void
believes_trusted_owners_only(void **state)
{
	struct box_of_test *b = *state;
	struct spool_file f;

	if (geteuid() != 0)
		skip(); /* only root can give files away */
	assert_int_equal(scratch_file(b->dst, "x", "text"), 0);
	assert_int_equal(fchownat(b->dst, "x", 12345, 12345, 0), 0);
	assert_int_equal(spool_read(b->dst, "x", 100, false, &f), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(spool_read(b->dst, "x", 100, true, &f), 1);
	assert_int_equal(f.uid, 12345);
	assert_string_equal(f.bytes, "text");
	spool_file_free(&f);
	assert_int_equal(fchown(b->dst, 12345, 12345), 0);
	assert_int_equal(spool_read(b->dst, "x", 100, false, &f), 1);
	spool_file_free(&f);
}

static void
reads_up_to_its_cap(void **state)
{
	struct box_of_test *b = *state;
	struct spool_file f;

	assert_int_equal(scratch_file(b->dst, "x", "12345"), 0);
	assert_int_equal(spool_read(b->dst, "x", 4, false, &f), -1);
	assert_int_equal(errno, EFBIG);
	assert_null(f.bytes);
	assert_int_equal(spool_read(b->dst, "x", 5, false, &f), 1);
	assert_int_equal(f.len, 5);
	spool_file_free(&f);
	assert_int_equal(spool_read(b->dst, "none", 5, false, &f), 0);
	assert_int_equal(spool_read(b->dst, "../x", 5, false, &f), -1);
}

static void
tells_broken_from_plain(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
	    {"", ENOMSG},
	    {"{}", ENOMSG},
	    {"{}\n", ENOMSG},
	    {"{}\n{}\n", ENOMSG},
	    {"{\n\"role\": \"command_patch\"\n}\n", ENOMSG},
	    {"{}\n{\"bytes\":2,\"sha256\":\"short\"}\n", ENOMSG},
	    {"{}\n{\"bytes\":2,\"sha256\":\"44136fa355b3678a1146ad16f7e8649e"
	     "94fb4fc21fe77e8310c060f61caaff8a\",\"x\":1}\n",
		ENOMSG},
	    {"{}\n{\"bytes\":2,\"sha256\":\"44136fa355b3678a1146ad16f7e8649e"
	     "94fb4fc21fe77e8310c060f61caaff8a\"}\n",
		0},
	    {"{}\n{\"bytes\":3,\"sha256\":\"44136fa355b3678a1146ad16f7e8649e"
	     "94fb4fc21fe77e8310c060f61caaff8a\"}\n",
		EBADMSG},
	    {"[]\n{\"bytes\":2,\"sha256\":\"44136fa355b3678a1146ad16f7e8649e"
	     "94fb4fc21fe77e8310c060f61caaff8a\"}\n",
		EBADMSG},
	    {"{}\n{\"bytes\":2,\"sha256\":\"44136fa355b3678a1146ad16f7e8649e"
	     "94fb4fc21fe77e8310c060f61caaff8a\"}",
		ENOMSG},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		json_t *doc;

		errno = 0;
		doc = spool_check(cases[i].text, strlen(cases[i].text));
		assert_int_equal(doc == NULL ? errno : 0, cases[i].want);
		json_decref(doc);
	}
}

/* Each byte changed, and the file cut at each byte. */
static void
notices_every_damage(void **state)
{
	struct box_of_test *b = *state;
	size_t len;
	char *bytes = spool_format(b->doc, &len);

	for (size_t i = 0; i < len; i++) {
		json_t *doc;

		bytes[i] ^= 1;
		doc = spool_check(bytes, len);
		assert_null(doc);
		bytes[i] ^= 1;
		assert_null(spool_check(bytes, i));
	}
	free(bytes);
}

static void
keeps_text_with_a_nul(void **state)
{
	struct box_of_test *b = *state;
	json_t *doc, *nul = json_object();

	(void)json_object_set_new(nul, "t", json_stringn("a\0b", 3));
	assert_int_equal(spool_put_json(b->tmp, b->dst, "x", nul), SPOOL_DONE);
	assert_int_equal(spool_read_json(b->dst, "x", &doc), 1);
	assert_true(json_equal(doc, nul));
	json_decref(doc);
	json_decref(nul);
}

static void
lists_the_first_names_of_many(void **state)
{
	static const size_t limits[] = {0, 1, 7, MANY - 1, MANY, MANY + 1};
	struct box_of_test *b = *state;
	char name[32];

	assert_int_equal(scratch_file(b->dst, ".hidden", ""), 0);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "%04d", i);
		assert_int_equal(scratch_file(b->dst, name, ""), 0);
	}
	for (size_t l = 0; l < LENGTH(limits); l++) {
		size_t limit = limits[l];
		size_t want = limit == 0 || limit > MANY ? MANY : limit;
		struct spool_names n;

		assert_int_equal(spool_list(b->dst, limit, &n), 0);
		assert_int_equal(n.count, want);
		assert_int_equal(n.cut, want < MANY);
		for (size_t i = 0; i < n.count; i++) {
			(void)snprintf(name, sizeof(name), "%04zu", i);
			assert_string_equal(n.names[i], name);
		}
		spool_names_free(&n);
	}
}

static void
sweeps_what_dead_writers_left(void **state)
{
	struct box_of_test *b = *state;
	char mine[64];

	spool_unique_name("tmp", mine, sizeof(mine));
	assert_int_equal(scratch_file(b->tmp, mine, ""), 0);
	assert_int_equal(
	    scratch_file(b->tmp, "1764000000000000-4194999-0-x.tmp", ""), 0);
	assert_int_equal(scratch_file(b->tmp, "stray", ""), 0);
	assert_int_equal(spool_sweep_tmp(b->tmp, 3600 * 1000), 0);
	assert_int_equal(spool_sweep_tmp(b->tmp, 0), 2);
	assert_true(spool_exists(b->tmp, mine));
}

static void
sweeps_what_unreaped_writers_left(void **state)
{
	struct box_of_test *b = *state;
	char name[64];
	siginfo_t si;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)child, &si, WEXITED | WNOWAIT), 0);
	(void)snprintf(name, sizeof(name), "1764000000000000-%ld-0.tmp",
	    (long)child);
	assert_int_equal(scratch_file(b->tmp, name, ""), 0);
	assert_int_equal(spool_sweep_tmp(b->tmp, SPOOL_DEAD_WRITERS), 1);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void
makes_directories_whatever_the_umask(void **state)
{
	struct box_of_test *b = *state;
	struct stat st;
	mode_t old = umask(077);

	assert_int_equal(spool_make(b->scratch.dir, "p/q/r", 02750), 0);
	assert_int_equal(spool_make(b->scratch.dir, "p/q/r", 02750), 0);
	(void)umask(old);
	assert_int_equal(fstatat(b->scratch.dir, "p/q", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 02750);
	assert_int_equal(symlinkat("p", b->scratch.dir, "link"), 0);
	assert_int_equal(spool_dir(b->scratch.dir, "link"), -1);
}

int
main(void)
{
#define WITH_BOXES(f)                                                          \
	cmocka_unit_test_setup_teardown(f, open_boxes, close_boxes)
	const struct CMUnitTest tests[] = {
	    WITH_BOXES(reads_back_what_it_put),
	    WITH_BOXES(puts_over_nothing),
	    WITH_BOXES(refuses_names_that_leave_the_directory),
	    WITH_BOXES(moves_over_nothing),
	    WITH_BOXES(replaces_what_was_staged_before),
	    WITH_BOXES(does_not_read_what_was_planted),
	    WITH_BOXES(believes_trusted_owners_only),
	    WITH_BOXES(reads_up_to_its_cap),
	    WITH_BOXES(tells_broken_from_plain),
	    WITH_BOXES(notices_every_damage),
	    WITH_BOXES(keeps_text_with_a_nul),
	    WITH_BOXES(lists_the_first_names_of_many),
	    WITH_BOXES(sweeps_what_dead_writers_left),
	    WITH_BOXES(sweeps_what_unreaped_writers_left),
	    WITH_BOXES(makes_directories_whatever_the_umask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
