/* split_parts.h -- scikit-learn's train_test_split by numbers of samples, whatever they follow
 * from.
 */
#ifndef TR_SPLIT_PARTS_H
#define TR_SPLIT_PARTS_H

#include "trainer/dataset.h"

typedef struct tr_split_wish {
    int64_t n_rest; /* samples that do not train: fewer than there are */
    uint32_t seed;
    /* For messages: the key of [data] that asks for it, its value, what the others are for, and
     * whether a larger value means more to train on. */
    const char *key;
    double value;
    const char *rest;
    bool of_train;
} tr_split_wish;

tr_status tr_split_parts(tr_split *out, int64_t n, const tr_split_wish *wish, tr_error *err);

/* stratify.c */
tr_status tr_split_parts_stratified(tr_split *out, const int32_t *y, int64_t n,
                                    const tr_split_wish *wish, tr_error *err);

#endif
