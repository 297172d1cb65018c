/* accuracy.c -- shares of right answers: for one output, for classes, among the first k.
 *
 * A prediction that is NaN is never right. Comparisons alone would make it a "no" or leave it out.
 */
#include <math.h>

#include "metric.h"

static bool has_nan(const float *row, int64_t width)
{
    for (int64_t j = 0; j < width; j++)
        if (isnan(row[j]))
            return true;
    return false;
}

/* Each output is a question: right when (p > 0.5) = t; a sample counts the mean over outputs. */
double tr_binary_accuracy(const tr_metric_task *task)
{
    double sum = 0.0;
    for (int64_t i = 0; i < task->n; i++) {
        int64_t right = 0;
        for (int64_t j = 0; j < task->width; j++) {
            const float p = task->pred[i * task->width + j];
            const double says = p > 0.5f ? 1.0 : 0.0;
            right += !isnan(p) && says == tr_target_at(&task->targets, i, j, task->width);
        }
        sum += (double)right / (double)task->width;
    }
    return sum;
}

double tr_categorical_accuracy(const tr_metric_task *task)
{
    int64_t hits = 0;
    for (int64_t i = 0; i < task->n; i++) {
        const float *row = task->pred + i * task->width;
        hits += !has_nan(row, task->width) &&
                tr_argmax(row, task->width) == tr_target_class(&task->targets, i, task->width);
    }
    return (double)hits;
}

/* Fewer than k outputs are larger than the class's: who shares place k is in, as in Keras. */
double tr_top_k_accuracy(const tr_metric_task *task)
{
    int64_t hits = 0;
    for (int64_t i = 0; i < task->n; i++) {
        const float *row = task->pred + i * task->width;
        const float own = row[tr_target_class(&task->targets, i, task->width)];
        int64_t larger = 0;
        for (int64_t j = 0; j < task->width; j++)
            larger += row[j] > own;
        hits += !has_nan(row, task->width) && larger < task->k;
    }
    return (double)hits;
}
