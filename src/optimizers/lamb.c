/* lamb.c -- LAMB as Keras computes it: Adam's direction, as long as the weights (You et al. 2020).
 *
 *     m += (g - m) (1 - beta_1)
 *     v += (g^2 - v) (1 - beta_2)
 *     d = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
 *     w -= |w| / |d| lr d           norms over each kernel or bias; where one is 0: w -= lr d
 */
#include <math.h>

#include "elementary_math.h"
#include "optimizer.h"
#include "simd.h"

typedef struct lamb {
    tr_optimizer base;
    double beta_1, beta_2, epsilon;
    float correction_1, correction_2; /* of the step at hand */
} lamb;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    TR_ROW_SHARE(lamb, beta_1, "0.9", "decay of the mean gradient"),
    TR_ROW_SHARE(lamb, beta_2, "0.999", "decay of the mean squared gradient"),
    TR_ROW_EPSILON(lamb),
};

static int slots_of(const tr_optimizer *optimizer, tr_slot slots[TR_MAX_SLOTS])
{
    (void)optimizer;
    slots[0].name = "momentum";
    slots[1].name = "velocity";
    return 2;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    lamb *self = (lamb *)optimizer;
    self->correction_1 = (float)(1.0 - tr_pow(self->beta_1, (double)t));
    self->correction_2 = (float)(1.0 - tr_pow(self->beta_2, (double)t));
}

TR_SIMD_CLONES
static void direction(const tr_optimizer *optimizer, const tr_update *range)
{
    const lamb *self = (const lamb *)optimizer;
    const float eps = (float)self->epsilon;
    const float c1 = (float)(1.0 - self->beta_1), c2 = (float)(1.0 - self->beta_2);
    const float of_m = self->correction_1, of_v = self->correction_2;
    float *restrict g = range->gradients;
    float *restrict m = range->slots[0];
    float *restrict v = range->slots[1];
    for (size_t i = 0; i < range->n; i++) {
        m[i] += (g[i] - m[i]) * c1;
        v[i] += (g[i] * g[i] - v[i]) * c2;
        g[i] = m[i] / of_m / (sqrtf(v[i] / of_v) + eps);
    }
}

TR_SIMD_CLONES
static void move(float *restrict w, const float *restrict d, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        w[i] -= factor * d[i];
}

static void apply(const tr_optimizer *optimizer, const tr_update *range, double weights_norm,
                  double direction_norm)
{
    const bool has_ratio = weights_norm > 0.0 && direction_norm > 0.0;
    const float ratio = has_ratio ? (float)(weights_norm / direction_norm) : 1.0f;
    move(range->weights, range->gradients, ratio * (float)optimizer->rate, range->n);
}

const tr_optimizer_ops tr_lamb_ops = {
    .name = "lamb",
    .keras_class = "Lamb",
    .doc = "Adam's direction, in steps as long as each layer's weights allow",
    .bytes = sizeof(lamb),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .direction = direction,
    .apply = apply,
};
