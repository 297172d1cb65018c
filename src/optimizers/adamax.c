/* adamax.c -- Adamax as Keras computes it: Adam with the infinity norm (Kingma & Ba 2015).
 *
 *     m += (g - m) (1 - beta_1)
 *     u = max(beta_2 u, |g|)
 *     w -= lr m / ((1 - beta_1^t) (u + epsilon))
 */
#include <math.h>

#include "elementary_math.h"
#include "optimizer.h"
#include "simd.h"

typedef struct adamax {
    tr_optimizer base;
    double beta_1, beta_2, epsilon;
    float correction; /* of the step at hand */
} adamax;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    TR_ROW_SHARE(adamax, beta_1, "0.9", "decay of the mean gradient"),
    TR_ROW_SHARE(adamax, beta_2, "0.999", "decay of the largest gradient"),
    TR_ROW_EPSILON(adamax),
};

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)optimizer, (void)tensor;
    slots[0].name = "momentum";
    slots[1].name = "norm";
    return 2;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    adamax *self = (adamax *)optimizer;
    self->correction = (float)(1.0 - tr_pow(self->beta_1, (double)t));
}

TR_SIMD_CLONES
static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    const adamax *self = (const adamax *)optimizer;
    const float lr = (float)self->base.rate, eps = (float)self->epsilon;
    const float c1 = (float)(1.0 - self->beta_1), beta_2 = (float)self->beta_2;
    const float correction = self->correction;
    float *restrict w = range->weights;
    float *restrict m = range->slots[0];
    float *restrict u = range->slots[1];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        const float kept = beta_2 * u[i], size = fabsf(g[i]);
        m[i] += (g[i] - m[i]) * c1;
        u[i] = kept > size ? kept : size;
        w[i] -= lr * m[i] / (correction * (u[i] + eps));
    }
}

const tr_optimizer_ops tr_adamax_ops = {
    .name = "adamax",
    .keras_class = "Adamax",
    .doc = "Adam with the largest gradient in place of the mean square",
    .bytes = sizeof(adamax),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .update = update,
};
