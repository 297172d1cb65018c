/* mean_squared_logarithmic_error.c -- L = mean_j (log(1 + p_j) - log(1 + t_j))^2.
 *
 * dL/dp_j = 2 (log(1 + p_j) - log(1 + t_j)) / (1 + p_j) / width. Targets and predictions below
 * eps = 1e-7 count as eps, with gradient 0, as in Keras.
 */
#include "elementary_math.h"
#include "loss.h"

/* Not fmax(), which turns NaN into a number. */
static double from_epsilon(double x)
{
    return x < tr_loss_epsilon ? tr_loss_epsilon : x;
}

static double at(const tr_loss *loss, double p, double t, double *derivative)
{
    (void)loss;
    const double q = from_epsilon(p);
    const double error = tr_log1p(q) - tr_log1p(from_epsilon(t));
    *derivative = p < tr_loss_epsilon ? 0.0 : 2.0 * error / (1.0 + q);
    return error * error;
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    return tr_loss_mean(loss, task, i, diff, at);
}

const tr_loss_ops tr_mean_squared_logarithmic_error_ops = {
    .name = "mean_squared_logarithmic_error",
    .aliases = {"msle"},
    .doc = "squared distances of logarithms, of targets from 0 on",
    .targets = TR_TARGET_VALUES,
    .sample = sample,
};
