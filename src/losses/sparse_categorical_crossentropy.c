/* sparse_categorical_crossentropy.c -- L = -log p[y] for an integer class y.
 *
 * With a final softmax the loss works on its input z, as TensorFlow's Keras does:
 *     L = log sum_j exp(z_j) - z_y          dL/dz = softmax(z) - onehot(y)
 * stable for any z (the maximum is subtracted), nothing is clipped.
 * Without one (say, a final sigmoid) the formula of Keras's PyTorch backend on probabilities
 * (TensorFlow's clips first and renormalises then; they differ where p is clipped):
 *     q = p / sum_j p_j, clipped to [eps, 1 - eps], L = -log q_y
 *     dL/dp_j = 1/sum - [j = y]/p_y, and 0 where q_y was clipped; eps = 1e-7.
 */
#include "elementary_math.h"
#include "loss.h"

static const tr_key keys[] = {TR_LOSS_KEY_FROM_LOGITS};

static double from_logits(const float *z, float *diff, int64_t width, int64_t y, float weight)
{
    const float max = z[tr_argmax(z, width)];
    double sum = 0.0;
    for (int64_t j = 0; j < width; j++) {
        const float e = tr_expf(z[j] - max);
        sum += e;
        if (diff != NULL)
            diff[j] = e;
    }
    if (diff != NULL) {
        const float scale = (float)(1.0 / sum);
        for (int64_t j = 0; j < width; j++)
            diff[j] = (diff[j] * scale - (j == y ? 1.0f : 0.0f)) * weight;
    }
    return tr_log(sum) - ((double)z[y] - (double)max);
}

static double from_probabilities(const float *p, float *diff, int64_t width, int64_t y,
                                 float weight)
{
    double sum = 0.0;
    for (int64_t j = 0; j < width; j++)
        sum += p[j];
    const double q = (double)p[y] / sum;
    const bool clipped = tr_loss_clipped(q);
    if (diff != NULL) {
        const double all = clipped ? 0.0 : 1.0 / sum;
        for (int64_t j = 0; j < width; j++)
            diff[j] = (float)all * weight;
        if (!clipped)
            diff[y] = (float)(all - 1.0 / (double)p[y]) * weight;
    }
    return -tr_log(tr_loss_clip(q));
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const float *pred = task->pred + i * task->width;
    const int64_t y = tr_target_class(&task->targets, i, task->width);
    return loss->logits ? from_logits(pred, diff, task->width, y, task->weight)
                        : from_probabilities(pred, diff, task->width, y, task->weight);
}

const tr_loss_ops tr_sparse_categorical_crossentropy_ops = {
    .name = "sparse_categorical_crossentropy",
    .doc = "integer classes against one probability per class",
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .targets = TR_TARGET_CLASSES,
    .wants_probabilities = true,
    .wants_several = true,
    .final_activation = "softmax",
    .activate = tr_softmax_row,
    .sample = sample,
};
