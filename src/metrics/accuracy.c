/* accuracy.c -- shares of right answers: for one output, for classes, among the first k. */
#include "metric.h"

/* Each output is a question: right when (p > 0.5) = t; a sample counts the mean over outputs. */
double tr_binary_accuracy(const tr_metric_task *task)
{
    double sum = 0.0;
    for (int64_t i = 0; i < task->n; i++) {
        int64_t right = 0;
        for (int64_t j = 0; j < task->width; j++) {
            const double says = task->pred[i * task->width + j] > 0.5f ? 1.0 : 0.0;
            right += says == tr_target_at(&task->targets, i, j, task->width);
        }
        sum += (double)right / (double)task->width;
    }
    return sum;
}

double tr_categorical_accuracy(const tr_metric_task *task)
{
    int64_t hits = 0;
    for (int64_t i = 0; i < task->n; i++)
        hits += tr_argmax(task->pred + i * task->width, task->width) ==
                tr_target_class(&task->targets, i, task->width);
    return (double)hits;
}

/* Fewer than k outputs are larger than the class's. NaN is never among the first. */
double tr_top_k_accuracy(const tr_metric_task *task)
{
    int64_t hits = 0;
    for (int64_t i = 0; i < task->n; i++) {
        const float *row = task->pred + i * task->width;
        const float own = row[tr_target_class(&task->targets, i, task->width)];
        int64_t larger = own == own ? 0 : task->width;
        for (int64_t j = 0; j < task->width; j++)
            larger += row[j] > own;
        hits += larger < task->k;
    }
    return (double)hits;
}
