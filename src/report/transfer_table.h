/* transfer_table.h -- what a training took over from the weights of another model. */
#ifndef TR_TRANSFER_TABLE_H
#define TR_TRANSFER_TABLE_H

#include <stdio.h>

#include "trainer/checkpoint.h"

/* A line for each layer with weights, and what of the file was not used. */
void tr_print_transfer(FILE *out, const tr_model *model, const char *path,
                       const tr_transfer *transfer);

#endif
