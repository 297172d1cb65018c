/* stratify.c -- scikit-learn's train_test_split(..., stratify=y), index for index.
 *
 * What StratifiedShuffleSplit of scikit-learn 1.2 does, with one RandomState for all of it: how
 * many samples of each class go to train and, of the remaining ones, to test (_approximate_mode,
 * which draws only to break ties); a permutation of each class, from which both parts are cut; a
 * permutation of each part. The sums and products below are its own, in float64 and in its order:
 * a remainder that differs in the last bit would break other ties.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "split_parts.h"
#include "twister.h"

typedef struct strata {
    int64_t n, n_classes;
    uint64_t *keys;           /* [n] sorted: class value, shifted above zero, and sample number */
    int64_t *begin;           /* [n_classes + 1] each class's part of `keys` */
    int64_t *train, *test;    /* [n_classes] samples for each part */
    int64_t *left;            /* [n_classes] not in train */
    double *floored, *excess; /* [n_classes] of the expected count */
    uint32_t *numbers;        /* [n] permutations */
} strata;

static void strata_release(strata *s)
{
    tr_free(s->keys);
    tr_free(s->begin);
    tr_free(s->train);
    tr_free(s->test);
    tr_free(s->left);
    tr_free(s->floored);
    tr_free(s->excess);
    tr_free(s->numbers);
}

/* ---- the classes ---- */

