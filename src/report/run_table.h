/* run_table.h -- what a run came to, in a few lines: the best epochs, the time, the speed. */
#ifndef TR_RUN_TABLE_H
#define TR_RUN_TABLE_H

#include <stdio.h>

#include "trainer/history.h"

/* Nothing for fewer than two epochs: their lines say it all. */
void tr_print_run(FILE *out, const tr_history *history);

/* "results in runs/mnist: best.h5, last.h5, ...": of the files that a run leaves, those that are
 * there. */
void tr_print_folder(FILE *out, const char *folder);

#endif
