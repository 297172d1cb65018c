/* mean_squared_error.c -- L = mean_j (p_j - t_j)^2, dL/dp_j = 2 (p_j - t_j) / width. */
#include "loss.h"

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const float *pred = task->pred + i * task->width;
    double sum = 0.0;
    (void)loss;
    for (int64_t j = 0; j < task->width; j++) {
        const double error = (double)pred[j] - tr_target_at(&task->targets, i, j, task->width);
        sum += error * error;
        if (diff != NULL)
            diff[j] = task->weight * (float)(2.0 * error / (double)task->width);
    }
    return sum / (double)task->width;
}

const tr_loss_ops tr_mean_squared_error_ops = {
    .name = "mean_squared_error",
    .alias = "mse",
    .doc = "numbers against as many numbers: regression",
    .targets = TR_TARGET_VALUES,
    .sample = sample,
};
