/* h5_sample.h -- one sample of an image dataset in an HDF5 file, and its label. */
#ifndef TR_H5_SAMPLE_H
#define TR_H5_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "h5_array.h"
#include "trainer/status.h"

typedef struct tr_h5_sample {
    int64_t n;       /* samples in the dataset */
    int64_t h, w, c; /* of one */
    bool is_uint8;
    bool has_label;
    int64_t label;         /* a float label is rounded towards zero */
    char labels[256];      /* the dataset it is from */
    char text[TR_H5_TEXT]; /* of the dataset: "uint8 [60000, 28, 28]" */
    float *values;         /* [h,w,c], of tr_shared_alloc() */
} tr_h5_sample;

/* Reads sample `index` of the dataset `name`, [n,h,w] or [n,h,w,c] numbers, in child processes. The
 * label comes from the dataset whose name begins with y instead of x (x_train, y_train), when there
 * is such a one with a number for each sample. TR_ERR_DATA names what is wrong: file, dataset,
 * shape, or the index and how many there are. Release also a zeroed one. */
tr_status tr_h5_sample_read(tr_h5_sample *out, const char *path, const char *name, int64_t index,
                            tr_h5_policy policy, tr_error *err);
void tr_h5_sample_release(tr_h5_sample *sample);

#endif
