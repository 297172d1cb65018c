/* log_cosh.c -- L = mean_j log cosh(p_j - t_j), dL/dp_j = tanh(p_j - t_j) / width.
 *
 * Of s = |e|: log cosh e = s + log(1 + exp(-2 s)) - log 2, tanh s = (1 - exp(-2 s)) / (1 + exp(-2
 * s)).
 */
#include <math.h>

#include "elementary_math.h"
#include "loss.h"

static const double log_2 = 0x1.62e42fefa39efp-1;

static double at(const tr_loss *loss, double p, double t, double *derivative)
{
    (void)loss;
    const double size = fabs(p - t), e = tr_exp(-2.0 * size);
    *derivative = tr_loss_sign(p - t) * ((1.0 - e) / (1.0 + e));
    return size + tr_log1p(e) - log_2;
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    return tr_loss_mean(loss, task, i, diff, at);
}

const tr_loss_ops tr_log_cosh_ops = {
    .name = "log_cosh",
    .aliases = {"logcosh", "log_cosh_error"},
    .doc = "nearly half a squared error where it is small, a distance where it is large",
    .targets = TR_TARGET_VALUES,
    .metric_class = "LogCoshError",
    .sample = sample,
};
