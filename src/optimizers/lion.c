/* lion.c -- Lion as Keras computes it: steps of one size, the sign of a momentum (Chen et al.
 * 2023).
 *
 *     w -= lr sign(beta_1 m + (1 - beta_1) g)
 *     m = beta_2 m + (1 - beta_2) g
 */
#include "optimizer.h"
#include "simd.h"

typedef struct lion {
    tr_optimizer base;
    double beta_1, beta_2;
} lion;

static const tr_key keys[] = {
    TR_ROW_LEARNING_RATE("0.001"),
    TR_ROW_SHARE(lion, beta_1, "0.9", "share of the momentum in a step's direction"),
    TR_ROW_SHARE(lion, beta_2, "0.99", "decay of the momentum"),
};

static int slots_of(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                    tr_slot slots[TR_MAX_SLOTS])
{
    (void)optimizer, (void)tensor;
    slots[0].name = "momentum";
    return 1;
}

static void begin(tr_optimizer *optimizer, int64_t t)
{
    (void)optimizer, (void)t; /* nothing depends on the step */
}

/* What is not a number has no sign and stays so: else it would freeze a weight unseen. */
TR_SIMD_CLONES
static void update(const tr_optimizer *optimizer, const tr_update *range)
{
    const lion *self = (const lion *)optimizer;
    const float lr = (float)self->base.rate;
    const float b1 = (float)self->beta_1, rest_1 = (float)(1.0 - self->beta_1);
    const float b2 = (float)self->beta_2, rest_2 = (float)(1.0 - self->beta_2);
    float *restrict w = range->weights;
    float *restrict m = range->slots[0];
    const float *restrict g = range->gradients;
    for (size_t i = 0; i < range->n; i++) {
        const float c = b1 * m[i] + rest_1 * g[i];
        const float negative = c < 0.0f ? -1.0f : c;
        const float sign = c > 0.0f ? 1.0f : negative;
        w[i] -= lr * sign;
        m[i] = b2 * m[i] + rest_2 * g[i];
    }
}

const tr_optimizer_ops tr_lion_ops = {
    .name = "lion",
    .keras_class = "Lion",
    .doc = "steps of one size, by the sign of a momentum",
    .bytes = sizeof(lion),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .slots = slots_of,
    .begin = begin,
    .update = update,
};
