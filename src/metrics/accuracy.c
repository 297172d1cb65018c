/* accuracy.c -- shares of right answers: for one output, for classes, among the first k.
 *
 * A prediction that is NaN is never right. Comparisons alone would make it a "no" or leave it out.
 */
#include <math.h>

#include "metric.h"

enum { ALL = TR_TARGET_CLASSES | TR_TARGET_VALUES };

static bool has_nan(const float *row, int64_t width)
{
    for (int64_t j = 0; j < width; j++)
        if (isnan(row[j]))
            return true;
    return false;
}

/* Each output is a question: right when (p > threshold) = t; a sample counts the mean of them. */
static double binary(const tr_metric_task *task, int64_t i)
{
    const double threshold = task->settings->threshold;
    int64_t right = 0;
    for (int64_t j = 0; j < task->width; j++) {
        const float p = task->pred[i * task->width + j];
        const double says = (double)p > (isnan(threshold) ? 0.5 : threshold) ? 1.0 : 0.0;
        right += !isnan(p) && says == tr_target_at(&task->targets, i, j, task->width);
    }
    return (double)right / (double)task->width;
}

static double categorical(const tr_metric_task *task, int64_t i)
{
    const float *row = task->pred + i * task->width;
    return !has_nan(row, task->width) &&
           tr_argmax(row, task->width) == tr_target_class(&task->targets, i, task->width);
}

/* Fewer than k outputs are larger than the class's: who shares place k is in, as in Keras. */
static double among_k(const tr_metric_task *task, int64_t i)
{
    const float *row = task->pred + i * task->width;
    const float own = row[tr_target_class(&task->targets, i, task->width)];
    int64_t larger = 0;
    for (int64_t j = 0; j < task->width; j++)
        larger += row[j] > own;
    return !has_nan(row, task->width) && larger < task->k;
}

static const tr_key binary_keys[] = {
    TR_METRIC_KEY_THRESHOLD("threshold", "above it an output says 1 (0.5)"),
};

const tr_metric_ops tr_accuracy_ops = {.name = "accuracy",
                                       .alias = "acc",
                                       .doc = "one of the three below, by loss and outputs",
                                       .targets = ALL};
const tr_metric_ops tr_binary_accuracy_ops = {.name = "binary_accuracy",
                                              .doc = "share of outputs on the right side of 0.5",
                                              .keys = binary_keys,
                                              .n_keys = sizeof binary_keys / sizeof *binary_keys,
                                              .targets = TR_TARGET_VALUES,
                                              .counts = true,
                                              .larger_is_better = true,
                                              .wants_values = true,
                                              .value = binary};
const tr_metric_ops tr_categorical_accuracy_ops = {
    .name = "categorical_accuracy",
    .doc = "share of samples whose largest output is that of the largest target",
    .targets = TR_TARGET_VALUES,
    .counts = true,
    .larger_is_better = true,
    .wants_several = true,
    .value = categorical};
const tr_metric_ops tr_sparse_categorical_accuracy_ops = {
    .name = "sparse_categorical_accuracy",
    .doc = "share of samples whose largest output is that of their class",
    .targets = TR_TARGET_CLASSES,
    .counts = true,
    .larger_is_better = true,
    .wants_several = true,
    .value = categorical};
const tr_metric_ops tr_top_k_ops = {
    .name = "top_k", .doc = "one of the two below, by loss", .targets = ALL, .takes_k = true};
const tr_metric_ops tr_top_k_categorical_accuracy_ops = {
    .name = "top_k_categorical_accuracy",
    .doc = "share of samples whose largest target is among the k largest outputs",
    .targets = TR_TARGET_VALUES,
    .counts = true,
    .larger_is_better = true,
    .wants_several = true,
    .takes_k = true,
    .value = among_k};
const tr_metric_ops tr_sparse_top_k_categorical_accuracy_ops = {
    .name = "sparse_top_k_categorical_accuracy",
    .doc = "share of samples whose class is among the k largest outputs",
    .targets = TR_TARGET_CLASSES,
    .counts = true,
    .larger_is_better = true,
    .wants_several = true,
    .takes_k = true,
    .value = among_k};