static int by_key(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int64_t key_class(uint64_t key)
{
    return (int64_t)(key >> 32) + INT32_MIN;
}

/* The sample number in the lower half of a key makes the sort stable, as mergesort is. */
static bool strata_sort(strata *s, const int32_t *y, int64_t n)
{
    s->n = n;
    s->keys = tr_alloc((size_t)n, sizeof *s->keys);
    s->numbers = tr_alloc((size_t)n, sizeof *s->numbers);
    if (s->keys == NULL || s->numbers == NULL)
        return false;
    for (int64_t i = 0; i < n; i++)
        s->keys[i] = (uint64_t)((int64_t)y[i] - INT32_MIN) << 32 | (uint64_t)i;
    qsort(s->keys, (size_t)n, sizeof *s->keys, by_key);
    s->n_classes = 1;
    for (int64_t i = 1; i < n; i++)
        s->n_classes += s->keys[i] >> 32 != s->keys[i - 1] >> 32;

    const size_t n_classes = (size_t)s->n_classes;
    s->begin = tr_alloc(n_classes + 1, sizeof *s->begin);
    s->train = tr_alloc(n_classes, sizeof *s->train);
    s->test = tr_alloc(n_classes, sizeof *s->test);
    s->left = tr_alloc(n_classes, sizeof *s->left);
    s->floored = tr_alloc(n_classes, sizeof *s->floored);
    s->excess = tr_alloc(n_classes, sizeof *s->excess);
    if (s->begin == NULL || s->train == NULL || s->test == NULL || s->left == NULL ||
        s->floored == NULL || s->excess == NULL)
        return false;
    for (int64_t i = 1, class = 0; i <= n; i++)
        if (i == n || s->keys[i] >> 32 != s->keys[i - 1] >> 32)
            s->begin[++class] = i;
    return true;
}

static tr_status strata_check(const strata *s, const tr_split *split, const tr_split_wish *wish,
                              tr_error *err)
{
    for (int64_t c = 0; c < s->n_classes; c++) {
        if (s->begin[c + 1] - s->begin[c] >= 2)
            continue;
        char number[24];
        const int64_t class = key_class(s->keys[s->begin[c]]);
        snprintf(number, sizeof number, "%lld", (long long)class);
        return tr_fail(err, TR_ERR_DATA,
                       "class %s has only 1 sample: a stratified split needs 2 of each class, one "
                       "for each part; remove that sample or split without stratify",
                       wish->classes == NULL ? number : wish->classes[class]);
    }
    const bool few_train = split->n_train < s->n_classes;
    if (few_train || split->n_validation < s->n_classes)
        return tr_fail(err, TR_ERR_DATA,
                       "%s = %g of %lld samples leaves %lld for %s, fewer than the "
                       "%lld classes: a stratified split needs one of each; make "
                       "%s %s",
                       wish->key, wish->value, (long long)s->n,
                       (long long)(few_train ? split->n_train : split->n_validation),
                       few_train ? "training" : wish->rest, (long long)s->n_classes, wish->key,
                       few_train == wish->of_train ? "larger" : "smaller");
    return TR_OK;
}

/* ---- how many of each class ---- */

/* Adds one to `missing` of the classes whose remainder is `value`, or to all, if they are fewer;
 * rng.choice(them, replace=False) is the head of a permutation. Returns how many. */
static int64_t add_ties(strata *s, double value, int64_t missing, tr_twister *twister)
{
    int64_t n_ties = 0;
    for (int64_t c = 0; c < s->n_classes; c++)
        if (s->excess[c] == value)
            s->numbers[n_ties++] = (uint32_t)c;
    /* Shuffling the classes is choosing by a shuffled index: the swaps are the same. */
    tr_twister_shuffle(twister, s->numbers, n_ties);
    const int64_t n_added = n_ties < missing ? n_ties : missing;
    for (int64_t i = 0; i < n_added; i++)
        s->floored[s->numbers[i]] += 1;
    return n_added;
}

/* The largest remainder below `bound`, or -1. */
static double next_remainder(const strata *s, double bound)
{
    double most = -1;
    for (int64_t c = 0; c < s->n_classes; c++)
        if (s->excess[c] < bound && s->excess[c] > most)
            most = s->excess[c];
    return most;
}

/* sklearn's _approximate_mode(): about n_draws * count / sum(counts) of each class, rounded so that
 * they add up to n_draws: the largest remainders are rounded up. */
static void approximate_mode(int64_t *drawn, strata *s, const int64_t *counts, int64_t n_draws,
                             tr_twister *twister)
{
    int64_t sum = 0, n_floored = 0;
    for (int64_t c = 0; c < s->n_classes; c++)
        sum += counts[c];
    for (int64_t c = 0; c < s->n_classes; c++) {
        const double expected = (double)counts[c] / (double)sum * (double)n_draws;
        s->floored[c] = floor(expected);
        s->excess[c] = expected - s->floored[c];
        n_floored += (int64_t)s->floored[c];
    }
    int64_t missing = n_draws - n_floored;
    for (double value = 2; missing > 0 && (value = next_remainder(s, value)) >= 0;)
        missing -= add_ties(s, value, missing, twister);
    for (int64_t c = 0; c < s->n_classes; c++)
        drawn[c] = (int64_t)s->floored[c];
}

/* ---- the parts ---- */

/* Cuts both parts out of a permutation of each class. Rounding may ask for a sample more than there
 * is; Python's slices, and so these, then end early. */
static void draw_parts(tr_split *split, strata *s, tr_twister *twister)
{
    int64_t n_train = 0, n_test = 0;
    for (int64_t c = 0; c < s->n_classes; c++) {
        const uint64_t *keys = s->keys + s->begin[c];
        const int64_t count = s->begin[c + 1] - s->begin[c];
        tr_twister_permutation(twister, s->numbers, count);
        for (int64_t i = 0; i < count && i < s->train[c] + s->test[c]; i++) {
            const uint32_t sample = (uint32_t)keys[s->numbers[i]];
            if (i < s->train[c] && n_train < split->n_train)
                split->train[n_train++] = sample;
            else if (i >= s->train[c] && n_test < split->n_validation)
                split->validation[n_test++] = sample;
        }
    }
    split->n_train = n_train;
    split->n_validation = n_test;
    tr_twister_shuffle(twister, split->train, n_train);
    tr_twister_shuffle(twister, split->validation, n_test);
}

static tr_status stratify(tr_split *split, strata *s, const int32_t *y, const tr_split_wish *wish,
                          tr_error *err)
{
    const int64_t n = split->n_train + split->n_validation;
    tr_twister twister;
    if (!strata_sort(s, y, n))
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory for the classes of %lld samples",
                       (long long)n);
    TR_TRY(strata_check(s, split, wish, err));
    tr_twister_seed(&twister, wish->seed);
    for (int64_t c = 0; c < s->n_classes; c++)
        s->left[c] = s->begin[c + 1] - s->begin[c];
    approximate_mode(s->train, s, s->left, split->n_train, &twister);
    for (int64_t c = 0; c < s->n_classes; c++)
        s->left[c] -= s->train[c];
    approximate_mode(s->test, s, s->left, split->n_validation, &twister);
    draw_parts(split, s, &twister);
    return TR_OK;
}

tr_status tr_split_parts_stratified(tr_split *out, const int32_t *y, int64_t n,
                                    const tr_split_wish *wish, tr_error *err)
{
    tr_split split = {0};
    strata s = {0};
    /* The sizes of the parts and their room are the plain split's. */
    TR_TRY(tr_split_parts(&split, n, wish, err));
    const tr_status status = split.n_validation == 0 ? TR_OK : stratify(&split, &s, y, wish, err);
    strata_release(&s);
    if (status != TR_OK)
        tr_split_release(&split);
    else
        *out = split;
    return status;
}
