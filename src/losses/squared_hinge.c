/* squared_hinge.c -- L = mean_j max(1 - t_j p_j, 0)^2, dL/dp_j = -2 t_j max(1 - t_j p_j, 0) /
 * width.
 *
 * Targets are those of hinge.c.
 */
#include "loss.h"

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const float *pred = task->pred + i * task->width;
    const double width = (double)task->width;
    double sum = 0.0;
    (void)loss;
    for (int64_t j = 0; j < task->width; j++) {
        const double t = tr_loss_signed_target(task, i, j), lack = 1.0 - t * (double)pred[j];
        const double left = lack < 0.0 ? 0.0 : lack; /* NaN stays */
        sum += left * left;
        if (diff != NULL)
            diff[j] = task->weight * (float)(-2.0 * t * left / width);
    }
    return sum / width;
}

const tr_loss_ops tr_squared_hinge_ops = {
    .name = "squared_hinge",
    .doc = "the same, squared",
    .targets = TR_TARGET_VALUES,
    .targets_are_signs = true,
    .sample = sample,
};
