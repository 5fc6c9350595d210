/* SPDX-License-Identifier: ISC */
/* One value of a configuration into one field: conf.c's other half. */
#ifndef COMMON_CONF_VALUE_H
#define COMMON_CONF_VALUE_H

#include "common/conf.h"

/* v NULL is the default (an error where there is none). at is the field. The
 * number of errors added. */
int conf_value_bind(struct conf_file *f, const struct conf_key *k,
    const json_t *v, const char *path, char *at);
void conf_value_free(const struct conf_key *k, char *at);

#endif
