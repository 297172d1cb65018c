/* split.c -- scikit-learn's train_test_split, index for index, so that a run here validates on the
 * very samples the same run in Python validates on; by classes: stratify.c.
 *
 * sklearn draws RandomState(seed).permutation(n) and gives the first ceil(validation_split * n) to
 * the test part.
 */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "split_parts.h"
#include "twister.h"

static void identity(uint32_t *index, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        index[i] = (uint32_t)i;
}

static tr_status check(int64_t n, const tr_split_wish *wish, tr_error *err)
{
    if (n < 1)
        return tr_fail(err, TR_ERR_DATA, "no samples to split: the training set is empty");
    if (n > UINT32_MAX)
        return tr_fail(err, TR_ERR_DATA, "%lld samples: at most 4294967295 can be numbered",
                       (long long)n);
    if (!(wish->value >= 0 && wish->value < 1)) /* so that NaN is refused, too */
        return tr_fail(err, TR_ERR_DATA, "%s = %g: must be 0 or more and less than 1", wish->key,
                       wish->value);
    return TR_OK;
}

tr_status tr_split_parts(tr_split *out, int64_t n, const tr_split_wish *wish, tr_error *err)
{
    tr_split split = {.n_train = n - wish->n_rest, .n_validation = wish->n_rest};
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
        tr_twister_seed(&twister, wish->seed);
        tr_twister_permutation(&twister, permutation, n);
    }
    memcpy(split.validation, permutation, (size_t)split.n_validation * sizeof *permutation);
    memcpy(split.train, permutation + split.n_validation,
           (size_t)split.n_train * sizeof *permutation);
    tr_free(permutation);
    *out = split;
    return TR_OK;
}

/* ---- validation_split ---- */

tr_status tr_split_wish_share(tr_split_wish *wish, int64_t n, tr_error *err)
{
    TR_TRY(check(n, wish, err));
    wish->n_rest = (int64_t)ceil(wish->value * (double)n);
    if (n - wish->n_rest < 1)
        return tr_fail(err, TR_ERR_DATA,
                       "%s = %g of %lld samples is all of them: none is left to train on; make %s "
                       "smaller",
                       wish->key, wish->value, (long long)n, wish->key);
    return TR_OK;
}

static tr_status wish_of(tr_split_wish *out, int64_t n, double validation_split, uint32_t seed,
                         tr_error *err)
{
    *out = (tr_split_wish){
        .seed = seed, .key = "validation_split", .value = validation_split, .rest = "validation"};
    return tr_split_wish_share(out, n, err);
}

tr_status tr_split_make(tr_split *out, int64_t n, double validation_split, uint32_t seed,
                        tr_error *err)
{
    tr_split_wish wish;
    TR_TRY(wish_of(&wish, n, validation_split, seed, err));
    return tr_split_parts(out, n, &wish, err);
}

tr_status tr_split_make_stratified(tr_split *out, const int32_t *y, int64_t n,
                                   double validation_split, uint32_t seed, tr_error *err)
{
    tr_split_wish wish;
    TR_TRY(wish_of(&wish, n, validation_split, seed, err));
    return tr_split_parts_stratified(out, y, n, &wish, err);
}

/* ---- limit_train ---- */

/* Keeps what stands at these places of split->train, in their order. */
static void take_places(tr_split *split, const tr_split *places)
{
    for (int64_t i = 0; i < places->n_train; i++)
        places->train[i] = split->train[places->train[i]];
    memcpy(split->train, places->train, (size_t)places->n_train * sizeof *split->train);
    split->n_train = places->n_train;
}

tr_status tr_split_limit(tr_split *split, const int32_t *y, int64_t limit, uint32_t seed,
                         tr_error *err)
{
    tr_split places = {0};
    const int64_t n = split->n_train;
    if (limit < 1 || limit >= n)
        return TR_OK;
    const tr_split_wish wish = {.n_rest = n - limit,
                                .seed = seed,
                                .key = "limit_train",
                                .value = (double)limit,
                                .rest = "those left out",
                                .of_train = true};
    int32_t *classes = y == NULL ? NULL : tr_alloc((size_t)n, sizeof *classes);
    if (y != NULL && classes == NULL)
        return tr_out_of_memory(err, NULL);
    for (int64_t i = 0; y != NULL && i < n; i++)
        classes[i] = y[split->train[i]];
    const tr_status status = y == NULL ? tr_split_parts(&places, n, &wish, err)
                                       : tr_split_parts_stratified(&places, classes, n, &wish, err);
    tr_free(classes);
    if (status == TR_OK)
        take_places(split, &places);
    tr_split_release(&places);
    return status;
}

void tr_split_release(tr_split *split)
{
    if (split == NULL)
        return;
    tr_free(split->train);
    tr_free(split->validation);
    *split = (tr_split){0};
}
