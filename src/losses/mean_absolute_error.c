/* mean_absolute_error.c -- L = mean_j |p_j - t_j|, dL/dp_j = sign(p_j - t_j) / width. */
#include <math.h>

#include "loss.h"

static double at(const tr_loss *loss, double p, double t, double *derivative)
{
    (void)loss;
    *derivative = tr_loss_sign(p - t);
    return fabs(p - t);
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    return tr_loss_mean(loss, task, i, diff, at);
}

const tr_loss_ops tr_mean_absolute_error_ops = {
    .name = "mean_absolute_error",
    .aliases = {"mae"},
    .doc = "the same by distance: outliers count less",
    .targets = TR_TARGET_VALUES,
    .sample = sample,
};
