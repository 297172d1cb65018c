/* dataset.h -- images and labels from an HDF5 file, and the views a run takes.
 *
 * Images lie in memory, or stay in their file and are read as they are needed, which gives the same
 * bits ([data] memory); labels lie in memory.
 * Images keep the file's type where it is uint8 (a quarter of the memory); every other numeric
 * type becomes float32 on reading. Layout is channels-last, row-major: [n, h, w, c].
 */
#ifndef TRAINER_DATASET_H
#define TRAINER_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trainer/config.h"
#include "trainer/legend.h"
#include "trainer/status.h"

typedef enum tr_pixel { TR_PIXEL_U8, TR_PIXEL_F32 } tr_pixel;

/* The two forms of what a network is to say about a sample; bits of what a loss understands. */
typedef enum tr_target {
    TR_TARGET_CLASSES = 1, /* one class number per sample */
    TR_TARGET_VALUES = 2   /* numbers, as many per sample as the network has outputs */
} tr_target;

/* n images with their targets: class numbers or values, or neither (images to predict). A value;
 * the arrays belong to the dataset. */
typedef struct tr_samples {
    int64_t n;
    int64_t h, w, c;
    tr_pixel pixel;
    const void *x;                /* [n, h, w, c] uint8_t or float, by `pixel`; NULL: streamed */
    struct tr_streamed *streamed; /* x NULL: where the images are */
    const int32_t *y;             /* [n] class numbers >= 0, or NULL */
    const float *values;          /* [n, width], or NULL */
    int64_t width;                /* of values */
    const float *weights;         /* [n] how much each counts, or NULL: all 1 */
} tr_samples;

typedef struct tr_dataset tr_dataset;

/* Opens config->data.file and reads x_train, y_train and, where the file has them, x_test and
 * y_test (one without the other is an error; named otherwise than x_test, y_test, or of a
 * test_file, they must exist); with [data] validation_file, x_validation and y_validation from that
 * one. `targets`: the tr_target bits that the loss understands. Integers or floats of any width;
 * class numbers are [n] or [n, 1], integral, >= 0, or strings, which name classes; values are [n]
 * or [n, width] and finite. With both bits, one number per sample is its class and several are
 * values. What a file names in other files is read only with [data] external_files. The files are
 * read in child processes, so that one which crashes the HDF5 library is an error like others.
 * Checks: the file is HDF5 and readable; each dataset exists and is numeric; x is [n,h,w] (c = 1)
 * or [n,h,w,c] and h, w, c equal config->input_shape, or, for vectors, has that many numbers per
 * sample; counts agree; n > 0; float images hold no NaN or infinity; all parts have the same kind
 * of targets. Errors (TR_ERR_DATA, TR_ERR_INTERNAL) name the file, the dataset, what was found,
 * what was expected. */
tr_status tr_dataset_open(tr_dataset **out, const tr_config *config, unsigned targets,
                          tr_error *err);

/* x_test and y_test alone, checked likewise: the file need not have others. `known`: the legend of
 * the model that is measured, which numbers labels that are strings and which class names of the
 * file must agree with; NULL, or without names: the file's own. */
tr_status tr_dataset_open_test(tr_dataset **out, const tr_config *config, unsigned targets,
                               const tr_legend *known, tr_error *err);

/* Images alone, to predict: the array `name` of the file at `path`, checked likewise. They are the
 * test set of *out. */
tr_status tr_dataset_open_images(tr_dataset **out, const char *path, const char *name,
                                 const tr_config *config, tr_error *err);
void tr_dataset_free(tr_dataset *dataset);

/* What tr_dataset_open() would take, from a look at the files that takes milliseconds. In each
 * array: training, validation (of a file of its own), test. Errors as there, but for values. */
typedef struct tr_dataset_outline {
    int64_t n[3];     /* samples; 0: no such part */
    bool streamed[3]; /* its images stay in their file */
    uint64_t image_bytes;
    uint64_t resident_bytes; /* of all that comes into memory */
} tr_dataset_outline;

tr_status tr_dataset_look(tr_dataset_outline *out, const tr_config *config, unsigned targets,
                          tr_error *err);

/* Borrowed views. n is 0 when the files have no such part. */
const tr_samples *tr_dataset_train(const tr_dataset *dataset);
const tr_samples *tr_dataset_validation(const tr_dataset *dataset);
const tr_samples *tr_dataset_test(const tr_dataset *dataset);

/* What the numbers stand for, as far as the files say; borrowed. */
const tr_legend *tr_dataset_legend(const tr_dataset *dataset);

/* What a network with `width` outputs and its loss want of the targets. */
typedef struct tr_target_rules {
    int64_t width;
    bool in_0_1;      /* values are 0 to 1 */
    bool add_up;      /* and those of a sample add up to 1 */
    bool signs;       /* values are -1 or 1, or else 0 or 1 */
    const char *loss; /* for messages */
} tr_target_rules;

/* Fails (TR_ERR_DATA, naming file, dataset, index and value) where a target breaks them. */
tr_status tr_dataset_check_targets(const tr_dataset *dataset, const tr_target_rules *rules,
                                   tr_error *err);

/* scikit-learn's train_test_split(arange(n), test_size, random_state, shuffle=True), index for
 * index: train[] and validation[] get the sample numbers in its order. validation_split 0: train is
 * 0..n-1 in order and validation is empty. TR_ERR_DATA when a part would be empty. The arrays come
 * from tr_alloc(); free them with tr_split_release(). */
typedef struct tr_split {
    uint32_t *train, *validation;
    int64_t n_train, n_validation;
} tr_split;

tr_status tr_split_make(tr_split *out, int64_t n, double validation_split, uint32_t seed,
                        tr_error *err);

/* The same with stratify=y (StratifiedShuffleSplit of scikit-learn 1.2): each class keeps its share
 * of both parts, to within one sample. y[n] in any values. validation_split 0 is as above. Further
 * errors (TR_ERR_DATA): a class of one sample only, a part with fewer samples than classes. */
tr_status tr_split_make_stratified(tr_split *out, const int32_t *y, int64_t n,
                                   double validation_split, uint32_t seed, tr_error *err);
void tr_split_release(tr_split *split);

/* scikit-learn's KFold(folds, shuffle=True, random_state=seed), index for index: the fold (1-based)
 * validates, all others train. y[n], not NULL: StratifiedKFold's. TR_ERR_DATA: fewer samples than
 * folds, or fewer of every class. */
tr_status tr_split_fold(tr_split *out, const int32_t *y, int64_t n, int64_t folds, int64_t fold,
                        uint32_t seed, tr_error *err);

/* Of the samples that train keeps `limit`, as scikit-learn's train_test_split(train,
 * train_size=limit, random_state=seed)[0] does; y[] of all samples: with stratify=y[train]; NULL:
 * without. 0, or as many as there are, keeps all. Errors as above. */
tr_status tr_split_limit(tr_split *split, const int32_t *y, int64_t limit, uint32_t seed,
                         tr_error *err);

/* For that split, the classes of samples whose targets are values of 0 and 1 (yes or no, one-hot
 * rows, several answers): classes[n], each different row one, numbered as scikit-learn does. */
tr_status tr_targets_classes(int32_t *classes, const tr_samples *samples, tr_error *err);
/* The first sample whose values are not of 0 and 1 alone; -1: none. */
int64_t tr_targets_no_class(const tr_samples *samples);

#endif
