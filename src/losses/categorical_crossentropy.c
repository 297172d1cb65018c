/* categorical_crossentropy.c -- L = -sum_j t_j log p_j for a distribution t over classes.
 *
 * t is one-hot in the file, or made from class numbers; label smoothing s makes it
 * t (1 - s) + s / classes. With a final softmax the loss works on its input z:
 *     L = T log sum_j exp(z_j) - sum_j t_j z_j,   dL/dz = T softmax(z) - t,   T = sum_j t_j
 * Otherwise Keras's formula on probabilities:
 *     q = p / S, S = sum_j p_j, clipped to [eps, 1 - eps];  L = -sum_j t_j log q_j
 *     dL/dq_j = -t_j / q_j, 0 where clipped;  dL/dp_i = (dL/dq_i - sum_j dL/dq_j q_j) / S
 */
#include "elementary_math.h"
#include "loss.h"

static const tr_key keys[] = {
    TR_LOSS_KEY_FROM_LOGITS,
    TR_LOSS_KEY_LABEL_SMOOTHING("share of every target that is spread evenly over the classes"),
};

static double target(const tr_loss *loss, const tr_loss_task *task, int64_t i, int64_t j)
{
    const double t = tr_target_at(&task->targets, i, j, task->width), s = loss->label_smoothing;
    return t * (1.0 - s) + s / (double)task->width;
}

static double from_logits(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const float *z = task->pred + i * task->width;
    const double max = (double)z[tr_argmax(z, task->width)];
    double sum = 0.0, total = 0.0, dot = 0.0;
    for (int64_t j = 0; j < task->width; j++) {
        const double t = target(loss, task, i, j), x = (double)z[j] - max;
        sum += tr_exp(x);
        total += t;
        dot += t * x;
    }
    for (int64_t j = 0; diff != NULL && j < task->width; j++)
        diff[j] = task->weight *
                  (float)(total * tr_exp((double)z[j] - max) / sum - target(loss, task, i, j));
    return total * tr_log(sum) - dot;
}

static double from_probabilities(const tr_loss *loss, const tr_loss_task *task, int64_t i,
                                 float *diff)
{
    const float *p = task->pred + i * task->width;
    double sum = 0.0, value = 0.0, dot = 0.0; /* dot: sum_j dL/dq_j q_j */
    for (int64_t j = 0; j < task->width; j++)
        sum += (double)p[j];
    for (int64_t j = 0; j < task->width; j++) {
        const double t = target(loss, task, i, j), q = (double)p[j] / sum;
        value -= t * tr_log(tr_loss_clip(q));
        dot -= tr_loss_clipped(q) ? 0.0 : t;
    }
    for (int64_t j = 0; diff != NULL && j < task->width; j++) {
        const double q = (double)p[j] / sum;
        const double dq = tr_loss_clipped(q) ? 0.0 : -target(loss, task, i, j) / q;
        diff[j] = task->weight * (float)((dq - dot) / sum);
    }
    return value;
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    return loss->logits ? from_logits(loss, task, i, diff)
                        : from_probabilities(loss, task, i, diff);
}

const tr_loss_ops tr_categorical_crossentropy_ops = {
    .name = "categorical_crossentropy",
    .doc = "one-hot rows (or class numbers, made one-hot) against one probability per class",
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .targets = TR_TARGET_CLASSES | TR_TARGET_VALUES,
    .wants_probabilities = true,
    .wants_several = true,
    .targets_in_0_1 = true,
    .targets_add_up = true,
    .final_activation = "softmax",
    .activate = tr_softmax_row,
    .sample = sample,
};
