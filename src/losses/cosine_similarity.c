/* cosine_similarity.c -- L = -sum_j a_j b_j, a = p / |p|, b = t / |t|: from 1, opposite, to -1.
 *
 * dL/dp_j = (a_j sum_k a_k b_k - b_j) / |p|. Lengths below eps = 1e-7 count as eps, and a is then
 * no unit vector: dL/dp_j = -b_j / eps. A metric of this name is the similarity itself.
 */
#include <math.h>

#include "loss.h"

/* 1 / length */
static double inverse(double squares)
{
    const double length = sqrt(squares);
    return 1.0 / (length < tr_loss_epsilon ? tr_loss_epsilon : length); /* NaN stays */
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const float *pred = task->pred + i * task->width;
    double of_pred = 0.0, of_target = 0.0, dot = 0.0;
    (void)loss;
    for (int64_t j = 0; j < task->width; j++) {
        const double p = (double)pred[j], t = tr_target_at(&task->targets, i, j, task->width);
        of_pred += p * p;
        of_target += t * t;
        dot += p * t;
    }
    const double a = inverse(of_pred), b = inverse(of_target), similarity = dot * a * b;
    const double along = sqrt(of_pred) < tr_loss_epsilon ? 0.0 : similarity;
    for (int64_t j = 0; diff != NULL && j < task->width; j++) {
        const double t = tr_target_at(&task->targets, i, j, task->width);
        diff[j] = task->weight * (float)((a * (double)pred[j] * along - b * t) * a);
    }
    return -similarity;
}

const tr_loss_ops tr_cosine_similarity_ops = {
    .name = "cosine_similarity",
    .doc = "numbers against as many numbers, by the angle between them",
    .targets = TR_TARGET_VALUES,
    .metric_is_negative = true,
    .sample = sample,
};
