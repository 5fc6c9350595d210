/* SPDX-License-Identifier: ISC */
/*
 * What of the machine's tree commands must not see, even where file modes
 * would let them: the spool and the transactions of others, the configuration
 * and the secrets that it names, those of the user's home wherever that lies,
 * and the sockets of the machine's daemons (a read-only mount does not stop
 * connect(2)). The workspace is attached on top, so that one that lies below
 * is seen all the same.
 */
#ifndef EXECUTOR_MASK_H
#define EXECUTOR_MASK_H

#include "executor/executor.h"

/* NULL at the end; free with mask_free. */
char **mask_list(const struct executor *ex);
void mask_free(char **list);

#endif
