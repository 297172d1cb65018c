/* nadam.c -- Nadam as Keras computes it: Adam with Nesterov's momentum (Dozat 2016).
 *
 *     u(t) = beta_1 (1 - 0.96^t / 2),   P(t) = u(1) u(2) ... u(t)
 *     m += (g - m) (1 - beta_1)
 *     v += (g^2 - v) (1 - beta_2)
 *     h = u(t + 1) m / (1 - P(t) u(t + 1)) + (1 - u(t)) g / (1 - P(t))
 *     w -= lr h / (sqrt(v / (1 - beta_2^t)) + epsilon)
 *
 * Keras stores P; here it follows from t, so that it is no state; product() tells it to files.
 */
#include <math.h>

#include "elementary_math.h"
#include "optimizer.h"
#include "simd.h"

typedef struct nadam {
    tr_optimizer base;
    double beta_1, beta_2, epsilon;
    int64_t t;      /* of the step at hand; 0: none yet */
    double product; /* P(t) */
    float momentum_share, gradient_share, correction;
} nadam;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    TR_ROW_SHARE(nadam, beta_1, "0.9", "decay of the mean gradient"),
    TR_ROW_SHARE(nadam, beta_2, "0.999", "decay of the mean squared gradient"),
    TR_ROW_EPSILON(nadam),
};

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)optimizer, (void)tensor;
    slots[0].name = "momentum";
    slots[1].name = "velocity";
    return 2;
}

static double decay(const nadam *self, int64_t t)
{
    return self->beta_1 * (1.0 - 0.5 * tr_pow(0.96, (double)t));
}

/* P(t) goes on from the last t, or from the start: the same factors in the same order. It only ever
 * stands beside 1, so it need not shrink for ever. */
static void advance(nadam *self, int64_t t)
{
    if (self->t == 0 || t < self->t) {
        self->t = 0;
        self->product = 1.0;
    }
    while (self->t < t && self->product > 1e-30)
        self->product *= decay(self, ++self->t);
    self->t = t;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    nadam *self = (nadam *)optimizer;
    advance(self, t);
    const double now = decay(self, t), next = decay(self, t + 1);
    self->momentum_share = (float)(next / (1.0 - self->product * next));
    self->gradient_share = (float)((1.0 - now) / (1.0 - self->product));
    self->correction = (float)(1.0 - tr_pow(self->beta_2, (double)t));
}

static double product(const tr_optimizer *optimizer)
{
    return ((const nadam *)optimizer)->product;
}

TR_SIMD_CLONES
static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    const nadam *self = (const nadam *)optimizer;
    const float lr = (float)self->base.rate, eps = (float)self->epsilon;
    const float c1 = (float)(1.0 - self->beta_1), c2 = (float)(1.0 - self->beta_2);
    const float of_m = self->momentum_share, of_g = self->gradient_share;
    const float correction = self->correction;
    float *restrict w = range->weights;
    float *restrict m = range->slots[0];
    float *restrict v = range->slots[1];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        w[i] -= lr * (of_m * m[i] + of_g * g[i]) / (sqrtf(v[i] / correction) + eps);
    }
}

const tr_optimizer_ops tr_nadam_ops = {
    .name = "nadam",
    .keras_class = "Nadam",
    .doc = "Adam with Nesterov's momentum",
    .bytes = sizeof(nadam),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .product = product,
    .update = update,
};
