/* hinge.c -- L = mean_j max(1 - t_j p_j, 0), dL/dp_j = -t_j / width where that is not 0.
 *
 * Targets are -1 or 1; 0 or 1 is taken for them, see tr_loss_signed_target(). Where 1 - t p is just
 * 0 the gradient is that of the slope, as TensorFlow's.
 */
#include "loss.h"

double tr_loss_signed_target(const tr_loss_task *task, int64_t i, int64_t j)
{
    const int64_t width = task->width;
    const double t = tr_target_at(&task->targets, i, j, width);
    for (int64_t k = 0; k < width; k++) {
        const double other = tr_target_at(&task->targets, i, k, width);
        if (other != 0.0 && other != 1.0)
            return t;
    }
    return 2.0 * t - 1.0;
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const float *pred = task->pred + i * task->width;
    const double width = (double)task->width;
    double sum = 0.0;
    (void)loss;
    for (int64_t j = 0; j < task->width; j++) {
        const double t = tr_loss_signed_target(task, i, j), lack = 1.0 - t * (double)pred[j];
        const double derivative = lack < 0.0 ? 0.0 : lack >= 0.0 ? -t : lack; /* NaN stays */
        sum += lack < 0.0 ? 0.0 : lack;
        if (diff != NULL)
            diff[j] = task->weight * (float)(derivative / width);
    }
    return sum / width;
}

const tr_loss_ops tr_hinge_ops = {
    .name = "hinge",
    .doc = "-1 or 1 (or 0 or 1) against the side of 0, at a distance of 1: last activation tanh or "
           "linear",
    .targets = TR_TARGET_VALUES,
    .targets_are_signs = true,
    .sample = sample,
};
