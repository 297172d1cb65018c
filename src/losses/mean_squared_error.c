/* mean_squared_error.c -- L = mean_j (p_j - t_j)^2, dL/dp_j = 2 (p_j - t_j) / width. */
#include "loss.h"

static double at(const tr_loss *loss, double p, double t, double *derivative)
{
    (void)loss;
    const double error = p - t;
    *derivative = 2.0 * error;
    return error * error;
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    return tr_loss_mean(loss, task, i, diff, at);
}

const tr_loss_ops tr_mean_squared_error_ops = {
    .name = "mean_squared_error",
    .aliases = {"mse"},
    .doc = "numbers against as many numbers: regression",
    .targets = TR_TARGET_VALUES,
    .sample = sample,
};
