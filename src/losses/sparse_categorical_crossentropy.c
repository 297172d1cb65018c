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
#include <math.h>

#include "loss.h"

static const double epsilon = 1e-7; /* keras.backend.epsilon() */

/* First maximum wins, as argmax does in NumPy and Keras. */
static int64_t argmax(const float *row, int64_t n)
{
    int64_t best = 0;
    for (int64_t j = 1; j < n; j++)
        if (row[j] > row[best])
            best = j;
    return best;
}

static double from_logits(const float *z, float *diff, int64_t classes, int32_t y, float max,
                          float weight)
{
    double sum = 0.0;
    for (int64_t j = 0; j < classes; j++) {
        const float e = expf(z[j] - max);
        sum += e;
        if (diff != NULL)
            diff[j] = e;
    }
    if (diff != NULL) {
        const float scale = (float)(1.0 / sum);
        for (int64_t j = 0; j < classes; j++)
            diff[j] = (diff[j] * scale - (j == y ? 1.0f : 0.0f)) * weight;
    }
    return log(sum) - ((double)z[y] - (double)max);
}

static double from_probabilities(const float *p, float *diff, int64_t classes, int32_t y,
                                 float weight)
{
    double sum = 0.0;
    for (int64_t j = 0; j < classes; j++)
        sum += p[j];
    const double q = (double)p[y] / sum;
    const bool clipped = !(q >= epsilon && q <= 1.0 - epsilon);
    if (diff != NULL) {
        const double all = clipped ? 0.0 : 1.0 / sum;
        for (int64_t j = 0; j < classes; j++)
            diff[j] = (float)all * weight;
        if (!clipped)
            diff[y] = (float)(all - 1.0 / (double)p[y]) * weight;
    }
    /* Written so that NaN stays NaN and is noticed. */
    return -log(q < epsilon ? epsilon : q > 1.0 - epsilon ? 1.0 - epsilon : q);
}

static tr_sums run(const tr_loss_task *task)
{
    tr_sums sums = {0};
    const int64_t classes = task->classes;
    for (int64_t i = 0; i < task->n; i++) {
        const float *pred = task->pred + i * classes;
        float *diff = task->diff == NULL ? NULL : task->diff + i * classes;
        const int64_t best = argmax(pred, classes);
        sums.loss += task->logits
                         ? from_logits(pred, diff, classes, task->y[i], pred[best], task->weight)
                         : from_probabilities(pred, diff, classes, task->y[i], task->weight);
        sums.hits += best == task->y[i];
    }
    sums.n = task->n;
    for (int64_t i = task->n * classes; task->diff != NULL && i < task->n_padded * classes; i++)
        task->diff[i] = 0.0f;
    return sums;
}

const tr_loss_ops tr_sparse_categorical_crossentropy_ops = {
    .name = "sparse_categorical_crossentropy",
    .doc = "integer classes against one probability per class",
    .takes_logits = true,
    .run = run,
};
