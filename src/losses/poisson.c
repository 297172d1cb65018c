/* poisson.c -- L = mean_j p_j - t_j log(p_j + eps), dL/dp_j = (1 - t_j / (p_j + eps)) / width.
 *
 * eps = 1e-7, as in Keras; the last activation is one that gives no negative numbers.
 */
#include "elementary_math.h"
#include "loss.h"

static double at(const tr_loss *loss, double p, double t, double *derivative)
{
    (void)loss;
    *derivative = 1.0 - t / (p + tr_loss_epsilon);
    return p - t * tr_log(p + tr_loss_epsilon);
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    return tr_loss_mean(loss, task, i, diff, at);
}

const tr_loss_ops tr_poisson_ops = {
    .name = "poisson",
    .doc = "counts against their expected number: last activations without negative numbers",
    .targets = TR_TARGET_VALUES,
    .sample = sample,
};
