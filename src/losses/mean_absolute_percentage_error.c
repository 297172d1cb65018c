/* mean_absolute_percentage_error.c -- L = 100 mean_j |t_j - p_j| / max(|t_j|, eps).
 *
 * dL/dp_j = 100 sign(p_j - t_j) / max(|t_j|, eps) / width; eps = 1e-7, so that a target of 0 makes
 * a loss of a billion, as in Keras.
 */
#include <math.h>

#include "loss.h"

static double at(const tr_loss *loss, double p, double t, double *derivative)
{
    (void)loss;
    const double scale = 100.0 / (fabs(t) < tr_loss_epsilon ? tr_loss_epsilon : fabs(t));
    *derivative = scale * tr_loss_sign(p - t);
    return scale * fabs(p - t);
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    return tr_loss_mean(loss, task, i, diff, at);
}

const tr_loss_ops tr_mean_absolute_percentage_error_ops = {
    .name = "mean_absolute_percentage_error",
    .aliases = {"mape"},
    .doc = "distances in percent of targets that are not 0",
    .targets = TR_TARGET_VALUES,
    .sample = sample,
};
