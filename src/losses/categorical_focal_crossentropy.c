/* categorical_focal_crossentropy.c -- L = -sum_j alpha t_j (1 - q_j)^gamma log q_j.
 *
 * q_j = p_j / sum_k p_k, clipped to [eps, 1 - eps]; from logits, or with a final softmax, p is
 * softmax(z). Targets and smoothing are those of categorical_crossentropy.c.
 *     D_j = dL/dq_j = alpha t_j (1 - q_j)^gamma (gamma log q_j / (1 - q_j) - 1 / q_j), 0 where
 * clipped dL/dz_j = q_j (D_j - sum_k D_k q_k);   dL/dp_j = (D_j - sum_k D_k q_k) / sum_k p_k
 */
#include "elementary_math.h"
#include "loss.h"

static const tr_key keys[] = {
    TR_LOSS_KEY_FROM_LOGITS,
    TR_LOSS_KEY_LABEL_SMOOTHING("share of every target that is spread evenly over the classes"),
    TR_LOSS_KEY_ALPHA("a factor of the whole loss"),
    TR_LOSS_KEY_GAMMA,
};

/* Of the predictions of a sample: what makes numbers of them that add up to 1. */
typedef struct scale {
    double max, sum;
} scale;

static double numerator(const tr_loss *loss, double x, double max)
{
    return loss->logits ? tr_exp(x - max) : x;
}

static scale scale_of(const tr_loss *loss, const float *pred, int64_t width)
{
    scale of = {.max = (double)pred[tr_argmax(pred, width)]};
    for (int64_t j = 0; j < width; j++)
        of.sum += numerator(loss, (double)pred[j], of.max);
    return of;
}

/* The term of an output, and dL/dq_j. */
static double term(const tr_loss *loss, double q, double hard, int64_t width, double *derivative)
{
    const double s = loss->label_smoothing, t = hard * (1.0 - s) + s / (double)width;
    const double c = tr_loss_clip(q), log_c = tr_log(c);
    const double factor = loss->alpha * t * tr_pow(1.0 - c, loss->gamma);
    *derivative = tr_loss_clipped(q) ? 0.0 : factor * (loss->gamma * log_c / (1.0 - c) - 1.0 / c);
    return -factor * log_c;
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    const int64_t width = task->width;
    const float *pred = task->pred + i * width;
    const scale of = scale_of(loss, pred, width);
    double value = 0.0, dot = 0.0, derivative;
    for (int64_t j = 0; j < width; j++) {
        const double q = numerator(loss, (double)pred[j], of.max) / of.sum;
        value += term(loss, q, tr_target_at(&task->targets, i, j, width), width, &derivative);
        dot += derivative * q;
    }
    for (int64_t j = 0; diff != NULL && j < width; j++) {
        const double q = numerator(loss, (double)pred[j], of.max) / of.sum;
        (void)term(loss, q, tr_target_at(&task->targets, i, j, width), width, &derivative);
        diff[j] = task->weight * (float)((derivative - dot) * (loss->logits ? q : 1.0 / of.sum));
    }
    return value;
}

const tr_loss_ops tr_categorical_focal_crossentropy_ops = {
    .name = "categorical_focal_crossentropy",
    .doc = "categorical_crossentropy in which right answers count little",
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .targets = TR_TARGET_CLASSES | TR_TARGET_VALUES,
    .metric_class = "",
    .wants_probabilities = true,
    .wants_several = true,
    .targets_in_0_1 = true,
    .targets_add_up = true,
    .final_activation = "softmax",
    .activate = tr_softmax_row,
    .sample = sample,
};
