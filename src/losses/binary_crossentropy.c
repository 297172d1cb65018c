/* binary_crossentropy.c -- L = mean_j -(t_j log p_j + (1 - t_j) log(1 - p_j)).
 *
 * Two classes in one output, or several yes-or-no questions at once (one output each). Label
 * smoothing s makes t (1 - s) + s / 2. With a final sigmoid the loss works on its input z:
 *     L = mean_j max(z, 0) - z t + log(1 + exp(-|z|)),   dL/dz = (sigmoid(z) - t) / width
 * Otherwise p is clipped to [eps, 1 - eps] as Keras does, with gradient 0 where it was:
 *     dL/dp = ((1 - t) / (1 - p) - t / p) / width
 */
#include <math.h>

#include "elementary_math.h"
#include "loss.h"

static const tr_key keys[] = {
    TR_LOSS_KEY_FROM_LOGITS,
    TR_LOSS_KEY_LABEL_SMOOTHING("share of every target that is moved to one half"),
};

/* Value and derivative at a logit. */
static double at_logit(double z, double t, double *derivative)
{
    *derivative = tr_sigmoid(z) - t;
    /* Not fmax(z, 0), which turns NaN into 0. */
    return (z > 0.0 ? z : z * 0.0) - z * t + tr_log1p(tr_exp(-fabs(z)));
}

/* Value and derivative at a probability. */
static double at_probability(double p, double t, double *derivative)
{
    const double q = tr_loss_clip(p);
    *derivative = tr_loss_clipped(p) ? 0.0 : (1.0 - t) / (1.0 - q) - t / q;
    return -(t * tr_log(q) + (1.0 - t) * tr_log(1.0 - q));
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const float *pred = task->pred + i * task->width;
    const double s = loss->label_smoothing;
    double sum = 0.0;
    for (int64_t j = 0; j < task->width; j++) {
        const double t = tr_target_at(&task->targets, i, j, task->width) * (1.0 - s) + 0.5 * s;
        double derivative;
        sum += loss->logits ? at_logit((double)pred[j], t, &derivative)
                            : at_probability((double)pred[j], t, &derivative);
        if (diff != NULL)
            diff[j] = task->weight * (float)(derivative / (double)task->width);
    }
    return sum / (double)task->width;
}

const tr_loss_ops tr_binary_crossentropy_ops = {
    .name = "binary_crossentropy",
    .aliases = {"bce"},
    .doc = "targets of 0 or 1 against a probability each: two classes in one output, or several "
           "questions at once",
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .targets = TR_TARGET_VALUES,
    .wants_probabilities = true,
    .targets_in_0_1 = true,
    .final_activation = "sigmoid",
    .activate = tr_sigmoid_row,
    .sample = sample,
};
