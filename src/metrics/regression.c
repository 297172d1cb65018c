/* regression.c -- distances between predictions and targets, each a mean over the outputs. */
#include <math.h>

#include "metric.h"

double tr_squared_error(const tr_metric_task *task)
{
    double sum = 0.0;
    for (int64_t i = 0; i < task->n; i++)
        for (int64_t j = 0; j < task->width; j++) {
            const double error = (double)task->pred[i * task->width + j] -
                                 tr_target_at(&task->targets, i, j, task->width);
            sum += error * error;
        }
    return sum / (double)task->width;
}

double tr_absolute_error(const tr_metric_task *task)
{
    double sum = 0.0;
    for (int64_t i = 0; i < task->n; i++)
        for (int64_t j = 0; j < task->width; j++)
            sum += fabs((double)task->pred[i * task->width + j] -
                        tr_target_at(&task->targets, i, j, task->width));
    return sum / (double)task->width;
}
