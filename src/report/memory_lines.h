/* memory_lines.h -- what a run needs of the memory, against what there is. */
#ifndef TR_MEMORY_LINES_H
#define TR_MEMORY_LINES_H

#include <stdio.h>

#include "memory_need.h"

/* "memory: about 187 MiB at the peak: ..." */
void tr_print_memory(FILE *out, const tr_memory_need *need, const tr_memory_limit *limit,
                     bool knows_data);

/* A warning where it may not be enough; TR_ERR_INTERNAL where it is not. */
tr_status tr_check_memory(FILE *out, const tr_memory_need *need, const tr_memory_limit *limit,
                          tr_error *err);

#endif
