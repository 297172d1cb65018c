/* categorical_hinge.c -- L = max(n - p + 1, 0), p = sum_j t_j p_j, n = max_j (1 - t_j) p_j.
 *
 * The output of the class is to exceed every other by 1. dL/dp_j = (1 - t_j) [j is that maximum]
 * - t_j where L is not cut off; maxima that are equal share it, as in TensorFlow.
 */
#include <math.h>

#include "loss.h"

/* The largest (1 - t_j) p_j, and how many are as large; NaN where any is. */
static double largest(const tr_loss_task *task, int64_t i, int64_t *count)
{
    const float *pred = task->pred + i * task->width;
    double most = -INFINITY;
    *count = 0;
    for (int64_t j = 0; j < task->width; j++) {
        const double t = tr_target_at(&task->targets, i, j, task->width);
        const double other = (1.0 - t) * (double)pred[j];
        if (isnan(other))
            return other;
        *count = other > most ? 1 : *count + (other == most);
        most = other > most ? other : most;
    }
    return most;
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const float *pred = task->pred + i * task->width;
    int64_t count;
    const double negative = largest(task, i, &count);
    double positive = 0.0;
    (void)loss;
    for (int64_t j = 0; j < task->width; j++)
        positive += tr_target_at(&task->targets, i, j, task->width) * (double)pred[j];
    const double lack = negative - positive + 1.0;
    for (int64_t j = 0; diff != NULL && j < task->width; j++) {
        const double t = tr_target_at(&task->targets, i, j, task->width);
        const bool is_largest = (1.0 - t) * (double)pred[j] == negative;
        const double derivative = (is_largest ? (1.0 - t) / (double)count : 0.0) - t;
        diff[j] = task->weight * (float)(lack < 0.0 ? 0.0 : lack >= 0.0 ? derivative : lack);
    }
    return lack < 0.0 ? 0.0 : lack; /* NaN stays */
}

const tr_loss_ops tr_categorical_hinge_ops = {
    .name = "categorical_hinge",
    .doc =
        "one-hot rows (or class numbers) against outputs of which that of the class is to exceed "
        "all others by 1",
    .targets = TR_TARGET_CLASSES | TR_TARGET_VALUES,
    .wants_several = true,
    .targets_in_0_1 = true,
    .sample = sample,
};
