/* root_mean_squared_error.c -- the root of the mean, over samples and outputs, of (p - t)^2. */
#include <math.h>

#include "metric.h"

enum { SQUARES, WEIGHTS, N_SUMS };

static int64_t n_sums(const tr_metric_settings *settings, int64_t outputs)
{
    (void)settings, (void)outputs;
    return N_SUMS;
}

static void add(const tr_metric_task *task, int64_t i, double weight, double *sums)
{
    double squares = 0.0;
    for (int64_t j = 0; j < task->width; j++) {
        const double error = (double)task->pred[i * task->width + j] -
                             tr_target_at(&task->targets, i, j, task->width);
        squares += error * error;
    }
    sums[SQUARES] += weight * squares / (double)task->width;
    sums[WEIGHTS] += weight;
}

static double result(const tr_metric_settings *settings, const double *sums, int64_t outputs)
{
    (void)settings, (void)outputs;
    return sums[WEIGHTS] == 0.0 ? 0.0 : sqrt(sums[SQUARES] / sums[WEIGHTS]);
}

const tr_metric_ops tr_root_mean_squared_error_ops = {.name = "root_mean_squared_error",
                                                      .alias = "rmse",
                                                      .doc = "root of the mean squared distance",
                                                      .targets = TR_TARGET_VALUES,
                                                      .wants_values = true,
                                                      .n_sums = n_sums,
                                                      .add = add,
                                                      .result = result};
