/* folds.c -- scikit-learn's KFold and StratifiedKFold with shuffle=True, index for index.
 *
 * KFold draws RandomState(seed).permutation(n) and cuts it into folds, the first n mod k of which
 * have a sample more. StratifiedKFold numbers the classes as they are met, lays the sorted labels
 * out and gives every k-th of them to a fold: that says how many of each class a fold gets; then it
 * shuffles, class by class, which sample goes where. Both parts are in ascending order.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "trainer/dataset.h"
#include "twister.h"

/* ---- which fold a sample belongs to ---- */

static void deal(uint32_t *fold_of, uint32_t *room, int64_t n, int64_t folds, uint32_t seed)
{
    tr_twister twister;
    tr_twister_seed(&twister, seed);
    tr_twister_permutation(&twister, room, n);
    for (int64_t fold = 0, at = 0; fold < folds; fold++) {
        const int64_t size = n / folds + (fold < n % folds);
        for (int64_t i = 0; i < size; i++)
            fold_of[room[at++]] = (uint32_t)fold;
    }
}

typedef struct fold_class {
    int32_t label;
    int64_t first, n; /* the first sample of it, and their number */
} fold_class;

static int by_label(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = ((const fold_class *)b)->label;
    return (x > y) - (x < y);
}

static int by_first(const void *a, const void *b)
{
    const int64_t x = ((const fold_class *)a)->first, y = ((const fold_class *)b)->first;
    return (x > y) - (x < y);
}

static int compare_labels(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The classes, sorted by label; NULL: no memory. */
static fold_class *find_classes(const int32_t *y, int64_t n, size_t *n_classes)
{
    int32_t *sorted = tr_alloc((size_t)n, sizeof *sorted);
    fold_class *classes = tr_alloc((size_t)n, sizeof *classes);
    size_t count = 0;
    if (sorted != NULL && classes != NULL) {
        memcpy(sorted, y, (size_t)n * sizeof *sorted);
        qsort(sorted, (size_t)n, sizeof *sorted, compare_labels);
        for (int64_t i = 0; i < n; i++)
            if (i == 0 || sorted[i] != sorted[i - 1])
                classes[count++] = (fold_class){.label = sorted[i], .first = n};
        for (int64_t i = n - 1; i >= 0; i--) {
            fold_class *class = bsearch(&y[i], classes, count, sizeof *classes, by_label);
            class->first = i;
            class->n++;
        }
    }
    tr_free(sorted);
    if (count == 0) {
        tr_free(classes);
        return NULL;
    }
    *n_classes = count;
    return classes;
}

/* The folds of the samples of one class, whose place among the sorted labels begins at `begin`. */
static void deal_class(uint32_t *fold_of, uint32_t *room, const int32_t *y, int64_t n,
                       const fold_class *class, int64_t begin, int64_t folds, tr_twister *twister)
{
    int64_t at = 0;
    for (int64_t fold = 0; fold < folds; fold++) /* every folds-th label, from fold on */
        for (int64_t i = begin; i < begin + class->n; i++)
            if (i % folds == fold)
                room[at++] = (uint32_t)fold;
    tr_twister_shuffle(twister, room, class->n);
    at = 0;
    for (int64_t i = class->first; at < class->n && i < n; i++)
        if (y[i] == class->label)
            fold_of[i] = room[at++];
}

static tr_status deal_by_class(uint32_t *fold_of, uint32_t *room, const int32_t *y, int64_t n,
                               int64_t folds, uint32_t seed, tr_error *err)
{
    tr_twister twister;
    size_t n_classes = 0;
    int64_t most = 0, begin = 0;
    fold_class *classes = find_classes(y, n, &n_classes);
    if (classes == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t k = 0; k < n_classes; k++)
        most = classes[k].n > most ? classes[k].n : most;
    qsort(classes, n_classes, sizeof *classes, by_first);
    tr_twister_seed(&twister, seed);
    for (size_t k = 0; most >= folds && k < n_classes; k++) {
        deal_class(fold_of, room, y, n, &classes[k], begin, folds, &twister);
        begin += classes[k].n;
    }
    tr_free(classes);
    return most >= folds ? TR_OK
                         : tr_fail(err, TR_ERR_DATA,
                                   "folds = %lld: no class has so many samples, the largest has "
                                   "%lld; make folds smaller, or leave stratify out",
                                   (long long)folds, (long long)most);
}

/* ---- the two parts ---- */

static tr_status take_parts(tr_split *out, const uint32_t *fold_of, int64_t n, int64_t fold,
                            tr_error *err)
{
    tr_split split = {0};
    for (int64_t i = 0; i < n; i++)
        split.n_validation += fold_of[i] == (uint32_t)fold;
    split.train = tr_alloc((size_t)(n - split.n_validation), sizeof *split.train);
    split.validation = tr_alloc((size_t)split.n_validation, sizeof *split.validation);
    if (split.train == NULL || split.validation == NULL) {
        tr_split_release(&split);
        return tr_out_of_memory(err, NULL);
    }
    split.n_validation = 0;
    for (int64_t i = 0; i < n; i++)
        if (fold_of[i] == (uint32_t)fold)
            split.validation[split.n_validation++] = (uint32_t)i;
        else
            split.train[split.n_train++] = (uint32_t)i;
    *out = split;
    return TR_OK;
}

tr_status tr_split_fold(tr_split *out, const int32_t *y, int64_t n, int64_t folds, int64_t fold,
                        uint32_t seed, tr_error *err)
{
    if (n < folds || n > UINT32_MAX)
        return tr_fail(err, TR_ERR_DATA,
                       "folds = %lld of %lld training samples: each fold wants one at least, and "
                       "4294967295 can be numbered",
                       (long long)folds, (long long)n);
    uint32_t *fold_of = tr_alloc((size_t)n, sizeof *fold_of);
    uint32_t *room = tr_alloc((size_t)n, sizeof *room);
    tr_status status = fold_of == NULL || room == NULL ? tr_out_of_memory(err, NULL) : TR_OK;
    if (status == TR_OK && y == NULL)
        deal(fold_of, room, n, folds, seed);
    if (status == TR_OK && y != NULL)
        status = deal_by_class(fold_of, room, y, n, folds, seed, err);
    if (status == TR_OK)
        status = take_parts(out, fold_of, n, fold - 1, err);
    tr_free(fold_of);
    tr_free(room);
    return status;
}
