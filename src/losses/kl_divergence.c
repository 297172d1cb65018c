/* kl_divergence.c -- L = sum_j t_j log(t_j / p_j): how far a distribution is from the targets'.
 *
 * Both are clipped to [eps, 1] as in Keras, eps = 1e-7; dL/dp_j = -t_j / p_j, 0 where p was
 * clipped.
 */
#include "elementary_math.h"
#include "loss.h"

static double clipped(double x)
{
    return x < tr_loss_epsilon ? tr_loss_epsilon : x > 1.0 ? 1.0 : x; /* NaN stays */
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const float *pred = task->pred + i * task->width;
    double sum = 0.0;
    (void)loss;
    for (int64_t j = 0; j < task->width; j++) {
        const double t = clipped(tr_target_at(&task->targets, i, j, task->width));
        const double p = (double)pred[j];
        sum += t * tr_log(t / clipped(p));
        if (diff != NULL)
            diff[j] = task->weight * (float)(p < tr_loss_epsilon || p > 1.0 ? 0.0 : -t / p);
    }
    return sum;
}

const tr_loss_ops tr_kl_divergence_ops = {
    .name = "kl_divergence",
    .aliases = {"kld", "kullback_leibler_divergence"},
    .doc = "a distribution over classes (or class numbers, made one-hot) against one probability "
           "per class",
    .targets = TR_TARGET_CLASSES | TR_TARGET_VALUES,
    .metric_class = "KLDivergence",
    .wants_probabilities = true,
    .wants_several = true,
    .targets_in_0_1 = true,
    .sample = sample,
};
