/* predictions.h -- what predict() found, in portions: as a sentence per sample, as CSV, JSON or
 * HDF5.
 *
 * CSV: sample (or file), class, name where classes have names, label where some are known, then one
 * column per output: p0, p1, ... for probabilities, y0, ... for other numbers; no class where the
 * network does not tell classes apart. With `top` instead a line for each of that many classes:
 * sample (or file), rank from 1, class, name, probability (or output), label.
 * JSON: an array of objects with these keys, the outputs in `probabilities` (or `outputs`); with
 * `top` an array of {class, name, probability} in their place.
 * HDF5: `predictions` float32 [n, outputs] and, likewise, `classes` int32 [n], `files`, `labels`
 * int32 [n] (-1: not known), `class_names`.
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
    int64_t first;            /* the number of the first */
    const int32_t *labels;    /* [n] what they are, -1: not known; NULL: none is */
    int top;                  /* so many classes of each; 0: all, in sentences three */
} tr_predictions;

/* All of a CSV file, or its rows alone. */
void tr_predictions_print_csv(FILE *out, const tr_predictions *predictions);
void tr_predictions_print_csv_rows(FILE *out, const tr_predictions *predictions);

/* One line per sample: its class with the probability, and the next likely ones. */
void tr_predictions_print_lines(FILE *out, const tr_predictions *predictions);

/* Rows of a JSON array, the first after "[", others after ",". TR_ERR_INTERNAL: out of memory. */
tr_status tr_predictions_print_json_rows(FILE *out, const tr_predictions *predictions,
                                         tr_error *err);

/* The likeliest class that comes after `last` (by value, then by number); last -1: the first of
 * all. -1: none. */
int64_t tr_next_likely(const float *row, int64_t width, int64_t last);

/* Of one output the probability of the class that is said, else that of `class`. */
double tr_prediction_of(const tr_model *model, const float *row, int64_t class);

/* ---- a file ---- */

typedef struct tr_prediction_file tr_prediction_file;

/* The ending of `path` says which: .csv, .json, .h5 or .hdf5; TR_ERR_CONFIG: another. */
tr_status tr_prediction_file_open(tr_prediction_file **out, const char *path, tr_error *err);
tr_status tr_prediction_file_add(tr_prediction_file *file, const tr_predictions *predictions,
                                 tr_error *err);
/* Puts it in place, whole. */
tr_status tr_prediction_file_put(tr_prediction_file *file, tr_error *err);
void tr_prediction_file_free(tr_prediction_file *file); /* nothing is left of one not in place */

/* All at once. */
tr_status tr_predictions_write(const char *path, const tr_predictions *predictions, tr_error *err);

#endif
