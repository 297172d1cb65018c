/* huber.c -- L = mean_j h(p_j - t_j): squared where it is small, straight beyond delta = d.
 *
 *     h(e) = e^2 / 2 for |e| <= d, else d |e| - d^2 / 2;   h'(e) = e, else d sign(e)
 */
#include <math.h>

#include "loss.h"

static const tr_key keys[] = {
    {.name = "delta",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_loss, delta),
     .fallback = "1",
     .max = 1e30,
     .above_min = true,
     .doc = "the distance from which on it is straight"},
};

static double at(const tr_loss *loss, double p, double t, double *derivative)
{
    const double error = p - t, size = fabs(error), delta = loss->delta;
    *derivative = size <= delta ? error : delta * tr_loss_sign(error);
    return size <= delta ? 0.5 * error * error : delta * size - 0.5 * delta * delta;
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    return tr_loss_mean(loss, task, i, diff, at);
}

const tr_loss_ops tr_huber_ops = {
    .name = "huber",
    .aliases = {"huber_loss"},
    .doc = "a squared error that goes on straight where it is large",
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .targets = TR_TARGET_VALUES,
    .metric_class = "",
    .sample = sample,
};
