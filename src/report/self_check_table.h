/* self_check_table.h -- the kernels' self-check as a table, one line per operation. */
#ifndef TR_SELF_CHECK_TABLE_H
#define TR_SELF_CHECK_TABLE_H

#include <stdio.h>

#include "self_check.h"

/* Checks the model, prints each operation, and fails (TR_ERR_INTERNAL) naming the first kernel
 * whose result is wrong. */
tr_status tr_self_check_print(FILE *out, const tr_model *model, tr_error *err);

#endif
