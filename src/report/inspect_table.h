/* inspect_table.h -- what is in an HDF5 file, as tables. */
#ifndef TR_INSPECT_TABLE_H
#define TR_INSPECT_TABLE_H

#include <stdio.h>

#include "checkpoint_outline.h"
#include "inspect.h"

/* `outline` may be NULL, or without layers: the file is no checkpoint. Names and texts from the
 * file are printed without control characters. */
void tr_inspect_print(FILE *out, const char *path, const tr_inspection *found,
                      const tr_checkpoint_outline *outline);

#endif
