/* SPDX-License-Identifier: ISC */
/*
 * Text from outside into JSON strings: what is not UTF-8 must not make a
 * document of ours unwritable.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

/* A new string; NULL is "". In text that is not UTF-8 each byte from 0x80 on
 * becomes '?'. */
json_t *text_json(const char *s);
/* As text_json of the first max bytes at most, cut between characters. */
json_t *text_json_cut(const char *s, size_t max);
/* "s", or nothing for one. */
const char *text_s(uint64_t count);

#endif
