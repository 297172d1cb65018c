/* adam.c -- Adam as Keras computes it (Kingma & Ba 2015, in the form before their section 2.1).
 *
 *     m += (g - m) (1 - beta_1)
 *     v += (g^2 - v) (1 - beta_2)
 *     w -= alpha m / (sqrt(v) + epsilon),   alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t)
 *
 * epsilon stands outside the root and is not bias-corrected; PyTorch's differs in that.
 */
#include <math.h>

#include "optimizer.h"
#include "simd.h"

typedef struct adam {
    tr_optimizer base;
    double beta_1, beta_2, epsilon;
    float alpha, one_minus_beta_1, one_minus_beta_2, eps; /* of the step at hand */
} adam;

static const tr_key keys[] = {
    {.name = "learning_rate",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_optimizer, learning_rate),
     .fallback = "0.001",
     .min = 0,
     .max = 1e6,
     .doc = "step size"},
    {.name = "beta_1",
     .kind = TR_KEY_REAL,
     .offset = offsetof(adam, beta_1),
     .fallback = "0.9",
     .min = 0,
     .max = 1,
     .below_max = true,
     .doc = "decay of the mean gradient"},
    {.name = "beta_2",
     .kind = TR_KEY_REAL,
     .offset = offsetof(adam, beta_2),
     .fallback = "0.999",
     .min = 0,
     .max = 1,
     .below_max = true,
     .doc = "decay of the mean squared gradient"},
    {.name = "epsilon",
     .kind = TR_KEY_REAL,
     .offset = offsetof(adam, epsilon),
     .fallback = "1e-7",
     .min = 1.2e-38, /* the smallest normal float32: below, it would be 0 and divide by it */
     .max = 1,
     .doc = "keeps the divisor off 0"},
};

static int slots(const tr_optimizer *optimizer, const char *names[TR_MAX_SLOTS])
{
    (void)optimizer;
    names[0] = "momentum";
    names[1] = "velocity";
    return 2;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    adam *self = (adam *)optimizer;
    const double correction =
        sqrt(1.0 - pow(self->beta_2, (double)t)) / (1.0 - pow(self->beta_1, (double)t));
    self->alpha = (float)(self->base.learning_rate * correction);
    self->one_minus_beta_1 = (float)(1.0 - self->beta_1);
    self->one_minus_beta_2 = (float)(1.0 - self->beta_2);
    self->eps = (float)self->epsilon;
}

TR_SIMD_CLONES
static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    const adam *self = (const adam *)optimizer;
    const float alpha = self->alpha, eps = self->eps;
    const float c1 = self->one_minus_beta_1, c2 = self->one_minus_beta_2;
    float *restrict w = range->weights;
    float *restrict m = range->slots[0];
    float *restrict v = range->slots[1];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        w[i] -= alpha * m[i] / (sqrtf(v[i]) + eps);
    }
}

const tr_optimizer_ops tr_adam_ops = {
    .name = "adam",
    .doc = "adaptive moments",
    .bytes = sizeof(adam),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots,
    .begin = begin,
    .update = update,
};
