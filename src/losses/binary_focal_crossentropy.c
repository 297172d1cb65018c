/* binary_focal_crossentropy.c -- L = mean_j w (1 - r)^gamma B: what is right already counts less.
 *
 *     B = -(t log p + (1 - t) log(1 - p)),   r = t p + (1 - t) (1 - p),
 *     w = t alpha + (1 - t) (1 - alpha) with apply_class_balancing, else 1
 *
 * Label smoothing is that of binary_crossentropy.c. With a final sigmoid, or from logits, B is
 * computed from its input z, without clipping; dp/dz = p (1 - p), dB/dz = p - t. Otherwise p is
 * clipped to [eps, 1 - eps] in B, not in r, as Keras does, and dB/dp is 0 where it was.
 */
#include <math.h>

#include "elementary_math.h"
#include "loss.h"

static const tr_key keys[] = {
    TR_LOSS_KEY_FROM_LOGITS,
    TR_LOSS_KEY_LABEL_SMOOTHING("share of every target that is moved to one half"),
    {.name = "apply_class_balancing",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(tr_loss, apply_class_balancing),
     .fallback = "false",
     .doc = "ones are weighed by alpha, zeros by 1 - alpha"},
    TR_LOSS_KEY_ALPHA("the weight of ones, with apply_class_balancing"),
    TR_LOSS_KEY_GAMMA,
};

/* Of a prediction: p and 1 - p, each to full precision, B and its derivative. */
typedef struct point {
    double p, q, value, derivative;
} point;

static point at_logit(double z, double t)
{
    point at = {.p = tr_sigmoid(z), .q = tr_sigmoid(-z)};
    at.value = (z > 0.0 ? z : z * 0.0) - z * t + tr_log1p(tr_exp(-fabs(z))); /* NaN stays */
    at.derivative = at.p - t;
    return at;
}

static point at_probability(double p, double t)
{
    const double c = tr_loss_clip(p);
    return (point){.p = p,
                   .q = 1.0 - p,
                   .value = -(t * tr_log(c) + (1.0 - t) * tr_log(1.0 - c)),
                   .derivative = tr_loss_clipped(p) ? 0.0 : (1.0 - t) / (1.0 - c) - t / c};
}

static double at(const tr_loss *loss, double x, double hard, double *derivative)
{
    const double t = hard * (1.0 - loss->label_smoothing) + 0.5 * loss->label_smoothing;
    const point b = loss->logits ? at_logit(x, t) : at_probability(x, t);
    const double wrong = t * b.q + (1.0 - t) * b.p; /* 1 - r */
    const double slope = (1.0 - 2.0 * t) * (loss->logits ? b.p * b.q : 1.0);
    const double weight =
        loss->apply_class_balancing ? t * loss->alpha + (1.0 - t) * (1.0 - loss->alpha) : 1.0;
    const double factor = weight * tr_pow(wrong, loss->gamma);
    *derivative = factor * b.derivative;
    if (wrong != 0.0 && loss->gamma != 0.0) /* else it is 0, whose power below 0 is none */
        *derivative += factor * (loss->gamma / wrong) * slope * b.value;
    return factor * b.value;
}

static double sample(const tr_loss *loss, const tr_loss_task *task, int64_t i, float *diff)
{
    return tr_loss_mean(loss, task, i, diff, at);
}

const tr_loss_ops tr_binary_focal_crossentropy_ops = {
    .name = "binary_focal_crossentropy",
    .doc = "binary_crossentropy in which right answers count little",
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .targets = TR_TARGET_VALUES,
    .metric_class = "",
    .wants_probabilities = true,
    .targets_in_0_1 = true,
    .final_activation = "sigmoid",
    .activate = tr_sigmoid_row,
    .sample = sample,
};
