/* predictions.h -- what predict() found, as CSV, as an HDF5 file, or as a sentence per picture.
 *
 * CSV: sample (or file), class, then one column per output: p0, p1, ... for probabilities, y0, ...
 * for other numbers; no class where the network does not tell classes apart. HDF5: `predictions`
 * float32 [n, outputs] and, likewise, `classes` int32 [n].
 */
#ifndef TR_PREDICTIONS_H
#define TR_PREDICTIONS_H

#include <stdio.h>

#include "trainer/model.h"

typedef struct tr_predictions {
    const tr_model *model;
    const float *values; /* [n, outputs] */
    int64_t n;
    const char *const *files; /* [n] of the samples; NULL: they are numbered */
} tr_predictions;

void tr_predictions_print_csv(FILE *out, const tr_predictions *predictions);

/* One line per sample: its class with the probability, and the next likely ones. */
void tr_predictions_print_lines(FILE *out, const tr_predictions *predictions);

/* Whole or not at all. The ending of `path` says which: .csv, .h5 or .hdf5; TR_ERR_CONFIG:
 * another. */
tr_status tr_predictions_write(const char *path, const tr_predictions *predictions, tr_error *err);

#endif
