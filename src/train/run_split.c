/* run_split.c -- which samples of a run train and which validate. */
#include "mem.h"
#include "run_internal.h"

/* Targets of 0 and 1 have classes, too; others do not. */
static tr_status classes_of_values(const tr_data_config *data, const tr_samples *train,
                                   int32_t **classes, tr_error *err)
{
    const int64_t i = tr_targets_no_class(train);
    if (i >= 0)
        return tr_fail(
            err, TR_ERR_DATA,
            "%s: %s, sample %lld: [data] stratify = true wants classes, as numbers or as "
            "targets of 0 and 1, and this is neither; remove it",
            data->file, data->y_train, (long long)i);
    *classes = tr_alloc((size_t)train->n, sizeof **classes);
    return *classes == NULL ? tr_out_of_memory(err, NULL)
                            : tr_targets_classes(*classes, train, err);
}

/* classes: of all samples; NULL: they do not matter. */
static tr_status split_by(tr_run *run, const int32_t *classes, tr_error *err)
{
    const tr_data_config *data = &run->config->data;
    const int64_t n = tr_dataset_train(run->dataset)->n;
    const uint32_t seed = (uint32_t)data->split_seed;
    if (data->folds > 0)
        TR_TRY(tr_split_fold(&run->split, classes, n, data->folds, data->fold, seed, err));
    else
        TR_TRY(classes == NULL ? tr_split_make(&run->split, n, data->validation_split, seed, err)
                               : tr_split_make_stratified(&run->split, classes, n,
                                                          data->validation_split, seed, err));
    return tr_split_limit(&run->split, classes, data->limit_train, seed, err);
}

tr_status tr_run_split(tr_run *run, tr_error *err)
{
    const tr_data_config *data = &run->config->data;
    const tr_samples *train = tr_dataset_train(run->dataset);
    int32_t *made = NULL;
    tr_status status = TR_OK;
    if (data->stratify && train->y == NULL)
        status = classes_of_values(data, train, &made, err);
    if (status == TR_OK)
        status = split_by(run, !data->stratify ? NULL : made == NULL ? train->y : made, err);
    tr_free(made);
    return status;
}
