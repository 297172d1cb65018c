/* split_parts.h -- scikit-learn's train_test_split by numbers of samples, whatever they follow
 * from.
 */
#ifndef TR_SPLIT_PARTS_H
#define TR_SPLIT_PARTS_H

#include "trainer/dataset.h"

typedef struct tr_split_wish {
    int64_t n_rest; /* samples that do not train: fewer than there are */
    uint32_t seed;
    /* For messages: the key or option that asks for it, its value, what the others are for, and
     * whether a larger value means more to train on. */
    const char *key;
    double value;
    const char *rest;
    bool of_train;
    const char *const *classes; /* their names; NULL: they have numbers alone */
} tr_split_wish;

/* Sets n_rest to the share that `value` is, of n samples. TR_ERR_DATA: it is none, or leaves
 * nothing to train on. */
tr_status tr_split_wish_share(tr_split_wish *wish, int64_t n, tr_error *err);

tr_status tr_split_parts(tr_split *out, int64_t n, const tr_split_wish *wish, tr_error *err);

/* stratify.c */
tr_status tr_split_parts_stratified(tr_split *out, const int32_t *y, int64_t n,
                                    const tr_split_wish *wish, tr_error *err);

#endif
