/* SPDX-License-Identifier: ISC */
/*
 * The spool's file operations: the only code that knows how a file becomes
 * durable. patchflow-spool(5) is the contract. The protocol is maildir's
 * and Postfix's, with the directory's fsync that both leave out: without it
 * a power cut takes the last acknowledged file away again.
 *
 * put    create in a tmp directory (O_EXCL), write all, fsync, close,
 *        rename with NOREPLACE, fsync the directory it went to. A name that
 *        is taken answers SPOOL_EXISTS and touches nothing. A failed fsync is
 *        never retried on the same file.
 * move   rename with NOREPLACE, then fsync both directories.
 * draft  as stage, but not synced yet: several go to the disk together.
 * read   a regular file with one link, opened without following links or
 *        blocking, of an owner we trust, not longer than the cap.
 *
 * A checked file is line 1 the JSON document, line 2
 * {"bytes":N,"sha256":"HEX"} over line 1 without its newline.
 */
#ifndef COMMON_SPOOL_H
#define COMMON_SPOOL_H

#include <sys/types.h>
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#define SPOOL_FILE_MAX (32u << 20) /* bytes a reader takes by default */

/* Every answer but SPOOL_DONE leaves errno set. */
enum spool_answer {
	SPOOL_DONE,    /* durable: acknowledge */
	SPOOL_EXISTS,  /* the name is taken, durably: somebody was here
			  before */
	SPOOL_REFUSED, /* nothing happened; not durable, not visible */
	SPOOL_UNKNOWN  /* visible, but the last fsync failed: do not
			  acknowledge, retry under the same name */
};

struct spool_file {
	char *bytes; /* owned; NUL-terminated behind len */
	size_t len;
	uid_t uid;
	int64_t mtime_us;
	ino_t ino;
};

struct spool_names {
	char **names; /* sorted by name; owned */
	size_t count;
	bool cut; /* the limit was reached: there are more */
};

/* Opens a directory for the calls below: fd, or -1. No symlink at the end. */
int spool_dir(int base, const char *path);
/* mkdir -p below base with mode for every level made here; 0 or -1. */
int spool_make(int base, const char *path, mode_t mode);

/* All of it, however many writes that takes; 0, or -1 with errno. */
int spool_write(int fd, const void *bytes, size_t len)
    __attribute__((warn_unused_result));
enum spool_answer spool_put(int tmp, int dst, const char *name,
    const void *bytes, size_t len) __attribute__((warn_unused_result));
enum spool_answer spool_put_json(int tmp, int dst, const char *name,
    const json_t *doc) __attribute__((warn_unused_result));
/*
 * The two halves of a put, for the acceptance order: stage leaves a synced
 * file in tmp under its final name (an older one is replaced; that its name
 * survives a power cut is not promised), publish renames it and syncs the
 * destination.
 */
enum spool_answer spool_stage_json(int tmp, const char *name, const json_t *doc)
    __attribute__((warn_unused_result));
enum spool_answer spool_publish(int tmp, int dst, const char *name)
    __attribute__((warn_unused_result));
/*
 * Stage in two steps, for several files at once. A draft's bytes are on their
 * way to the disk; spool_sync makes it durable. The first sync of several
 * waits for the journal, the others find it written.
 */
enum spool_answer spool_draft_json(int tmp, const char *name, const json_t *doc)
    __attribute__((warn_unused_result));
int spool_sync(int dir, const char *name) __attribute__((warn_unused_result));
/* Checked like all others, but a power cut may lose or tear it: for who is to
 * find it after a kill. */
enum spool_answer spool_note_json(int dir, const char *name, const json_t *doc)
    __attribute__((warn_unused_result));
/*
 * Waits until a file's bytes are with the disk and where they lie is in the
 * journal, and for nothing else. Where the journal keeps the order (fsinfo.h),
 * whatever is synced next makes them durable; elsewhere this is no promise.
 */
int spool_flush(int fd) __attribute__((warn_unused_result));
int spool_flush_name(int dir, const char *name)
    __attribute__((warn_unused_result));
/* As put, but an older file of that name is replaced: state files. */
enum spool_answer spool_replace_json(int tmp, int dst, const char *name,
    const json_t *doc) __attribute__((warn_unused_result));
/* claim, settle, requeue, set aside; to may be NULL for the same name. */
enum spool_answer spool_move(int src, const char *name, int dst, const char *to)
    __attribute__((warn_unused_result));
/* As move without the syncs: whoever calls it says what makes it durable. */
enum spool_answer spool_shift(int src, const char *name, int dst,
    const char *to) __attribute__((warn_unused_result));
/* unlink and fsync the directory; absent is done. */
enum spool_answer spool_remove(int dir, const char *name)
    __attribute__((warn_unused_result));

bool spool_exists(int dir, const char *name);
/*
 * 1 found, 0 absent, -1 error. errno EFBIG: over max; EPERM: not a regular
 * file of one link and a trusted owner (self, root, owner of the directory;
 * any_owner takes all). Free with spool_file_free.
 */
int spool_read(int dir, const char *name, size_t max, bool any_owner,
    struct spool_file *f) __attribute__((warn_unused_result));
/* What was read, as a checked document, and frees it: NULL with errno EBADMSG
 * where the check does not hold. */
json_t *spool_take_json(struct spool_file *f);
/* Both, of somebody trusted. */
int spool_read_json(int dir, const char *name, json_t **doc)
    __attribute__((warn_unused_result));
/* Splits a checked file in memory; NULL with errno EBADMSG, or ENOMSG where
 * there is no check line at all (a plain file). */
json_t *spool_check(const char *bytes, size_t len);
/* The two lines; the caller frees. */
char *spool_format(const json_t *doc, size_t *len);
void spool_file_free(struct spool_file *f);

/*
 * Names in dir that do not begin with a dot, sorted; of a longer directory
 * the first limit of that order (0: all), in memory for twice as many. A list
 * is a hint: names come and go while it is made. 0 or -1.
 */
int spool_list(int dir, size_t limit, struct spool_names *out)
    __attribute__((warn_unused_result));
void spool_names_free(struct spool_names *n);
/*
 * For walks that need no list: a stream of its own, and the next name without
 * a leading dot; NULL at the end (errno 0) or on error (errno set). closedir
 * ends it.
 */
DIR *spool_opendir(int dir);
const char *spool_readdir(DIR *d);
/* Unlinks files in tmp older than that whose writer (the pid in the name) is
 * gone; with SPOOL_DEAD_WRITERS of any age, but only those that
 * name a dead one: for directories where daemons write that all see the same
 * processes. Count, or -1. */
#define SPOOL_DEAD_WRITERS (-1)
int spool_sweep_tmp(int tmp, int64_t older_than_ms);
/* TIME16-PID-RANDOM8.EXT: unique on this machine, sorts by age. */
void spool_unique_name(const char *ext, char *out, size_t size);

#endif
