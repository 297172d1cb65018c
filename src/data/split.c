/* split.c -- scikit-learn's train_test_split, index for index, so that a run here validates on the
 * very samples the same run in Python validates on; by classes: stratify.c.
 *
 * sklearn draws RandomState(seed).permutation(n) and gives the first ceil(validation_split * n) to
 * the test part.
 */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "trainer/dataset.h"
#include "twister.h"

static void identity(uint32_t *index, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        index[i] = (uint32_t)i;
}

static tr_status check(int64_t n, double validation_split, tr_error *err)
{
    if (n < 1)
        return tr_fail(err, TR_ERR_DATA, "no samples to split: the training set is empty");
    if (n > UINT32_MAX)
        return tr_fail(err, TR_ERR_DATA, "%lld samples: at most 4294967295 can be numbered",
                       (long long)n);
    if (!(validation_split >= 0 && validation_split < 1)) /* so that NaN is refused, too */
        return tr_fail(err, TR_ERR_DATA, "validation_split = %g: must be 0 or more and less than 1",
                       validation_split);
    return TR_OK;
}

tr_status tr_split_make(tr_split *out, int64_t n, double validation_split, uint32_t seed,
                        tr_error *err)
{
    TR_TRY(check(n, validation_split, err));
    tr_split split = {0};
    split.n_validation = (int64_t)ceil(validation_split * (double)n);
    split.n_train = n - split.n_validation;
    if (split.n_train < 1)
        return tr_fail(err, TR_ERR_DATA,
                       "validation_split = %g of %lld samples is all of them: none is left to "
                       "train on; make validation_split smaller",
                       validation_split, (long long)n);

    uint32_t *permutation = tr_alloc((size_t)n, sizeof *permutation);
    split.train = tr_alloc((size_t)split.n_train, sizeof *split.train);
    split.validation = tr_alloc((size_t)split.n_validation, sizeof *split.validation);
    if (permutation == NULL || split.train == NULL || split.validation == NULL) {
        tr_free(permutation);
        tr_split_release(&split);
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory for the order of %lld samples",
                       (long long)n);
    }
    if (split.n_validation == 0) {
        identity(permutation, n);
    } else {
        tr_twister twister;
        tr_twister_seed(&twister, seed);
        tr_twister_permutation(&twister, permutation, n);
    }
    memcpy(split.validation, permutation, (size_t)split.n_validation * sizeof *permutation);
    memcpy(split.train, permutation + split.n_validation,
           (size_t)split.n_train * sizeof *permutation);
    tr_free(permutation);
    *out = split;
    return TR_OK;
}

void tr_split_release(tr_split *split)
{
    if (split == NULL)
        return;
    tr_free(split->train);
    tr_free(split->validation);
    *split = (tr_split){0};
}
